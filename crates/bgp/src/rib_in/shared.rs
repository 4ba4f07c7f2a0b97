//! Attributes that many prefixes share: kept once, as octets, and counted.
//!
//! A million routes of the Internet have some two hundred thousand different sets of attributes. As octets of the wire
//! a set takes about a hundred; as a structure it would take ten times that.

use super::table::{Handle, Item, Table};
use std::hash::{DefaultHasher, Hasher};

/// What the allocator adds to a block of octets.
const ALLOCATION: usize = 16;

/// Hashes with a secret, so that a neighbour cannot choose what falls into one bucket.
#[derive(Clone, Debug)]
pub(super) struct Secret(DefaultHasher);

impl Secret {
    /// That number is the secret.
    pub(super) fn new(secret: u64) -> Self {
        let mut hasher = DefaultHasher::new();
        hasher.write_u64(secret);
        Secret(hasher)
    }

    /// The hash of a key that consists of these parts.
    pub(super) fn hash<const PARTS: usize>(&self, parts: [&[u8]; PARTS]) -> u32 {
        let mut hasher = self.0.clone();
        parts.iter().for_each(|part| hasher.write(part));
        // The low half of a good hash is one itself.
        (hasher.finish() & u64::from(u32::MAX)) as u32
    }
}

/// One set of attributes.
#[derive(Debug)]
struct Set {
    octets: Box<[u8]>,
    hash: u32,
    /// Routes that have it.
    holders: u32,
    next: Handle,
}

impl Item for Set {
    fn hash(&self) -> u32 {
        self.hash
    }

    fn next(&self) -> Handle {
        self.next
    }

    fn set_next(&mut self, next: Handle) {
        self.next = next;
    }
}

/// Sets of attributes, each kept as long as somebody holds it.
#[derive(Debug)]
pub(super) struct Shared {
    secret: Secret,
    sets: Table<Set>,
    /// Octets that the sets point to.
    pointed_to: usize,
    count: usize,
    /// Sets that nobody holds any more, to be freed step by step.
    leaving: Vec<Vec<Set>>,
}

impl Shared {
    /// Nothing kept.
    pub(super) fn new(secret: Secret) -> Self {
        Shared { secret, sets: Table::default(), pointed_to: 0, count: 0, leaving: Vec::new() }
    }

    /// Octets of memory that it takes, those that are being freed included.
    pub(super) fn octets(&self) -> usize {
        let leaving: usize = self.leaving.iter().map(|chunk| chunk.capacity() * size_of::<Set>()).sum();
        self.sets.octets() + self.pointed_to + leaving
    }

    /// Different sets.
    pub(super) fn count(&self) -> usize {
        self.count
    }

    /// Holds a set, if it is there already or takes no more than so many octets.
    pub(super) fn hold(&mut self, octets: &[u8], room: usize) -> Option<Handle> {
        let hash = self.secret.hash([octets]);
        let same = self.sets.chain(hash).find(|(_, set)| set.hash == hash && *set.octets == *octets);
        if let Some((handle, _)) = same {
            self.hold_again(handle);
            return Some(handle);
        }
        if cost(octets) + self.sets.next_octets() > room {
            return None;
        }
        let set = Set { octets: octets.into(), hash, holders: 1, next: Handle::NONE };
        self.pointed_to += cost(octets);
        self.count += 1;
        Some(self.sets.insert(set))
    }

    /// Holds a set that is held already.
    pub(super) fn hold_again(&mut self, handle: Handle) {
        if let Some(set) = self.sets.get_mut(handle) {
            set.holders += 1;
        }
    }

    /// Lets go of a set; the last holder frees it.
    pub(super) fn release(&mut self, handle: Handle) {
        let Some(set) = self.sets.get_mut(handle) else { return };
        set.holders = set.holders.saturating_sub(1);
        if set.holders == 0 {
            self.pointed_to -= cost(&std::mem::take(&mut set.octets));
            self.count -= 1;
            self.sets.remove(handle);
        }
    }

    /// The octets of a set.
    pub(super) fn octets_of(&self, handle: Handle) -> Option<&[u8]> {
        self.sets.get(handle).map(|set| &*set.octets)
    }

    /// Nobody holds anything any more. The memory is freed by [`Shared::tidy`].
    pub(super) fn clear(&mut self) {
        self.leaving.extend(self.sets.clear());
        self.count = 0;
    }

    /// Frees one chunk of what is leaving.
    pub(super) fn tidy(&mut self) {
        if let Some(chunk) = self.leaving.pop() {
            // Places that were vacated point to nothing any more.
            let octets = chunk.iter().filter(|set| set.holders > 0).map(|set| cost(&set.octets));
            self.pointed_to -= octets.sum::<usize>();
        }
    }

    /// Whether something is still to be freed.
    pub(super) fn is_untidy(&self) -> bool {
        !self.leaving.is_empty()
    }
}

fn cost(octets: &[u8]) -> usize {
    octets.len() + ALLOCATION
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shared() -> Shared {
        Shared::new(Secret::new(7))
    }

    #[test]
    fn equal_sets_are_one_until_the_last_holder_goes() {
        let mut shared = shared();
        let first = shared.hold(b"path 1 2 3", 1 << 20).unwrap();
        let octets = shared.octets();
        assert_eq!(shared.hold(b"path 1 2 3", 0), Some(first), "what is there needs no room");
        assert_eq!((shared.count(), shared.octets()), (1, octets));
        shared.release(first);
        assert_eq!(shared.octets_of(first), Some(&b"path 1 2 3"[..]));
        shared.release(first);
        assert_eq!((shared.count(), shared.pointed_to), (0, 0));
        assert_eq!(shared.hold(b"path 1 2 3", 0), None, "it is gone");
    }

    #[test]
    fn what_left_is_freed_in_steps_and_counted_until_then() {
        let mut shared = shared();
        let gone = shared.hold(b"released before", 1 << 20).unwrap();
        (0..5000_u32).for_each(|number| {
            shared.hold(&number.to_be_bytes(), 1 << 20).unwrap();
        });
        shared.release(gone);
        let before = shared.pointed_to;
        shared.clear();
        assert_eq!((shared.count(), shared.pointed_to), (0, before));
        let steps = std::iter::from_fn(|| shared.is_untidy().then(|| shared.tidy())).count();
        assert_eq!((steps, shared.octets()), (5, 0));
    }
}

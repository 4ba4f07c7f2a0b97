//! Puts record sets of an image into a reply: copies them, and moves their pointers where they are elsewhere than they
//! were encoded for.

use super::{Reply, Section};
use crate::image::node::Set;
use crate::name::{Name, labels};
use crate::query::HEADER;

/// Owner as a pointer, type, class, TTL and length of the data.
const FIXED: usize = 12;
/// Largest offset that a pointer can name (RFC 1035 section 4.1.4).
const POINTER_MAX: usize = 0x3fff;

/// Whether signatures go with records.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Form {
    Plain,
    Signed,
}

/// The owner of a set, told by the name that was looked up.
#[derive(Clone, Copy)]
pub(crate) struct Owner {
    /// Where in the reply that name can be read.
    pub(crate) at: usize,
    /// Octets that it has without compression.
    pub(crate) length: usize,
    /// Whether the owner is that name whatever the set was encoded for; otherwise it is that name or an ancestor.
    pub(crate) renamed: bool,
}

/// Where a set is.
#[derive(Clone, Copy)]
pub(crate) struct Placed {
    start: usize,
    owner: Owner,
    /// Octets of the owner that the set was encoded for.
    encoded_for: usize,
}

impl Placed {
    /// Where the data of its first record begins.
    pub(crate) fn data(self) -> usize {
        self.start + FIXED
    }

    /// Where an offset leads to that is right if the set is where it was encoded for.
    fn moved(self, message: &[u8], offset: usize) -> Option<usize> {
        let start = HEADER + self.encoded_for + 4;
        match offset.checked_sub(start) {
            Some(within) => Some(self.start + within),
            None => self.of_owner(message, offset.checked_sub(HEADER)?),
        }
    }

    /// Where the part of the owner is that begins at an octet of it.
    fn of_owner(self, message: &[u8], octet: usize) -> Option<usize> {
        let Owner { at, length, renamed } = self.owner;
        match octet {
            0 if renamed => Some(at),
            _ => locate(message, at, (length + octet).checked_sub(self.encoded_for)?),
        }
    }

    /// Where a target can be read.
    pub(crate) fn target(self, message: &[u8], offset: u16) -> Option<usize> {
        self.moved(message, usize::from(offset))
    }
}

/// Where the part of a name is that begins at an octet of it, which is one of its labels; the name may be compressed.
fn locate(message: &[u8], mut at: usize, mut octet: usize) -> Option<usize> {
    if at == HEADER {
        return Some(at + octet); // the question
    }
    loop {
        match *message.get(at)? {
            high @ 0xc0.. => {
                let to = usize::from(u16::from_be_bytes([high & 0x3f, *message.get(at + 1)?]));
                at = Some(to).filter(|&to| to < at)?;
            }
            _ if octet == 0 => return Some(at),
            length => {
                let label = 1 + usize::from(length);
                octet = octet.checked_sub(label)?;
                at += label;
            }
        }
    }
}

fn pointer(to: usize) -> Option<[u8; 2]> {
    (to <= POINTER_MAX).then(|| (0xc000 | to as u16).to_be_bytes())
}

impl Reply<'_> {
    /// Appends a set whose owner was encoded with so many octets; with another TTL if one is given. Where it went is
    /// right only if it fitted. None when the set is malformed.
    pub(crate) fn place(
        &mut self,
        section: Section,
        set: &Set<'_>,
        form: Form,
        owner: Owner,
        encoded_for: usize,
        ttl: Option<u32>,
    ) -> Option<Placed> {
        let (octets, signatures) = match form {
            Form::Plain => (set.plain, 0),
            Form::Signed => (set.whole, set.signatures),
        };
        let placed = Placed { start: self.at, owner, encoded_for };
        let as_encoded =
            placed.start == HEADER + encoded_for + 4 && owner.at == HEADER && owner.length == encoded_for;
        if self.records(section, set.count.saturating_add(signatures), octets)
            && !(as_encoded && ttl.is_none())
        {
            self.move_owners(placed, ttl)?;
            for at in set.pointers() {
                let at = placed.start + at;
                let &[high, low] = self.out.get(at..self.at)?.first_chunk::<2>()?;
                let to = placed
                    .moved(&self.out[..self.at], usize::from(u16::from_be_bytes([high & 0x3f, low])))?;
                self.out[at..at + 2].copy_from_slice(&pointer(to)?);
            }
        }
        Some(placed)
    }

    /// Appends the signatures of a set alone.
    pub(crate) fn place_signatures(
        &mut self,
        section: Section,
        set: &Set<'_>,
        owner: Owner,
        encoded_for: usize,
    ) -> Option<()> {
        let placed = Placed { start: self.at, owner, encoded_for };
        if self.records(section, set.signatures, set.whole.get(set.plain.len()..)?) {
            self.move_owners(placed, None)?;
        }
        Some(())
    }

    /// Lets the owners of the last records lead to their owner.
    fn move_owners(&mut self, placed: Placed, ttl: Option<u32>) -> Option<()> {
        let owner = pointer(placed.of_owner(self.message(), 0)?)?;
        let mut at = placed.start;
        while at < self.at {
            let fixed = self.out.get_mut(at..self.at)?.first_chunk_mut::<FIXED>()?;
            fixed[..2].copy_from_slice(&owner);
            if let Some(ttl) = ttl {
                fixed[6..10].copy_from_slice(&ttl.to_be_bytes());
            }
            at += FIXED + usize::from(u16::from_be_bytes([fixed[10], fixed[11]]));
        }
        Some(())
    }

    /// Appends a set without names in its data, whose owner is not in the reply yet: `relative` is its part below the
    /// apex, which the name in the question has `apex` octets of. None when the set is malformed.
    pub(crate) fn place_with_name(
        &mut self,
        section: Section,
        set: &Set<'_>,
        relative: &[u8],
        question: &Name,
        apex: usize,
    ) -> Option<()> {
        let first = self.at;
        let mut rest = set.whole;
        while !rest.is_empty() {
            let &[.., l0, l1] = rest.first_chunk::<FIXED>()?;
            let (record, after) = rest.split_at_checked(FIXED + usize::from(u16::from_be_bytes([l0, l1])))?;
            match pointer(first).filter(|_| self.at > first) {
                Some(first) => self.put(&first),
                None => self.put_name(relative, question, apex),
            };
            self.put(&record[2..]);
            rest = after;
        }
        if !self.overflowed {
            self.count(section, set.count.saturating_add(set.signatures));
        }
        Some(())
    }

    /// Appends a name, of which as much as possible is that of the question.
    fn put_name(&mut self, relative: &[u8], question: &Name, apex: usize) -> bool {
        let asked = question.lower();
        let asked = &asked[..asked.len().saturating_sub(apex)];
        let mut own = 0;
        let mut ends = labels(relative).map(|label| 1 + label.len());
        let shared = loop {
            let suffix = &relative[own..];
            let at = asked.len().checked_sub(suffix.len());
            if let Some(at) = at.filter(|&at| asked[at..] == *suffix && question.begins_at(at)) {
                break at;
            }
            match ends.next() {
                Some(label) => own += label,
                None => break asked.len(),
            }
        };
        // The root is shorter than a pointer to it.
        let ending = match pointer(HEADER + shared) {
            Some(pointer) if shared < question.length() - 1 => pointer,
            _ => return self.put(&relative[..own]) && self.put(&[0]),
        };
        self.put(&relative[..own]) && self.put(&ending)
    }
}

//! A hash table from names to indices that has no order, no pointers and no secret: the same names give the same
//! table, on every run and every machine.
//!
//! A peer cannot make it slow: it only asks, and how far a search goes is decided by the names that the operator put
//! in, of which at most half the slots are full.

use std::num::NonZeroU32;

/// The hash of a name, taken label by label from the root, so that one walk gives the hash of every ancestor too.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct NameHash(u64);

/// An odd constant without structure: 2^64 divided by the golden ratio.
const MIX: u64 = 0x9e37_79b9_7f4a_7c15;

impl NameHash {
    pub(crate) const ROOT: NameHash = NameHash(MIX);

    /// The hash of the name that has `label`, in lower case, in front of this one.
    pub(crate) fn below(self, label: &[u8]) -> NameHash {
        let mut hash = self.0 ^ label.len() as u64;
        for chunk in label.chunks(8) {
            let mut word = [0; 8];
            word[..chunk.len()].copy_from_slice(chunk);
            // Both halves of the product, so that every octet reaches the low bits, which choose the slot.
            let product = u128::from(hash ^ u64::from_le_bytes(word)) * u128::from(MIX);
            hash = product as u64 ^ (product >> 64) as u64;
        }
        NameHash(hash)
    }

    /// The hash of a name in lower case, given in wire form.
    pub(crate) fn of(lower: &[u8]) -> NameHash {
        let Some((&length @ 1.., after)) = lower.split_first() else { return NameHash::ROOT };
        let Some((label, parent)) = after.split_at_checked(usize::from(length)) else {
            return NameHash::ROOT;
        };
        NameHash::of(parent).below(label)
    }
}

/// Where the things that were numbered in order are.
#[derive(Debug, Default)]
pub(crate) struct Table {
    /// A power of two of them, or none.
    slots: Vec<Option<Slot>>,
}

#[derive(Clone, Copy, Debug)]
struct Slot {
    /// The half of the hash that did not choose the slot: tells most strangers apart without a look at the name.
    tag: u32,
    /// The index and one, so that an empty slot takes no more room.
    number: NonZeroU32,
}

impl Table {
    /// A table in which the thing with the n-th hash has index n. None when there are more than 2^31.
    pub(crate) fn of(hashes: &[NameHash]) -> Option<Table> {
        let count = u32::try_from(hashes.len()).ok().filter(|&count| count <= 1 << 31)?;
        let numbers = (1..=count).filter_map(NonZeroU32::new);
        let mut table = Table { slots: vec![None; (hashes.len() * 2).next_power_of_two()] };
        for (number, &hash) in numbers.zip(hashes) {
            let mut at = table.start(hash);
            while table.slots[at].is_some() {
                at = table.after(at);
            }
            table.slots[at] = Some(Slot { tag: tag(hash), number });
        }
        Some(table)
    }

    fn mask(&self) -> usize {
        self.slots.len().saturating_sub(1)
    }

    fn start(&self, hash: NameHash) -> usize {
        hash.0 as usize & self.mask()
    }

    fn after(&self, at: usize) -> usize {
        (at + 1) & self.mask()
    }

    /// The index with this hash that `is_it` accepts.
    pub(crate) fn find(&self, hash: NameHash, is_it: impl Fn(usize) -> bool) -> Option<usize> {
        let mut at = self.start(hash);
        while let Some(slot) = self.slots.get(at)?.as_ref() {
            let index = slot.number.get() as usize - 1;
            if slot.tag == tag(hash) && is_it(index) {
                return Some(index);
            }
            at = self.after(at);
        }
        None
    }
}

fn tag(hash: NameHash) -> u32 {
    (hash.0 >> 32) as u32
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeSet;
    use terms::DomainName;

    #[test]
    fn a_hash_depends_on_where_labels_end() {
        let hash = |text: &str| NameHash::of(text.parse::<DomainName>().unwrap().as_wire());
        assert_ne!(hash("ab.c."), hash("a.bc."));
        assert_ne!(hash("a.b."), hash("b.a."));
        assert_eq!(hash("."), NameHash::ROOT);
        assert_eq!(hash("a.b."), NameHash::ROOT.below(b"b").below(b"a"));
    }

    #[test]
    fn an_empty_table_has_nothing_and_a_slot_is_small() {
        assert_eq!(Table::default().find(NameHash::ROOT, |_| true), None);
        assert_eq!(Table::of(&[]).unwrap().find(NameHash::ROOT, |_| true), None);
        assert_eq!(size_of::<Option<Slot>>(), 8);
    }

    #[test]
    fn hashes_of_like_names_are_spread() {
        let names: Vec<NameHash> = (0..100_000)
            .map(|n| NameHash::ROOT.below(b"example").below(format!("host{n}").as_bytes()))
            .collect();
        let slots: BTreeSet<u64> = names.iter().map(|hash| hash.0 & 0x3ffff).collect();
        // 100,000 random values fall into 83,000 of 262,144 slots.
        assert!(slots.len() > 80_000, "{} slots", slots.len());
    }

    proptest! {
        #[test]
        fn what_was_put_in_is_found_and_nothing_else(
            names in prop::collection::btree_set("[a-z]{1,3}", 0..200), asked in "[a-z]{1,3}"
        ) {
            let names: Vec<String> = names.into_iter().collect();
            let hash = |name: &str| NameHash::ROOT.below(name.as_bytes());
            let hashes: Vec<NameHash> = names.iter().map(|name| hash(name)).collect();
            let table = Table::of(&hashes).unwrap();
            for (index, name) in names.iter().enumerate() {
                prop_assert_eq!(table.find(hash(name), |found| &names[found] == name), Some(index));
            }
            let found = table.find(hash(&asked), |found| names[found] == asked);
            prop_assert_eq!(found, names.iter().position(|name| *name == asked));
        }
    }
}

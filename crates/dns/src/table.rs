//! A hash table from names to numbers that has no order, no pointers and no secret: the same names give the same
//! octets, on every run and every machine.
//!
//! A peer cannot make it slow: it only asks, and how far a search goes is decided by the names that the operator put
//! in.

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

/// Octets of a slot: the half of the hash that did not choose it, which tells most strangers apart without a look at
/// the name, and the number, which is 0 in an empty slot.
const SLOT: usize = 8;

/// Where the things that have numbers are: slots, one after the other, as they lie in an image.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Table<'t>(&'t [u8]);

impl<'t> Table<'t> {
    /// A table that was [written](Table::of) before.
    pub(crate) fn new(octets: &'t [u8]) -> Self {
        Table(octets)
    }

    /// The octets of a table for things with these hashes and numbers. Three of four slots are taken at most.
    pub(crate) fn of(entries: &[(NameHash, NonZeroU32)]) -> Vec<u8> {
        let mut octets = vec![0; (entries.len() + entries.len() / 3 + 1) * SLOT];
        for &(hash, number) in entries {
            let mut at = Table(&octets).start(hash);
            while octets[at + 4..at + SLOT] != [0; 4] {
                at = if at + SLOT == octets.len() { 0 } else { at + SLOT };
            }
            octets[at..at + 4].copy_from_slice(&tag(hash).to_le_bytes());
            octets[at + 4..at + SLOT].copy_from_slice(&number.get().to_le_bytes());
        }
        octets
    }

    /// Where the search for a hash begins.
    fn start(self, hash: NameHash) -> usize {
        let slots = (self.0.len() / SLOT) as u64;
        // The upper half of the hash as a fraction of all slots.
        (((hash.0 >> 32) * slots) >> 32) as usize * SLOT
    }

    /// An octet of the slot where the search for a hash begins; 0 in an empty table.
    pub(crate) fn glance(self, hash: NameHash) -> u8 {
        self.0.get(self.start(hash)).copied().unwrap_or_default()
    }

    /// The number with this hash that `is_it` accepts. Ends on any octets: no slot is seen twice.
    pub(crate) fn find(self, hash: NameHash, is_it: impl Fn(u32) -> bool) -> Option<u32> {
        let (before, after) = self.0.split_at_checked(self.start(hash))?;
        for slot in after.chunks_exact(SLOT).chain(before.chunks_exact(SLOT)) {
            let &[t0, t1, t2, t3, n0, n1, n2, n3] = slot else { return None };
            let number = u32::from_le_bytes([n0, n1, n2, n3]);
            if number == 0 {
                return None;
            }
            if u32::from_le_bytes([t0, t1, t2, t3]) == tag(hash) && is_it(number) {
                return Some(number);
            }
        }
        None
    }
}

fn tag(hash: NameHash) -> u32 {
    hash.0 as u32
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

    fn of(hashes: impl IntoIterator<Item = NameHash>) -> Vec<u8> {
        let entries: Vec<_> = hashes.into_iter().zip((1..).filter_map(NonZeroU32::new)).collect();
        Table::of(&entries)
    }

    #[test]
    fn an_empty_table_has_nothing() {
        assert_eq!(Table::new(&[]).find(NameHash::ROOT, |_| true), None);
        assert_eq!(Table::new(&of([])).find(NameHash::ROOT, |_| true), None);
    }

    #[test]
    fn hashes_of_like_names_are_spread() {
        let names: Vec<NameHash> = (0..100_000)
            .map(|n| NameHash::ROOT.below(b"example").below(format!("host{n}").as_bytes()))
            .collect();
        let starts: BTreeSet<u64> = names.iter().map(|hash| hash.0 >> 46).collect();
        // 100,000 random values fall into 83,000 of 262,144 slots.
        assert!(starts.len() > 80_000, "{} slots", starts.len());
    }

    proptest! {
        #[test]
        fn what_was_put_in_is_found_and_nothing_else(
            names in prop::collection::btree_set("[a-z]{1,3}", 0..200), asked in "[a-z]{1,3}"
        ) {
            let names: Vec<String> = names.into_iter().collect();
            let hash = |name: &str| NameHash::ROOT.below(name.as_bytes());
            let octets = of(names.iter().map(|name| hash(name)));
            let find = |asked: &str| {
                Table::new(&octets).find(hash(asked), |found| names[found as usize - 1] == asked)
            };
            for (index, name) in names.iter().enumerate() {
                prop_assert_eq!(find(name), Some(index as u32 + 1));
            }
            let there = names.iter().position(|name| *name == asked);
            prop_assert_eq!(find(&asked), there.map(|index| index as u32 + 1));
        }

        #[test]
        fn a_search_in_any_octets_ends(octets in prop::collection::vec(any::<u8>(), 0..100), name in "[a-z]{1,3}") {
            Table::new(&octets).find(NameHash::ROOT.below(name.as_bytes()), |_| false);
        }
    }
}

//! The canonical order of names (RFC 4034 section 6.1) as an order of octets.
//!
//! The key of a name has its labels from the root on, in lower case, each closed by a zero:
//!
//! ```text
//!  www.example.   -->   e x a m p l e 0 w w w 0
//! ```
//! So keys compare as octets do, the key of an ancestor is how the key of a descendant begins, and a key says the
//! name again. An octet 0 of a label is written 1 1, and an octet 1 is written 1 2, which keeps the order.

use crate::name::labels;
use terms::DomainName;

/// Octets of the longest key: each octet of a name may need two.
const LONGEST: usize = 2 * DomainName::MAX_OCTETS;

/// The key of a name, or of the part of a name below a zone's apex.
#[derive(Clone)]
pub(crate) struct SortKey {
    octets: [u8; LONGEST],
    length: usize,
}

impl SortKey {
    /// The key of the root; of the apex, where keys begin below it.
    pub(crate) const EMPTY: SortKey = SortKey { octets: [0; LONGEST], length: 0 };

    /// The key of a name in wire form, with or without its closing zero.
    pub(crate) fn of(wire: &[u8]) -> SortKey {
        let (mut starts, mut count, mut at) = ([0u8; 128], 0, 0u8);
        for label in labels(wire).take(starts.len()) {
            starts[count] = at;
            count += 1;
            at = at.wrapping_add(1 + label.len() as u8); // a name has at most 255 octets
        }
        let mut key = SortKey::EMPTY;
        for &start in starts[..count].iter().rev() {
            let start = usize::from(start);
            key.push(&wire[start + 1..start + 1 + usize::from(wire[start])]);
        }
        key
    }

    /// Goes one label down. What does not fit belongs to no name and is left out.
    pub(crate) fn push(&mut self, label: &[u8]) {
        for &octet in label {
            match octet.to_ascii_lowercase() {
                escaped @ 0..=1 => {
                    self.put(1);
                    self.put(escaped + 1);
                }
                plain => self.put(plain),
            }
        }
        self.put(0);
    }

    fn put(&mut self, octet: u8) {
        if let Some(slot) = self.octets.get_mut(self.length) {
            *slot = octet;
            self.length += 1;
        }
    }

    pub(crate) fn as_slice(&self) -> &[u8] {
        &self.octets[..self.length]
    }
}

/// The name of a key in wire form and lower case, without its closing zero.
pub(crate) fn wire_of(key: &[u8]) -> Vec<u8> {
    let mut wire = Vec::with_capacity(key.len());
    append_wire(key, &mut wire);
    wire
}

/// Like [`wire_of`], for whoever has a place for it.
pub(crate) fn append_wire(key: &[u8], wire: &mut Vec<u8>) {
    for label in key.split(|&octet| octet == 0).rev().skip(1) {
        let start = wire.len();
        wire.push(0);
        let mut octets = label.iter();
        while let Some(&octet) = octets.next() {
            wire.push(if octet == 1 { octets.next().map_or(1, |&octet| octet - 1) } else { octet });
        }
        wire[start] = (wire.len() - start - 1) as u8; // a label has at most 63 octets
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn name() -> impl Strategy<Value = DomainName> {
        let octet = prop_oneof![Just(0u8), Just(1), Just(2), Just(b'a'), Just(b'B'), any::<u8>()];
        prop::collection::vec(prop::collection::vec(octet, 1..4), 0..5).prop_map(|labels| {
            let mut wire: Vec<u8> =
                labels.iter().flat_map(|label| [vec![label.len() as u8], label.clone()].concat()).collect();
            wire.push(0);
            DomainName::from_wire(&wire).unwrap()
        })
    }

    proptest! {
        #[test]
        fn keys_are_ordered_as_names_are(a in name(), b in name()) {
            let (of_a, of_b) = (SortKey::of(a.as_wire()), SortKey::of(b.as_wire()));
            prop_assert_eq!(of_a.as_slice().cmp(of_b.as_slice()), a.cmp(&b));
            prop_assert_eq!(of_b.as_slice().starts_with(of_a.as_slice()), b.is_within(&a));
        }

        #[test]
        fn a_key_says_its_name(name in name()) {
            let key = SortKey::of(name.as_wire());
            let again = [wire_of(key.as_slice()), vec![0]].concat();
            prop_assert_eq!(&again, &name.as_wire().to_ascii_lowercase());
        }
    }

    #[test]
    fn the_longest_name_has_a_key() {
        let wire = [
            vec![63],
            vec![1; 63],
            vec![63],
            vec![0; 63],
            vec![63],
            vec![1; 63],
            vec![61],
            vec![0; 61],
            vec![0],
        ]
        .concat();
        let key = SortKey::of(&wire);
        assert_eq!([wire_of(key.as_slice()), vec![0]].concat(), wire);
    }
}

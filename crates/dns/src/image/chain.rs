//! The chain of NSEC or NSEC3 records in canonical order: which record proves that a name does not exist.
//!
//! ```text
//!  entry: | place of the node: 4 | where its key begins: 4 |      one entry more, without a node, ends the last key
//! ```

use super::Zone;
use super::node::Node;
use ring::digest::{Context, SHA1_FOR_LEGACY_USE_ONLY, SHA1_OUTPUT_LEN};

/// Octets of an entry.
pub(super) const ENTRY: usize = 8;
/// Octets of a hash.
pub(crate) const HASH: usize = SHA1_OUTPUT_LEN;
/// Characters of a hash in base 32 (RFC 5155 section 3.3).
pub(crate) const HASH_TEXT: usize = HASH * 8 / 5;

/// How a zone proves what does not exist.
#[derive(Debug)]
pub(crate) enum Denial {
    /// Not at all: it is not signed.
    None,
    /// By names (RFC 4034 section 4).
    Nsec,
    /// By hashes of names (RFC 5155).
    Nsec3 {
        /// How often a name is hashed again.
        iterations: u16,
        salt: Box<[u8]>,
    },
}

/// Where a key is in the chain.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum InChain {
    /// The record at this index has that name.
    Match(u32),
    /// The record at this index spans it.
    Cover(u32),
}

impl Zone {
    pub(crate) fn denial(&self) -> &Denial {
        &self.denial
    }

    /// Looks a key up, which begins below the apex. None when the chain is empty or damaged.
    pub(crate) fn in_chain(&self, key: &[u8]) -> Option<InChain> {
        let count = (self.chain.len() / ENTRY).checked_sub(1)?;
        let (mut low, mut high) = (0, count);
        while low < high {
            let middle = low + (high - low) / 2;
            match self.chain_key(middle)?.cmp(key) {
                std::cmp::Ordering::Equal => return Some(InChain::Match(middle as u32)),
                std::cmp::Ordering::Less => low = middle + 1,
                std::cmp::Ordering::Greater => high = middle,
            }
        }
        // Before the first is after the last: the chain is a ring.
        let before = low.checked_sub(1).or(count.checked_sub(1))?;
        Some(InChain::Cover(before as u32))
    }

    /// The node of a record of the chain.
    pub(crate) fn in_chain_at(&self, index: u32) -> Option<Node<'_>> {
        self.node(self.chain_entry(index as usize)?.0)
    }

    fn chain_entry(&self, index: usize) -> Option<(u32, u32)> {
        let entry = self.image().get(self.chain.clone())?.get(index * ENTRY..)?.first_chunk::<ENTRY>()?;
        let &[n0, n1, n2, n3, k0, k1, k2, k3] = entry;
        Some((u32::from_le_bytes([n0, n1, n2, n3]), u32::from_le_bytes([k0, k1, k2, k3])))
    }

    fn chain_key(&self, index: usize) -> Option<&[u8]> {
        let ((_, start), (_, end)) = (self.chain_entry(index)?, self.chain_entry(index + 1)?);
        self.image().get(self.keys.clone())?.get(start as usize..end as usize)
    }
}

/// The hash of a name in wire form and lower case, given in parts, as the key of the NSEC3 record that has it (RFC
/// 5155 section 5, RFC 4648 section 7).
pub(crate) fn hashed(name: [&[u8]; 2], iterations: u16, salt: &[u8]) -> [u8; HASH_TEXT + 1] {
    let digest = |parts: [&[u8]; 3]| {
        let mut context = Context::new(&SHA1_FOR_LEGACY_USE_ONLY);
        parts.iter().for_each(|part| context.update(part));
        context.finish()
    };
    let mut hash = digest([name[0], name[1], salt]);
    for _ in 0..iterations {
        hash = digest([hash.as_ref(), salt, &[]]);
    }
    as_key(hash.as_ref())
}

/// A hash of SHA-1 as the key of the NSEC3 record that has it.
pub(crate) fn as_key(hash: &[u8]) -> [u8; HASH_TEXT + 1] {
    let mut text = [0; HASH_TEXT + 1];
    for (octets, characters) in hash.chunks_exact(5).zip(text.chunks_exact_mut(8)) {
        let bits = octets.iter().fold(0u64, |bits, &octet| bits << 8 | u64::from(octet));
        for (index, character) in characters.iter_mut().enumerate() {
            *character = b"0123456789abcdefghijklmnopqrstuv"[(bits >> (35 - 5 * index) & 31) as usize];
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hashes_of_rfc_5155_appendix_a() {
        let hash = |name: &str| {
            let name: terms::DomainName = name.parse().unwrap();
            let key = hashed([name.as_wire(), &[]], 12, &[0xaa, 0xbb, 0xcc, 0xdd]);
            assert_eq!(key.last(), Some(&0));
            String::from_utf8(key[..HASH_TEXT].to_vec()).unwrap()
        };
        assert_eq!(hash("example."), "0p9mhaveqvm6t7vbl5lop2u3t2rp3tom");
        assert_eq!(hash("a.example."), "35mthgpgcu1qg68fab165klnsnk3dpvl");
        assert_eq!(hash("*.w.example."), "r53bq7cc2uvmubfu5ocmm6pers9tk9en");
    }
}

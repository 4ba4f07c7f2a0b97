//! The chain of NSEC or NSEC3 records in canonical order: which record proves that a name does not exist.
//!
//! ```text
//!  entry: | place of the node: 4 | where its key begins: 4 |      one entry more, without a node, ends the last key
//! ```

use super::node::Node;
use super::{Image, Zone};
use ring::digest::{Context, SHA1_FOR_LEGACY_USE_ONLY, SHA1_OUTPUT_LEN};
use std::cmp::Ordering;

/// Octets of an entry.
pub(super) const ENTRY: usize = 8;
/// Octets of a hash.
pub(crate) const HASH: usize = SHA1_OUTPUT_LEN;
/// Characters of a hash in base 32 (RFC 5155 section 3.3).
pub(crate) const HASH_TEXT: usize = HASH * 8 / 5;

/// How a zone proves what does not exist.
#[derive(Clone, Debug, PartialEq, Eq)]
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

impl Image {
    /// Looks a key up, which begins below the apex: its index, or that of the first one behind it. None when the chain
    /// is damaged.
    pub(super) fn search(&self, key: &[u8]) -> Option<Result<u32, u32>> {
        let links = self.chain()?;
        let (mut low, mut high) = (0, self.links());
        while low < high {
            let middle = low + (high - low) / 2;
            match links.key(middle)?.cmp(key) {
                Ordering::Equal => return Some(Ok(middle)),
                Ordering::Less => low = middle + 1,
                Ordering::Greater => high = middle,
            }
        }
        Some(Err(low))
    }

    fn chain(&self) -> Option<Links<'_>> {
        let (entries, keys) = (self.octets().get(self.chain.clone())?, self.octets().get(self.keys.clone())?);
        Some(Links { entries, keys })
    }

    /// How many records the chain has.
    pub(super) fn links(&self) -> u32 {
        (self.chain.len() / ENTRY).saturating_sub(1) as u32 // an image has less than 2^32 places
    }

    /// The index of the record with a key.
    pub(crate) fn link(&self, key: &[u8]) -> Option<u32> {
        self.search(key)?.ok()
    }

    /// The place of a record of the chain.
    pub(crate) fn chain_place(&self, index: u32) -> Option<u32> {
        Some(self.chain()?.entry(index)?.0)
    }

    pub(super) fn chain_key(&self, index: u32) -> Option<&[u8]> {
        self.chain()?.key(index)
    }
}

/// The octets of a chain.
#[derive(Clone, Copy)]
struct Links<'i> {
    entries: &'i [u8],
    keys: &'i [u8],
}

impl<'i> Links<'i> {
    /// The place of a record's node, and where its key begins.
    fn entry(self, index: u32) -> Option<(u32, u32)> {
        let &[n0, n1, n2, n3, k0, k1, k2, k3] = self.entries.get(index as usize * ENTRY..)?.first_chunk()?;
        Some((u32::from_le_bytes([n0, n1, n2, n3]), u32::from_le_bytes([k0, k1, k2, k3])))
    }

    fn key(self, index: u32) -> Option<&'i [u8]> {
        let ((_, start), (_, end)) = (self.entry(index)?, self.entry(index + 1)?);
        self.keys.get(start as usize..end as usize)
    }
}

impl Zone {
    pub(crate) fn denial(&self) -> &Denial {
        &self.denial
    }

    /// Looks a key up, which begins below the apex. None when the chain is empty or damaged.
    pub(crate) fn in_chain(&self, key: &[u8]) -> Option<InChain> {
        match (&self.layer, self.base.search(key)?) {
            (Some(layer), found) => layer.in_chain(&self.base, found, key),
            (None, Ok(index)) => Some(InChain::Match(index)),
            // Before the first is after the last: the chain is a ring.
            (None, Err(behind)) => {
                behind.checked_sub(1).or(self.base.links().checked_sub(1)).map(InChain::Cover)
            }
        }
    }

    /// The node of a record of the chain.
    pub(crate) fn in_chain_at(&self, index: u32) -> Option<Node<'_>> {
        match (&self.layer, index.checked_sub(self.base.links())) {
            (Some(layer), Some(of_layer)) => layer.in_chain_at(of_layer),
            (None | Some(_), _) => self.node(self.base.chain_place(index)?),
        }
    }

    /// The index of the NSEC3 record that matches a node, whose name is given in parts in wire form; none when none
    /// does.
    pub(crate) fn proof(&self, node: Node<'_>, name: [&[u8]; 2]) -> Option<u32> {
        let index = node.proof.checked_sub(1);
        let (Some(layer), Denial::Nsec3 { iterations, salt }) = (&self.layer, &self.denial) else {
            return index;
        };
        if let Some(index) = index.filter(|&index| !layer.has_lost(index)) {
            return Some(index);
        }
        match self.in_chain(&hashed(name, *iterations, salt))? {
            InChain::Match(index) => Some(index),
            InChain::Cover(_) => None,
        }
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

//! Lays an image out, node by node, in canonical order.

use super::chain::Denial;
use super::node::{GONE, Node, WILDCARD};
use super::{CHECKED, HEAD, Image, MAGIC, UNIT, VERSION};
use crate::table::{NameHash, Table};
use std::borrow::Cow;
use std::num::NonZeroU32;
use terms::{DomainName, RecordType};

/// Sets of one node, encoded.
#[derive(Default)]
pub(crate) struct Bodies<'r> {
    pub(crate) heads: Vec<SetHead>,
    pub(crate) octets: Vec<u8>,
    /// Where in `octets` the place of a node is to stand, and the name of that node.
    pub(crate) targets: Vec<(usize, Cow<'r, [u8]>)>,
}

impl Bodies<'_> {
    pub(crate) fn clear(&mut self) {
        self.heads.clear();
        self.octets.clear();
        self.targets.clear();
    }
}

/// What stands before the bodies about each of them.
#[derive(Clone, Copy)]
pub(crate) struct SetHead {
    pub(crate) kind: RecordType,
    pub(crate) count: u16,
    pub(crate) signatures: u16,
    pub(crate) plain: u16,
    pub(crate) whole: u16,
    pub(crate) pointers: u16,
    pub(crate) targets: u16,
}

/// A node but for its sets.
pub(crate) struct NewNode<'r> {
    pub(crate) flags: u8,
    pub(crate) above: u32,
    pub(crate) proof: u32,
    /// In wire form and lower case, without the apex.
    pub(crate) name: &'r [u8],
}

/// An image under way.
pub(crate) struct Writer<'b> {
    image: Vec<u8>,
    /// What it is to lie over; its places go on where those end.
    base: Option<&'b Image>,
    first: u32,
    apex: DomainName,
    names: Vec<(NameHash, NonZeroU32)>,
    with_records: u32,
    /// Where the place of a node is to stand, and the node's name in `target_names`.
    targets: Vec<(usize, NameHash, usize, u8)>,
    target_names: Vec<u8>,
    chain: Vec<(u32, u32)>,
    keys: Vec<u8>,
}

/// The image would be larger than places can tell.
#[derive(Debug)]
pub(crate) struct TooLarge;

impl<'b> Writer<'b> {
    /// Begins an image, or one that is to lie over another.
    pub(crate) fn new(
        apex: DomainName,
        serial: u32,
        denial: &Denial,
        base: Option<&'b Image>,
    ) -> Result<Self, TooLarge> {
        let (kind, salt, iterations) = match denial {
            Denial::None => (0, &[][..], 0),
            Denial::Nsec => (1, &[][..], 0),
            Denial::Nsec3 { iterations, salt } => (2, &salt[..], *iterations),
        };
        let mut image = vec![0; HEAD];
        image[..8].copy_from_slice(&MAGIC);
        image[8..12].copy_from_slice(&VERSION.to_le_bytes());
        image[24..28].copy_from_slice(&serial.to_le_bytes());
        // Salt and apex have at most 255 octets each.
        (image[56], image[57], image[60]) = (kind, salt.len() as u8, apex.as_wire().len() as u8);
        image[58..60].copy_from_slice(&u16::to_le_bytes(iterations));
        image.extend_from_slice(apex.as_wire());
        image.extend_from_slice(salt);
        let first = base.map_or(Some(0), Image::end).ok_or(TooLarge)?;
        Ok(Writer {
            image,
            base,
            first,
            apex,
            names: Vec::new(),
            with_records: 0,
            targets: Vec::new(),
            target_names: Vec::new(),
            chain: Vec::new(),
            keys: Vec::new(),
        })
    }

    /// Adds a node that is found by its name.
    pub(crate) fn named(
        &mut self,
        hash: NameHash,
        node: &NewNode<'_>,
        sets: &Bodies<'_>,
    ) -> Result<u32, TooLarge> {
        let place = self.node(node, sets)?;
        self.names.push((hash, NonZeroU32::new(place).ok_or(TooLarge)?));
        self.with_records += u32::from(!sets.heads.is_empty());
        Ok(place)
    }

    /// Adds a node that only the chain leads to, or another.
    pub(crate) fn node(&mut self, node: &NewNode<'_>, sets: &Bodies<'_>) -> Result<u32, TooLarge> {
        let place = self.place()?;
        let count = sets.heads.len() as u16; // there are 65,536 types, and a name has less
        self.image.extend_from_slice(&[node.flags, node.name.len() as u8]);
        self.image.extend_from_slice(&count.to_le_bytes());
        self.image.extend_from_slice(&node.above.to_le_bytes());
        self.image.extend_from_slice(&node.proof.to_le_bytes());
        self.image.extend_from_slice(node.name);
        for head in &sets.heads {
            let SetHead { kind, count, signatures, plain, whole, pointers, targets } = *head;
            for number in [kind.get(), count, signatures, plain, whole, pointers, targets] {
                self.image.extend_from_slice(&number.to_le_bytes());
            }
        }
        let start = self.image.len();
        self.image.extend_from_slice(&sets.octets);
        for (at, name) in &sets.targets {
            let lower = name.to_ascii_lowercase();
            self.targets.push((start + at, NameHash::of(&lower), self.target_names.len(), lower.len() as u8));
            self.target_names.extend_from_slice(&lower);
        }
        Ok(place)
    }

    /// Marks a node as the parent of a wildcard.
    pub(crate) fn mark_wildcard(&mut self, place: u32) {
        let at = place.saturating_sub(self.first) as usize * UNIT;
        if let Some(flags) = self.image.get_mut(at) {
            *flags |= WILDCARD;
        }
    }

    /// Adds a node to the chain; in canonical order.
    pub(crate) fn link(&mut self, place: u32, key: &[u8]) {
        self.chain.push((place, self.keys.len() as u32));
        self.keys.extend_from_slice(key);
    }

    /// Where the next thing will be.
    fn place(&mut self) -> Result<u32, TooLarge> {
        self.image.resize(self.image.len().next_multiple_of(UNIT), 0);
        let own = u32::try_from(self.image.len() / UNIT).map_err(|_| TooLarge)?;
        own.checked_add(self.first).ok_or(TooLarge)
    }

    /// Closes the image.
    pub(crate) fn finish(mut self, apex_node: u32) -> Result<Vec<u8>, TooLarge> {
        let table_at = self.place()?;
        let table = Table::of(&self.names);
        self.image.extend_from_slice(&table);
        self.resolve_targets(&table);
        let chain_at = self.place()?;
        if !self.chain.is_empty() {
            self.chain.push((0, self.keys.len() as u32));
        }
        for &(place, key) in &self.chain {
            self.image.extend_from_slice(&place.to_le_bytes());
            self.image.extend_from_slice(&key.to_le_bytes());
        }
        let keys_at = self.place()?;
        self.image.extend_from_slice(&self.keys);
        let numbers = [
            (28, self.with_records),
            (32, apex_node),
            (36, table_at),
            (40, (table.len() / 8) as u32),
            (44, chain_at),
            (48, self.chain.len() as u32),
            (52, keys_at),
        ];
        numbers.into_iter().for_each(|(at, number)| self.put(at, &number.to_le_bytes()));
        let length = self.image.len() as u64;
        self.put(16, &length.to_le_bytes());
        let checksum = crc32fast::hash(&self.image[CHECKED..]);
        self.put(12, &checksum.to_le_bytes());
        self.image.shrink_to_fit();
        Ok(self.image)
    }

    fn put(&mut self, at: usize, octets: &[u8]) {
        self.image[at..at + octets.len()].copy_from_slice(octets);
    }

    /// Writes where each target is; 0 for one that is not in the zone.
    fn resolve_targets(&mut self, table: &[u8]) {
        let beyond = self.apex.as_wire().len();
        for index in 0..self.targets.len() {
            let (at, hash, start, length) = self.targets[index];
            let name = &self.target_names[start..start + usize::from(length)];
            let relative = &name[..name.len().saturating_sub(beyond)];
            let own = |place: u32| Node::at(&self.image, place.checked_sub(self.first)?);
            let is_it = |place| own(place).is_some_and(|node| node.name == relative);
            let place = match Table::new(table).find(hash, is_it) {
                Some(place) if own(place).is_some_and(|node| node.is(GONE)) => 0,
                Some(place) => place,
                None => self.base.and_then(|base| base.find(hash, relative)).map_or(0, |node| node.place),
            };
            self.put(at, &place.to_le_bytes());
        }
    }
}

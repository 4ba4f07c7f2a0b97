//! The records of an image, as they were put in: for whoever hands the zone on.

use super::Zone;
use super::node::Node;
use super::walk::Walk;
use crate::name::written_out;
use crate::query::HEADER;
use crate::zone::compressed_names;
use std::ops::Deref;
use terms::{DomainName, Record, RecordType};

/// Class and TTL of a record, and the length of its data, behind its type.
const FIXED: usize = 10;

impl Zone {
    /// The zone's SOA record. None when the image is damaged.
    pub fn authority(&self) -> Option<Record> {
        let mut records = records_of(self.apex_node()?, self.apex()).into_iter();
        records.find(|record| record.kind == RecordType::SOA)
    }
}

/// Every record of a zone but SOA, with owners in lower case: those that are found by name in canonical order, then
/// NSEC3. Of a damaged image, those before the damage.
#[derive(Debug)]
pub struct ZoneRecords<Z> {
    zone: Z,
    walk: Walk,
    /// Of the last node, those that were not given yet.
    rest: std::vec::IntoIter<Record>,
}

impl<Z: Deref<Target = Zone>> ZoneRecords<Z> {
    /// The records of a zone, which is borrowed, or shared for as long as it takes.
    pub fn of(zone: Z) -> Self {
        let walk = Walk::of(&zone);
        ZoneRecords { zone, walk, rest: Vec::new().into_iter() }
    }
}

impl<Z: Deref<Target = Zone>> Iterator for ZoneRecords<Z> {
    type Item = Record;

    fn next(&mut self) -> Option<Record> {
        loop {
            match self.rest.find(|record| record.kind != RecordType::SOA) {
                Some(record) => return Some(record),
                None => {
                    let node = self.walk.next(&self.zone)?;
                    self.rest = records_of(node, self.zone.apex()).into_iter();
                }
            }
        }
    }
}

/// The records of a node, each set followed by its signatures.
pub(crate) fn records_of(node: Node<'_>, apex: &DomainName) -> Vec<Record> {
    let owner = [node.name, apex.as_wire()].concat();
    let Ok(name) = DomainName::from_wire(&owner) else { return Vec::new() };
    let mut records = Vec::new();
    for set in node.sets() {
        // The octets of a set are those of a reply to a question for its owner.
        let message = [&[0; HEADER], &owner[..], &[0; 4], set.whole].concat();
        let mut at = message.len() - set.whole.len();
        while let Some((record, end)) = record_at(&message, at, &name) {
            records.push(record);
            at = end;
        }
    }
    records
}

/// The record at a place, whose owner is a pointer, and where it ends.
fn record_at(message: &[u8], at: usize, owner: &DomainName) -> Option<(Record, usize)> {
    let &[k0, k1, _, _, t0, t1, t2, t3, l0, l1] = message.get(at + 2..)?.first_chunk::<FIXED>()?;
    let kind = RecordType::new(u16::from_be_bytes([k0, k1]));
    let start = at + 2 + FIXED;
    let end = start + usize::from(u16::from_be_bytes([l0, l1]));
    let compressed = message.get(start..end)?;
    let data = match compressed_names(kind) {
        (_, 0) => compressed.into(),
        (before, names) => {
            let mut data = compressed.get(..before)?.to_vec();
            let mut at = start + before;
            for _ in 0..names {
                let (name, length, after) = written_out(message, at)?;
                data.extend_from_slice(&name[..length]);
                at = after;
            }
            data.extend_from_slice(message.get(at..end)?);
            data.into()
        }
    };
    let ttl = u32::from_be_bytes([t0, t1, t2, t3]);
    Some((Record { owner: owner.clone(), kind, ttl, data }, end))
}

//! The image of a zone: flat vectors and indices, made once, never changed.

use super::encode::{Encoded, encode};
use super::fault::{Fault, Place};
use super::rules::{Content, Names, RecordSet};
use crate::table::{NameHash, Table};
use std::collections::{BTreeMap, BTreeSet};
use terms::{DomainName, RecordType};

/// A zone as it is served. Made by [`parse`](super::parse); it never changes, so threads share it freely.
#[derive(Debug)]
pub struct Zone {
    apex: DomainName,
    serial: u32,
    /// Which node has a name.
    table: Table,
    nodes: Vec<Node>,
    /// Of all nodes; those of one node follow each other in the order of their types.
    sets: Vec<Set>,
    /// Names in lower case and encoded sets.
    octets: Vec<u8>,
    negative: Shifted,
}

/// A name that exists, perhaps only because there is one below it (RFC 4592 section 2.2.2).
#[derive(Debug)]
struct Node {
    name: Span,
    /// Its sets are `sets[first_set..last_set]`.
    first_set: usize,
    last_set: usize,
}

#[derive(Debug)]
struct Set {
    kind: RecordType,
    count: u16,
    octets: Span,
}

#[derive(Clone, Copy, Debug)]
struct Span {
    start: usize,
    end: usize,
}

/// The SOA record of negative answers, encoded as if the question were for the apex. For a longer name, every
/// pointer in it grows by the difference.
#[derive(Debug)]
pub(crate) struct Shifted {
    octets: Vec<u8>,
    pointers: Vec<u16>,
}

impl Shifted {
    /// Writes the record for a question whose name is `by` octets longer than the apex; none when there is no room.
    pub(crate) fn write(&self, by: u16, out: &mut [u8]) -> Option<usize> {
        let out = out.get_mut(..self.octets.len())?;
        out.copy_from_slice(&self.octets);
        for &at in &self.pointers {
            let pointer = out.get_mut(usize::from(at)..)?.first_chunk_mut::<2>()?;
            *pointer = u16::from_be_bytes(*pointer).wrapping_add(by).to_be_bytes();
        }
        Some(self.octets.len())
    }
}

/// What a zone has for a name and a type.
pub(crate) enum Found<'z> {
    /// Records, encoded as the answer to the question.
    Records { count: u16, octets: &'z [u8] },
    /// The name exists without that type.
    NoData,
    /// The name does not exist.
    NoName,
}

impl Zone {
    /// The zone's name.
    pub fn apex(&self) -> &DomainName {
        &self.apex
    }

    /// The serial number of its SOA record (RFC 1982 arithmetic).
    pub fn serial(&self) -> u32 {
        self.serial
    }

    /// How many names have records.
    pub fn names(&self) -> usize {
        self.nodes.iter().filter(|node| node.first_set < node.last_set).count()
    }

    pub(crate) fn negative(&self) -> &Shifted {
        &self.negative
    }

    /// Looks up a name in lower case that lies in the zone. An alias answers for every type (RFC 1034 3.6.2), and
    /// one of the sets is enough for ANY (RFC 8482 section 4.1).
    pub(crate) fn find(&self, hash: NameHash, lower: &[u8], kind: RecordType) -> Found<'_> {
        let Some(node) = self.table.find(hash, |index| self.octets(self.nodes[index].name) == lower) else {
            return Found::NoName;
        };
        let node = &self.nodes[node];
        let answers =
            |set: &&Set| set.kind == kind || set.kind == RecordType::CNAME || kind == RecordType::ANY;
        match self.sets[node.first_set..node.last_set].iter().find(answers) {
            Some(set) => Found::Records { count: set.count, octets: self.octets(set.octets) },
            None => Found::NoData,
        }
    }

    fn octets(&self, span: Span) -> &[u8] {
        &self.octets[span.start..span.end]
    }
}

/// Makes the image of a zone that keeps the rules.
pub(super) fn build(content: Content) -> Result<Zone, Fault> {
    let Content { apex, names } = content;
    let start = Place { line: 1, column: 1 };
    let authority = authority(&apex, &names)
        .ok_or_else(|| start.fault("the SOA record is cut short", "write it anew"))?;
    let (mut nodes, mut sets, mut octets, mut hashes) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    let mut put = |more: &[u8]| {
        let start = octets.len();
        octets.extend_from_slice(more);
        Span { start, end: octets.len() }
    };
    let none = BTreeMap::new();
    for name in with_ancestors(&names, &apex) {
        let lower = name.as_wire().to_ascii_lowercase();
        hashes.push(NameHash::of(&lower));
        let first_set = sets.len();
        for (&kind, set) in names.get(&name).unwrap_or(&none) {
            let Encoded { octets, .. } = encode(&name, kind, set.ttl, &set.data);
            sets.push(Set { kind, count: set.data.len() as u16, octets: put(&octets) });
        }
        nodes.push(Node { name: put(&lower), first_set, last_set: sets.len() });
    }
    let table = Table::of(&hashes).ok_or_else(|| start.fault("more names than 2^31", "split the zone"))?;
    octets.shrink_to_fit();
    Ok(Zone { apex, serial: authority.serial, table, nodes, sets, octets, negative: authority.negative })
}

struct Authority {
    serial: u32,
    negative: Shifted,
}

/// Serial and negative answer. The SOA record's data ends with serial, refresh, retry, expire and minimum, four
/// octets each; a negative answer lives no longer than its TTL and its minimum (RFC 2308 section 3).
fn authority(apex: &DomainName, names: &Names) -> Option<Authority> {
    let RecordSet { ttl, data, .. } = names.get(apex)?.get(&RecordType::SOA)?;
    let numbers = data.first()?.last_chunk::<20>()?;
    let serial = u32::from_be_bytes(*numbers.first_chunk::<4>()?);
    let minimum = u32::from_be_bytes(*numbers.last_chunk::<4>()?);
    let Encoded { octets, pointers } = encode(apex, RecordType::SOA, minimum.min(*ttl), data);
    Some(Authority { serial, negative: Shifted { octets, pointers } })
}

/// Every name with records and every name between it and the apex: those exist too (RFC 8020).
fn with_ancestors(names: &Names, apex: &DomainName) -> BTreeSet<DomainName> {
    let mut all = BTreeSet::from([apex.clone()]);
    for name in names.keys() {
        let mut next = Some(name.clone());
        while let Some(name) = next.filter(|name| !all.contains(name)) {
            next = name.parent();
            all.insert(name);
        }
    }
    all
}

//! The records of a zone, wherever they came from: compact, in the order in which they came until they are sorted.

use super::fault::{Flaw, Place};
use crate::order::{SortKey, wire_of};
use std::ops::Range;
use terms::{DomainName, RecordType};

/// All records. Names and data lie in one run of octets, so that a million records take as much memory as they have
/// to say.
#[derive(Default)]
pub(super) struct Records {
    octets: Vec<u8>,
    records: Vec<Record>,
}

/// Where an owner's [key](SortKey) is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Owner {
    start: u32,
    length: u16,
}

/// One record.
#[derive(Clone, Copy, Debug)]
pub(super) struct Record {
    owner: Owner,
    pub(super) kind: RecordType,
    /// Seconds.
    pub(super) ttl: u32,
    pub(super) place: Place,
    data_start: u32,
    data_length: u16,
}

impl Record {
    pub(super) fn owner(&self) -> Owner {
        self.owner
    }
}

impl Records {
    /// Keeps the name of records that follow.
    pub(super) fn owner(&mut self, wire: &[u8], place: Place) -> Result<Owner, Flaw> {
        let key = SortKey::of(wire);
        let start = self.start(place)?;
        self.octets.extend_from_slice(key.as_slice());
        Ok(Owner { start, length: key.as_slice().len() as u16 }) // at most 510
    }

    /// Adds a record, whose data `encode` appends without compression.
    pub(super) fn push(
        &mut self,
        owner: Owner,
        kind: RecordType,
        ttl: u32,
        place: Place,
        encode: impl FnOnce(&mut Vec<u8>) -> Result<(), Flaw>,
    ) -> Result<(), Flaw> {
        let data_start = self.start(place)?;
        let before = self.octets.len();
        let encoded = encode(&mut self.octets);
        let data_length = u16::try_from(self.octets.len() - before);
        match (encoded, data_length) {
            (Ok(()), Ok(data_length)) => {
                self.records.push(Record { owner, kind, ttl, place, data_start, data_length });
                Ok(())
            }
            (encoded, _) => {
                self.octets.truncate(before);
                encoded?;
                Err(place.flaw("the data is longer than 65535 octets", "spread it over several records"))
            }
        }
    }

    fn start(&self, place: Place) -> Result<u32, Flaw> {
        u32::try_from(self.octets.len())
            .map_err(|_| place.flaw("the zone has more than 4 GiB of data", "split it into several zones"))
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &Record> {
        self.records.iter()
    }

    pub(super) fn data(&self, record: &Record) -> &[u8] {
        let start = record.data_start as usize;
        &self.octets[start..start + usize::from(record.data_length)]
    }

    pub(super) fn key(&self, owner: Owner) -> &[u8] {
        let start = owner.start as usize;
        &self.octets[start..start + usize::from(owner.length)]
    }

    /// The owner of a record, in lower case.
    pub(super) fn name(&self, record: &Record) -> DomainName {
        name_of(self.key(record.owner))
    }

    /// Puts the records of a zone into canonical order, each of them once; the others are left out.
    pub(super) fn sort(&self, apex: &[u8]) -> Sorted<'_> {
        let below = |record: &Record| self.key(record.owner).strip_prefix(apex);
        let mut order: Vec<Entry> = (0u32..)
            .zip(&self.records)
            .filter_map(|(index, record)| Some(Entry { prefix: prefix_of(below(record)?), index }))
            .collect();
        let record = |entry: &Entry| &self.records[entry.index as usize];
        order.sort_unstable_by(|a, b| {
            a.prefix
                .cmp(&b.prefix)
                .then_with(|| self.compare(record(a), record(b)))
                .then(a.index.cmp(&b.index))
        });
        order.dedup_by(|a, b| self.compare(record(a), record(b)).is_eq());
        Sorted { records: self, apex: apex.len(), order }
    }

    fn compare(&self, a: &Record, b: &Record) -> std::cmp::Ordering {
        let names = || match a.owner == b.owner {
            true => std::cmp::Ordering::Equal,
            false => self.key(a.owner).cmp(self.key(b.owner)),
        };
        names().then_with(|| self.set(a).cmp(&self.set(b))).then_with(|| self.data(a).cmp(self.data(b)))
    }

    /// Which set a record belongs to: signatures go with what they sign (RFC 4034 section 3.1.1).
    fn set(&self, record: &Record) -> (RecordType, bool) {
        match (record.kind, self.data(record).first_chunk()) {
            (RecordType::RRSIG, Some(&covered)) => (RecordType::new(u16::from_be_bytes(covered)), true),
            (kind, _) => (kind, false),
        }
    }
}

/// A name from its key.
pub(super) fn name_of(key: &[u8]) -> DomainName {
    let wire = [&wire_of(key)[..], &[0]].concat();
    // Every key was made from a name.
    DomainName::from_wire(&wire).unwrap_or_else(|_| DomainName::root())
}

/// A record in the order. The beginning of its key tells most records apart without a look at them.
struct Entry {
    prefix: (u64, u32),
    index: u32,
}

fn prefix_of(key: &[u8]) -> (u64, u32) {
    let mut octets = [0; 12];
    let length = key.len().min(12);
    octets[..length].copy_from_slice(&key[..length]);
    let [a, b, c, d, e, f, g, h, i, j, k, l] = octets;
    (u64::from_be_bytes([a, b, c, d, e, f, g, h]), u32::from_be_bytes([i, j, k, l]))
}

/// The records of one zone in canonical order: names, types, data.
pub(super) struct Sorted<'r> {
    records: &'r Records,
    /// Octets of the apex's key, with which every key begins.
    apex: usize,
    order: Vec<Entry>,
}

/// All records of one name.
#[derive(Clone)]
pub(super) struct NameGroup<'s> {
    sorted: &'s Sorted<'s>,
    range: Range<usize>,
}

/// All records of one name and type, and their signatures.
#[derive(Clone)]
pub(super) struct SetGroup<'s> {
    sorted: &'s Sorted<'s>,
    pub(super) kind: RecordType,
    records: Range<usize>,
    signatures: Range<usize>,
}

impl<'s> Sorted<'s> {
    fn record(&self, index: usize) -> &'s Record {
        &self.records.records[self.order[index].index as usize]
    }

    /// The key of a record's owner, from below the apex on.
    fn key(&self, index: usize) -> &'s [u8] {
        &self.records.key(self.record(index).owner)[self.apex..]
    }

    /// The end of the run that begins at `start`, in which all records are `alike`.
    fn run(&self, start: usize, end: usize, alike: impl Fn(usize) -> bool) -> usize {
        (start + 1..end).find(|&index| !alike(index)).unwrap_or(end)
    }

    pub(super) fn names(&'s self) -> impl Iterator<Item = NameGroup<'s>> {
        let mut start = 0;
        std::iter::from_fn(move || {
            let begin = start;
            if begin == self.order.len() {
                return None;
            }
            let owner = self.record(begin).owner;
            let same = |index: usize| self.record(index).owner == owner || self.key(index) == self.key(begin);
            start = self.run(begin, self.order.len(), same);
            Some(NameGroup { sorted: self, range: begin..start })
        })
    }

    /// The name with a key that begins below the apex.
    pub(super) fn find(&'s self, key: &[u8]) -> Option<NameGroup<'s>> {
        let prefix = prefix_of(key);
        let before = |index: usize| (self.order[index].prefix, self.key(index)) < (prefix, key);
        let (mut low, mut high) = (0, self.order.len());
        while low < high {
            let middle = low + (high - low) / 2;
            if before(middle) { low = middle + 1 } else { high = middle }
        }
        if low == self.order.len() || self.key(low) != key {
            return None;
        }
        let end = self.run(low, self.order.len(), |index| self.key(index) == key);
        Some(NameGroup { sorted: self, range: low..end })
    }
}

impl<'s> NameGroup<'s> {
    /// From below the apex on.
    pub(super) fn key(&self) -> &'s [u8] {
        self.sorted.key(self.range.start)
    }

    pub(super) fn name(&self) -> DomainName {
        self.sorted.records.name(self.sorted.record(self.range.start))
    }

    pub(super) fn sets(&self) -> impl Iterator<Item = SetGroup<'s>> + use<'s> {
        let (sorted, mut rest) = (self.sorted, self.range.clone());
        let set = move |index: usize| sorted.records.set(sorted.record(index));
        std::iter::from_fn(move || {
            if rest.is_empty() {
                return None;
            }
            let (kind, _) = set(rest.start);
            let end = sorted.run(rest.start, rest.end, |index| set(index).0 == kind);
            let signed = (rest.start..end).find(|&index| set(index).1).unwrap_or(end);
            let group = SetGroup { sorted, kind, records: rest.start..signed, signatures: signed..end };
            rest.start = end;
            Some(group)
        })
    }

    pub(super) fn set(&self, kind: RecordType) -> Option<SetGroup<'s>> {
        self.sets().find(|set| set.kind == kind && !set.records.is_empty())
    }

    pub(super) fn has(&self, kind: RecordType) -> bool {
        self.set(kind).is_some()
    }
}

impl<'s> SetGroup<'s> {
    pub(super) fn records(&self) -> impl ExactSizeIterator<Item = (&'s Record, &'s [u8])> + use<'s> {
        let sorted = self.sorted;
        self.records
            .clone()
            .map(move |index| (sorted.record(index), sorted.records.data(sorted.record(index))))
    }

    pub(super) fn signatures(&self) -> impl ExactSizeIterator<Item = (&'s Record, &'s [u8])> + use<'s> {
        let sorted = self.sorted;
        self.signatures
            .clone()
            .map(move |index| (sorted.record(index), sorted.records.data(sorted.record(index))))
    }

    /// The first of them in the file.
    pub(super) fn first(&self) -> Option<&'s Record> {
        let all = self.records.start..self.signatures.end;
        all.map(|index| self.sorted.record(index)).min_by_key(|record| record.place)
    }
}

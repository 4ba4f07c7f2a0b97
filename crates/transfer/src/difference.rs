//! What two versions of a zone differ in (RFC 1995 section 4).

use crate::reader::Piece;
use std::borrow::Cow;
use std::cmp::Ordering;
use std::collections::BTreeMap;
use terms::{Authority, DomainName, NamesInData, Record, RecordType};

/// Octets that a record takes beside its name and data.
const PER_RECORD: usize = 100;

/// The step from one version of a zone to another. Both have an SOA record, so one is removed and one is added.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Difference {
    removed: Records,
    added: Records,
}

/// Records as they are, by their canonical form: two that differ in the case of names are one.
type Records = BTreeMap<Record, Record>;

fn canonical(record: &Record) -> Cow<'_, Record> {
    match NamesInData::of(record.kind) {
        NamesInData::None => Cow::Borrowed(record),
        names => {
            let data = names.canonical(&record.data).into();
            Cow::Owned(Record { data, owner: record.owner.clone(), ..*record })
        }
    }
}

/// Where a record is in the order in which images keep them: NSEC3 behind everything else, signatures behind what they
/// sign.
fn place(record: &Record) -> (bool, &DomainName, RecordType, bool, &[u8], u32) {
    let (kind, is_signature) = match (record.kind, record.data.first_chunk()) {
        (RecordType::RRSIG, Some(&covered)) => (RecordType::new(u16::from_be_bytes(covered)), true),
        (kind, _) => (kind, false),
    };
    (kind == RecordType::NSEC3, &record.owner, kind, is_signature, &record.data, record.ttl)
}

impl Difference {
    /// Compares two versions whose records come in the order of their images. In any other order, what is the same is
    /// still found, though it is held in memory for longer.
    pub fn between(old: impl Iterator<Item = Record>, new: impl Iterator<Item = Record>) -> Difference {
        let (mut old, mut new) = (old.peekable(), new.peekable());
        let mut difference = Difference::default();
        loop {
            let order = match (old.peek(), new.peek()) {
                (None, None) => return difference,
                (Some(_), None) => Ordering::Less,
                (None, Some(_)) => Ordering::Greater,
                (Some(old), Some(new)) => place(old).cmp(&place(new)),
            };
            if order.is_le()
                && let Some(record) = old.next()
                && order.is_lt()
            {
                difference.take(Piece::Remove(record));
            }
            if order.is_ge()
                && let Some(record) = new.next()
                && order.is_gt()
            {
                difference.take(Piece::Add(record));
            }
        }
    }

    /// Takes one more change into account. What is removed and added again has not changed.
    pub fn take(&mut self, piece: Piece) {
        match piece {
            Piece::Remove(record) => exchange(&mut self.added, &mut self.removed, record),
            Piece::Add(record) | Piece::Whole(record) => {
                exchange(&mut self.removed, &mut self.added, record);
            }
        }
    }

    /// Whether nothing has changed.
    pub fn is_empty(&self) -> bool {
        self.removed.is_empty() && self.added.is_empty()
    }

    /// What the older version has and the newer one has not.
    pub fn removed(&self) -> impl Iterator<Item = &Record> {
        self.removed.values()
    }

    /// What the newer version has and the older one has not.
    pub fn added(&self) -> impl Iterator<Item = &Record> {
        self.added.values()
    }

    /// The serial numbers that it leads from and to; none where one of the versions has no SOA record.
    pub(crate) fn serials(&self) -> Option<(u32, u32)> {
        let serial = |records: &Records| Some(Authority::of(&authority(records)?.data)?.serial);
        Some((serial(&self.removed)?, serial(&self.added)?))
    }

    /// How much memory it takes, about.
    pub(crate) fn octets(&self) -> usize {
        let octets = |record: &Record| PER_RECORD + record.owner.as_wire().len() + record.data.len();
        2 * self.removed.values().chain(self.added.values()).map(octets).sum::<usize>()
    }

    /// Its records as a transfer says them: each SOA record before those of its version.
    pub(crate) fn records(&self) -> impl Iterator<Item = Record> {
        let part = |records: &Records| {
            let others = records.values().filter(|record| record.kind != RecordType::SOA);
            authority(records).into_iter().chain(others).cloned().collect::<Vec<Record>>()
        };
        part(&self.removed).into_iter().chain(part(&self.added))
    }
}

/// Puts a record into a set, unless it is in the other one, which it then leaves.
fn exchange(out_of: &mut Records, into: &mut Records, record: Record) {
    let key = canonical(&record).into_owned();
    if out_of.remove(&key).is_none() {
        into.insert(key, record);
    }
}

fn authority(records: &Records) -> Option<&Record> {
    records.values().find(|record| record.kind == RecordType::SOA)
}

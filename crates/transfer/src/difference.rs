//! What two versions of a zone differ in, and the last few differences (RFC 1995 section 5).

use crate::reader::Piece;
use std::borrow::Cow;
use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;
use terms::{Authority, DomainName, NamesInData, Record, RecordType};

/// Differences that are kept of one zone.
const MOST_KEPT: usize = 100;
/// Octets of all of them, about.
const MOST_OCTETS: usize = 16 << 20;
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

/// The records of two versions do not differ by what a difference says.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the changes remove {kind} of {owner}, which is not as they say", kind = .0.kind, owner = .0.owner)]
pub struct Mismatch(pub Box<Record>);

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

    /// Gives every record of the newer version to `take`, from those of the older one.
    ///
    /// # Errors
    /// The older version does not have what is removed, or has already what is added.
    pub fn apply(
        &self,
        old: impl Iterator<Item = Record>,
        mut take: impl FnMut(Record),
    ) -> Result<(), Mismatch> {
        let mut missing: BTreeSet<&Record> = self.removed.keys().collect();
        for record in old {
            let key = canonical(&record);
            if self.added.contains_key(&*key) {
                return Err(Mismatch(Box::new(key.into_owned())));
            }
            let is_removed = missing.remove(&*key);
            drop(key);
            if !is_removed {
                take(record);
            }
        }
        if let Some(record) = missing.pop_first() {
            return Err(Mismatch(Box::new(record.clone())));
        }
        self.added.values().cloned().for_each(take);
        Ok(())
    }

    /// The serial numbers that it leads from and to; none where one of the versions has no SOA record.
    fn serials(&self) -> Option<(u32, u32)> {
        let serial = |records: &Records| Some(Authority::of(&authority(records)?.data)?.serial);
        Some((serial(&self.removed)?, serial(&self.added)?))
    }

    /// How much memory it takes, about.
    fn octets(&self) -> usize {
        let octets = |record: &Record| PER_RECORD + record.owner.as_wire().len() + record.data.len();
        2 * self.removed.values().chain(self.added.values()).map(octets).sum::<usize>()
    }

    /// Its records as a transfer says them: each SOA record before those of its version.
    fn records(&self) -> impl Iterator<Item = Record> {
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

/// The last differences of a zone, each beginning where the one before ends. They never take more memory than a few
/// megabytes.
#[derive(Clone, Debug, Default)]
pub struct Journal {
    differences: VecDeque<Arc<Difference>>,
}

impl Journal {
    /// The journal with one more difference.
    pub fn with(&self, next: Difference) -> Journal {
        let mut differences = self.differences.clone();
        let (last, begin) = (differences.back().and_then(|last| last.serials()), next.serials());
        match (last, begin) {
            (_, None) => return Journal::default(),
            // A version that never was the last one's.
            (Some((_, to)), Some((from, _))) if to != from => differences.clear(),
            _ => {}
        }
        differences.push_back(Arc::new(next));
        let octets = |kept: &VecDeque<Arc<Difference>>| kept.iter().map(|one| one.octets()).sum::<usize>();
        while differences.len() > MOST_KEPT || octets(&differences) > MOST_OCTETS {
            differences.pop_front();
        }
        Journal { differences }
    }

    /// The records that a transfer of the changes since a serial number is made of, up to the version with this SOA
    /// record; none where they are not known.
    pub fn since(&self, serial: u32, newest: &Record) -> Option<impl Iterator<Item = Record> + use<>> {
        let to = Authority::of(&newest.data)?.serial;
        let steps: Vec<_> = self
            .differences
            .iter()
            .skip_while(|step| step.serials().is_none_or(|(from, _)| from != serial))
            .map(Arc::clone)
            .collect();
        let last = steps.last().and_then(|last| last.serials());
        if last.is_none_or(|(_, last)| last != to) {
            return None;
        }
        let newest = newest.clone();
        let steps = steps.into_iter().flat_map(|step| step.records().collect::<Vec<_>>());
        Some(std::iter::once(newest.clone()).chain(steps).chain(std::iter::once(newest)))
    }
}

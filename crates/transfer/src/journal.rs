//! The last few differences of a zone (RFC 1995 section 5), in memory and in a file.
//!
//! ```text
//!  file:   | mark: 8 | step | step | ...
//!  step:   | octets: 4 | checksum: 4 | removed: 4 | records ... | records that were added ... |
//!  record: | owner | type: 2 | TTL: 4 | octets of the data: 2 | data |
//! ```
//! Numbers are little-endian. Another step is added at the end, so a file may be torn where the program was stopped.

use crate::difference::Difference;
use crate::reader::Piece;
use std::collections::VecDeque;
use std::sync::Arc;
use terms::{Authority, DomainName, Record, RecordType};

/// Differences that are kept of one zone.
const MOST_KEPT: usize = 1000;
/// Octets of all of them, about.
const MOST_OCTETS: usize = 16 << 20;
/// How a file begins.
const MARK: [u8; 8] = *b"\x89steps\r\n";

/// The last differences of a zone, each beginning where the one before ends. They never take more memory than a few
/// megabytes.
#[derive(Clone, Debug, Default)]
pub struct Journal {
    steps: Arc<VecDeque<Step>>,
}

#[derive(Clone, Debug)]
struct Step {
    from: u32,
    to: u32,
    octets: usize,
    difference: Arc<Difference>,
}

/// The octets are no journal, or only a part of one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the journal is damaged from octet {0} on")]
pub struct Torn(pub usize);

impl Journal {
    /// The journal with one more difference.
    pub fn with(&self, next: Difference) -> Journal {
        let Some((from, to)) = next.serials() else { return Journal::default() };
        let mut steps = VecDeque::clone(&self.steps);
        // A version that never was the last one's.
        if steps.back().is_some_and(|last| last.to != from) {
            steps.clear();
        }
        steps.push_back(Step { from, to, octets: next.octets(), difference: Arc::new(next) });
        let mut octets = steps.iter().map(|step| step.octets).sum::<usize>();
        while steps.len() > MOST_KEPT || octets > MOST_OCTETS {
            octets -= steps.pop_front().map_or(0, |first| first.octets);
        }
        Journal { steps: Arc::new(steps) }
    }

    /// Whether it has one difference alone.
    pub fn is_new(&self) -> bool {
        self.steps.len() == 1
    }

    /// The version that it leads to; none where it is empty.
    pub fn end(&self) -> Option<u32> {
        Some(self.steps.back()?.to)
    }

    /// Whether it knows the way from a version to its end.
    pub fn leads_from(&self, serial: u32) -> bool {
        self.steps_since(serial).next().is_some()
    }

    /// All that has changed since a version as one difference; none where that is not known.
    pub fn folded(&self, serial: u32) -> Option<Difference> {
        let mut steps = self.steps_since(serial).peekable();
        steps.peek()?;
        let mut folded = Difference::default();
        for step in steps {
            step.difference.removed().cloned().map(Piece::Remove).for_each(|piece| folded.take(piece));
            step.difference.added().cloned().map(Piece::Add).for_each(|piece| folded.take(piece));
        }
        Some(folded)
    }

    /// The records that a transfer of the changes since a serial number is made of, up to the version with this SOA
    /// record; none where they are not known.
    pub fn since(&self, serial: u32, newest: &Record) -> Option<impl Iterator<Item = Record> + use<>> {
        let to = Authority::of(&newest.data)?.serial;
        if self.end() != Some(to) || !self.leads_from(serial) {
            return None;
        }
        let steps: Vec<_> = self.steps_since(serial).map(|step| Arc::clone(&step.difference)).collect();
        let newest = newest.clone();
        let steps = steps.into_iter().flat_map(|step| step.records().collect::<Vec<_>>());
        Some(std::iter::once(newest.clone()).chain(steps).chain(std::iter::once(newest)))
    }

    fn steps_since(&self, serial: u32) -> impl Iterator<Item = &Step> {
        self.steps.iter().skip_while(move |step| step.from != serial)
    }

    /// It as a file.
    pub fn file(&self) -> Vec<u8> {
        let mut file = MARK.to_vec();
        self.steps.iter().for_each(|step| file.extend(Journal::addition(&step.difference)));
        file
    }

    /// What is written behind the end of a file when there is one more difference.
    pub fn addition(difference: &Difference) -> Vec<u8> {
        let mut step = (difference.removed().count() as u32).to_le_bytes().to_vec();
        for record in difference.removed().chain(difference.added()) {
            step.extend_from_slice(record.owner.as_wire());
            step.extend_from_slice(&record.kind.get().to_le_bytes());
            step.extend_from_slice(&record.ttl.to_le_bytes());
            step.extend_from_slice(&(record.data.len() as u16).to_le_bytes()); // see `Record::data`
            step.extend_from_slice(&record.data);
        }
        let checksum = crc32fast::hash(&step);
        [&(step.len() as u32).to_le_bytes()[..], &checksum.to_le_bytes(), &step].concat()
    }

    /// Reads a file.
    ///
    /// # Errors
    /// It is damaged, or torn.
    pub fn read(file: &[u8]) -> Result<Journal, Torn> {
        let mut rest = file.strip_prefix(&MARK).ok_or(Torn(0))?;
        let mut journal = Journal::default();
        while !rest.is_empty() {
            let torn = Torn(file.len() - rest.len());
            journal = journal.with(step(&mut rest).ok_or(torn)?);
        }
        Ok(journal)
    }
}

fn number(rest: &mut &[u8]) -> Option<u32> {
    let (&number, after) = rest.split_first_chunk()?;
    *rest = after;
    Some(u32::from_le_bytes(number))
}

fn step(file: &mut &[u8]) -> Option<Difference> {
    let (length, checksum) = (number(file)?, number(file)?);
    let (mut rest, after) = file.split_at_checked(length as usize)?;
    if crc32fast::hash(rest) != checksum {
        return None;
    }
    *file = after;
    let removed = number(&mut rest)?;
    let mut difference = Difference::default();
    for count in 0.. {
        if rest.is_empty() {
            break;
        }
        let record = record(&mut rest)?;
        difference.take(if count < removed { Piece::Remove(record) } else { Piece::Add(record) });
    }
    Some(difference)
}

fn record(rest: &mut &[u8]) -> Option<Record> {
    let mut at = 0;
    while let length @ 1.. = *rest.get(at)? {
        at += 1 + usize::from(length);
    }
    let (owner, after) = rest.split_at_checked(at + 1)?;
    let (&[k0, k1, t0, t1, t2, t3, l0, l1], after) = after.split_first_chunk()?;
    let (data, after) = after.split_at_checked(usize::from(u16::from_le_bytes([l0, l1])))?;
    *rest = after;
    Some(Record {
        owner: DomainName::from_wire(owner).ok()?,
        kind: RecordType::new(u16::from_le_bytes([k0, k1])),
        ttl: u32::from_le_bytes([t0, t1, t2, t3]),
        data: data.into(),
    })
}

//! The last few differences of a zone (RFC 1995 section 5), in memory and in a file.
//!
//! ```text
//!  file:   | mark: 8 | step | step | ...
//!  step:   | octets: 4 | checksum: 4 | removed: 4 | records ... | records that were added ... |
//!  record: | owner | type: 2 | TTL: 4 | octets of the data: 2 | data |
//! ```
//! Numbers are little-endian. Another step is added at the end, so a file may be torn where the program was stopped: what
//! stands before that is good.

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
    steps: Arc<Steps>,
}

#[derive(Clone, Debug, Default)]
struct Steps {
    kept: VecDeque<Step>,
    /// Of those that are kept.
    octets: usize,
    /// How many there were since the first one, also those that are kept no more.
    count: usize,
}

#[derive(Clone, Debug)]
struct Step {
    from: u32,
    to: u32,
    octets: usize,
    difference: Arc<Difference>,
}

impl Steps {
    fn push(&mut self, next: Difference) {
        let Some((from, to)) = next.serials() else { return *self = Steps::default() };
        // A version that never was the last one's.
        if self.kept.back().is_some_and(|last| last.to != from) {
            *self = Steps::default();
        }
        let octets = next.octets();
        self.kept.push_back(Step { from, to, octets, difference: Arc::new(next) });
        self.octets += octets;
        self.count += 1;
        while self.kept.len() > MOST_KEPT || self.octets > MOST_OCTETS {
            self.octets -= self.kept.pop_front().map_or(0, |first| first.octets);
        }
    }
}

/// The octets are no journal, or only a part of one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the journal is damaged from octet {0} on")]
pub struct Torn(pub usize);

impl Journal {
    /// The journal with one more difference.
    pub fn with(&self, next: Difference) -> Journal {
        let mut steps = Steps::clone(&self.steps);
        steps.push(next);
        Journal { steps: Arc::new(steps) }
    }

    /// Whether its file is to be written anew, not added to: what is in there is not what comes before the last
    /// difference, or is twice as much as is kept.
    pub fn wants_another_file(&self) -> bool {
        self.steps.kept.len() <= 1 || self.steps.count.is_multiple_of(MOST_KEPT)
    }

    /// The version that it leads to; none where it is empty.
    pub fn end(&self) -> Option<u32> {
        Some(self.steps.kept.back()?.to)
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
        self.steps.kept.iter().skip_while(move |step| step.from != serial)
    }

    /// It as a file.
    pub fn file(&self) -> Vec<u8> {
        let mut file = MARK.to_vec();
        self.steps.kept.iter().for_each(|step| file.extend(Journal::addition(&step.difference)));
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

    /// Reads a file: what of it is good, and where it is damaged or torn, if it is.
    pub fn read(file: &[u8]) -> (Journal, Option<Torn>) {
        let mut steps = Steps::default();
        let mut torn = None;
        let mut rest = file.strip_prefix(&MARK).unwrap_or_else(|| {
            torn = Some(Torn(0));
            &[]
        });
        while !rest.is_empty() {
            let begin = file.len() - rest.len();
            match step(&mut rest) {
                Some(difference) => steps.push(difference),
                None => {
                    torn = Some(Torn(begin));
                    break;
                }
            }
        }
        (Journal { steps: Arc::new(steps) }, torn)
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

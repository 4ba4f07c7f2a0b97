//! A store with a linearizable compare-and-swap, leases, and a life of its own.

use announce::permit::{Record, Revision, Speaker, Stored};
use std::collections::BTreeMap;
use std::time::Duration;
use terms::Timestamp;

/// How long a lease lasts.
pub const LEASE: Duration = Duration::from_secs(3);

/// What is asked of it.
#[derive(Clone, Debug)]
pub enum Request {
    Read,
    Replace { expected: Option<Revision>, record: Box<Record> },
}

/// What it answers.
#[derive(Clone, Debug)]
pub enum Answer {
    Found(Option<Stored>),
    Replaced(Revision),
    Conflict,
    Ambiguous,
    Unavailable,
}

pub struct Store {
    pub held: Option<Stored>,
    /// Which store it is: a restored one is another, reached over new connections only.
    pub life: u32,
    pub down: Option<Down>,
    /// Whether a replacement looks at the revision. Only a fault makes it not to.
    pub compares: bool,
    revision: u64,
    copy: Option<(u64, Option<Stored>)>,
    leases: BTreeMap<Speaker, Timestamp>,
}

/// How a store that is down behaves.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Down {
    Refuses,
    Silent,
}

impl Store {
    pub fn new(compares: bool) -> Self {
        Store { held: None, life: 0, down: None, compares, revision: 10, copy: None, leases: BTreeMap::new() }
    }

    pub fn record(&self) -> Option<&Record> {
        self.held.as_ref().map(|held| &held.record)
    }

    /// Carries a request out.
    pub fn serve(&mut self, request: Request) -> Answer {
        match request {
            Request::Read => Answer::Found(self.held.clone()),
            Request::Replace { expected, record } => {
                let is_expected = self.held.as_ref().map(|held| held.revision) == expected;
                if is_expected || !self.compares {
                    Answer::Replaced(self.put(*record))
                } else {
                    Answer::Conflict
                }
            }
        }
    }

    pub fn put(&mut self, record: Record) -> Revision {
        self.revision += 1;
        let revision = Revision(self.revision);
        // What lies in the store went through its octets.
        let record = Record::decode(&record.encode()).unwrap();
        self.held = Some(Stored { revision, record });
        revision
    }

    pub fn back_up(&mut self) {
        self.copy = Some((self.revision, self.held.clone()));
    }

    /// Another store takes over. Leases begin anew, as they do with a new leader.
    pub fn restore(&mut self, far_above: bool, now: Timestamp) -> bool {
        let Some((revision, held)) = self.copy.clone() else { return false };
        self.revision = if far_above { self.revision + 1_000_000 } else { revision };
        self.held = held;
        self.life += 1;
        self.start(now);
        true
    }

    pub fn start(&mut self, now: Timestamp) {
        self.down = None;
        self.leases.values_mut().for_each(|renewed| *renewed = now);
    }

    pub fn renew(&mut self, speaker: &Speaker, now: Timestamp) {
        self.leases.insert(speaker.clone(), now);
    }

    /// Whether a host has no lease. One that never had any is given the time of one from `since` on.
    pub fn has_lapsed(&self, speaker: &Speaker, since: Timestamp, now: Timestamp) -> bool {
        let renewed = self.leases.get(speaker).copied().unwrap_or(since);
        now.since(renewed) > LEASE
    }
}

//! What happened in the world, told once: rows for the page, the control socket and whoever else listens.

use crate::catchment::Change;
use crate::clock;
use crate::history::{ClientId, SiteId};
use crate::journal::Journal;
use crate::world::World;
use api::EventRow;
use std::fmt;
use std::sync::Mutex;
use terms::{Event, Severity, Timestamp};

/// Events that are kept.
const MOST: usize = 2_000;

/// Something that happened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Happening {
    /// Every client was answered for the first time.
    Ready {
        /// Milliseconds since the lab was asked for.
        after_ms: u64,
    },
    /// A client is answered by another site than before, or not at all.
    Client {
        /// Its name.
        client: String,
        /// What changed, by name.
        change: Change<String>,
    },
    /// Somebody did something to the world.
    Fault {
        /// What was done.
        said: String,
    },
    /// A host sent something, or joined or left a group.
    Delivery {
        /// What it did.
        said: String,
    },
}

impl Event for Happening {
    fn kind(&self) -> &'static str {
        match self {
            Happening::Ready { .. } => "ready",
            Happening::Fault { .. } => "fault",
            Happening::Delivery { .. } => "delivery",
            Happening::Client { change: Change::First { .. }, .. } => "first-answer",
            Happening::Client { change: Change::Moved { .. }, .. } => "moved",
            Happening::Client { change: Change::Silent { .. }, .. } => "silent",
            Happening::Client { change: Change::Again { .. }, .. } => "answered-again",
        }
    }

    fn severity(&self) -> Severity {
        match self {
            Happening::Ready { .. }
            | Happening::Delivery { .. }
            | Happening::Client { change: Change::First { .. }, .. } => Severity::Info,
            Happening::Client { change: Change::Moved { .. } | Change::Again { .. }, .. } => Severity::Notice,
            Happening::Client { change: Change::Silent { .. }, .. } | Happening::Fault { .. } => {
                Severity::Warning
            }
        }
    }
}

impl fmt::Display for Happening {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Happening::Ready { after_ms } => write!(f, "every client was answered after {after_ms} ms"),
            Happening::Fault { said } | Happening::Delivery { said } => f.write_str(said),
            Happening::Client { client, change } => match change {
                Change::First { site } => write!(f, "{client} is answered by {site}"),
                Change::Moved { from, to, gap } => {
                    write!(f, "{client} is answered by {to} instead of {from} after {} ms", gap.as_millis())
                }
                Change::Silent { from } => write!(f, "{client} is no longer answered; it was by {from}"),
                Change::Again { site, gap } => {
                    write!(f, "{client} is answered again, by {site}, after {} ms", gap.as_millis())
                }
            },
        }
    }
}

/// The latest happenings as rows.
#[derive(Debug)]
pub struct Story {
    began: Timestamp,
    rows: Journal<EventRow>,
    next: Mutex<u64>,
}

impl Story {
    /// An empty one of a lab that began then.
    pub fn since(began: Timestamp) -> Self {
        Story { began, rows: Journal::keeping(MOST), next: Mutex::new(0) }
    }

    /// Adds what happened just now.
    pub fn tell(&self, happening: &Happening) {
        let subject = match happening {
            Happening::Client { client, .. } => client.as_str(),
            Happening::Ready { .. } | Happening::Fault { .. } | Happening::Delivery { .. } => "",
        };
        // Numbering and writing are one step, so that rows stand in the order of their numbers.
        let mut next = crate::running::lock(&self.next);
        let at_ms = milliseconds(clock::now(), self.began);
        self.rows.write([EventRow::of(happening, subject, *next, at_ms, clock::wall())]);
        *next += 1;
    }

    /// The rows.
    pub fn rows(&self) -> &Journal<EventRow> {
        &self.rows
    }
}

/// A moment as the page counts it.
pub fn milliseconds(at: Timestamp, began: Timestamp) -> u64 {
    u64::try_from(at.since(began).as_millis()).unwrap_or(u64::MAX)
}

/// A change of a client with names in it.
pub fn by_name(world: &World, client: ClientId, change: Change) -> Happening {
    let name = |site: SiteId| world.sites[usize::from(site.0)].name.to_string();
    let client = world.askers[usize::from(client.0)].name.clone();
    Happening::Client { client, change: change.map(name) }
}

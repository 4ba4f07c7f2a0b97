//! What the site's side of the protocol is told, and what it wants done.

use serde::{Deserialize, Serialize};
use std::num::NonZeroU32;
use std::time::Duration;
use terms::{GroupName, Reason};

use super::event::Event;
use super::record::Record;
use super::speaker::Speaker;
use crate::{Permit, Wish};

/// Everything that the permit machine of one group must know before it starts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Settings {
    /// The group whose record it is.
    pub group: GroupName,
    /// This host.
    pub speaker: Speaker,
    /// What the site file says of `min_sites`; nothing for the default.
    pub min_sites: Option<NonZeroU32>,
    /// How it deals with the store.
    pub pace: Pace,
}

/// How patient the machine is with the store. None of these decides whether a withdrawal is safe.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pace {
    /// A request that is not answered for so long is given up, and a change then counts as ambiguous.
    pub patience: Duration,
    /// The record is read at least so often, whether or not the store tells of changes.
    pub poll: Duration,
    /// What has no hurry (to confirm, to charge somebody) waits for a random part of this, so that one host of many
    /// does it, and the others find it done.
    pub leisure: Duration,
    /// The first pause after a conflict or a failure; it doubles.
    pub first_pause: Duration,
    /// No pause is longer.
    pub longest_pause: Duration,
}

impl Default for Pace {
    fn default() -> Self {
        Pace {
            patience: Duration::from_secs(3),
            poll: Duration::from_secs(2),
            leisure: Duration::from_millis(500),
            first_pause: Duration::from_millis(10),
            longest_pause: Duration::from_secs(1),
        }
    }
}

/// The store's number of the change that put a record there. While the store lives, a greater one is newer; one
/// number never stands for two records.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Revision(pub u64);

/// Tells the requests of one machine apart, so that a late answer is not taken for that of a later request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Ticket(pub u64);

/// Counts the wishes of one group's machine since the start; the first has 1. A permit names the wish that it answers:
/// a `Held` that was on its way when the wish changed must not be used.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Turn(pub u64);

/// A record as it lies in the store.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stored {
    /// The change that put it there.
    pub revision: Revision,
    /// It.
    pub record: Record,
}

/// One fact for the machine.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Input {
    /// What the group's machine wants. `Release` says that it no longer uses the permit. A turn that is not greater
    /// than that of the last wish is old news.
    Wish {
        /// What.
        wish: Wish,
        /// Its number.
        turn: Turn,
    },
    /// Whether this host announces the group, at any level but none.
    Announced(bool),
    /// The answer to [`Output::Read`], linearizable: what was in the store after the request was made.
    Stored {
        /// Of the request.
        ticket: Ticket,
        /// The record; nothing when there is none.
        found: Option<Stored>,
    },
    /// The answer to [`Output::Read`]: what lies there is no record.
    Garbled {
        /// Of the request.
        ticket: Ticket,
        /// Why not.
        why: Reason,
    },
    /// The store tells that the record changed. May come late, twice, or never.
    Watched(Stored),
    /// The answer to [`Output::Replace`]: done.
    Replaced {
        /// Of the request.
        ticket: Ticket,
        /// Its revision.
        revision: Revision,
    },
    /// The answer to [`Output::Replace`]: not done, another record lies there.
    Conflict {
        /// Of the request.
        ticket: Ticket,
    },
    /// The answer to [`Output::Replace`]: done, or not, or still to be done.
    Ambiguous {
        /// Of the request.
        ticket: Ticket,
    },
    /// The answer to any request: the store could not be asked, and nothing was done.
    Unavailable {
        /// Of the request.
        ticket: Ticket,
        /// What went wrong.
        why: Reason,
    },
    /// The connection to the store broke, or the store behind it is another one. To be told before anything that is
    /// heard over a new connection: a restored store is only ever reached through a new one.
    Disconnected {
        /// What happened.
        why: Reason,
    },
    /// A host that stands in the record has had no lease for the time that a lease lasts.
    Lapsed(Speaker),
    /// It has one again.
    Present(Speaker),
    /// The site file says something else of `min_sites`.
    Configured {
        /// What.
        min_sites: Option<NonZeroU32>,
    },
    /// Time has passed: [`Machine::deadline`](super::Machine::deadline) has come.
    Timer,
}

/// One thing for the driver to do.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Output {
    /// Read the record, linearizable.
    Read {
        /// To be named in the answer.
        ticket: Ticket,
    },
    /// Put this record in place of the one with that revision, or where there is none.
    Replace {
        /// To be named in the answer.
        ticket: Ticket,
        /// What must still lie there.
        expected: Option<Revision>,
        /// The new one.
        record: Record,
    },
    /// Tell the group's machine, unless it has made another wish since.
    Permit {
        /// What the fleet says.
        permit: Permit,
        /// The wish that it answers.
        turn: Turn,
    },
    /// Log it, count it, show it.
    Event(Event),
}

//! What every client saw: each question with the site that answered it, or silence.

use crate::journal::Journal;
use std::time::Duration;
use terms::{Family, Timestamp};

/// The place of somebody who asks in [`World::askers`](crate::world::World::askers): clients are the first, as in
/// [`World::clients`](crate::world::World::clients).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ClientId(pub u16);

impl ClientId {
    /// The client at that place; a world has far fewer than 65,536.
    pub(crate) fn at(index: usize) -> Self {
        ClientId(u16::try_from(index).unwrap_or(u16::MAX))
    }
}

/// A site's place in [`World::sites`](crate::world::World::sites).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SiteId(pub u16);

impl SiteId {
    /// The site at that place; a world has far fewer than 65,536.
    pub(crate) fn at(index: usize) -> Self {
        SiteId(u16::try_from(index).unwrap_or(u16::MAX))
    }
}

/// One question of one client and what came of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sample {
    /// Who asked.
    pub client: ClientId,
    /// Over which family.
    pub family: Family,
    /// When the question was sent ([`clock::now`](crate::clock::now)).
    pub sent: Timestamp,
    /// What came back.
    pub outcome: Outcome,
}

/// What came back for a question.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// A good answer.
    Answered {
        /// The site whose name is in the answer (NSID, RFC 5001).
        site: SiteId,
        /// From sending the question to receiving the answer.
        round_trip: Duration,
        /// What became of the client's cookie.
        cookie: Cookie,
    },
    /// Nothing within the prober's patience, or nothing good.
    Silent,
}

/// What became of the cookie that a client showed with its question (RFC 7873).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cookie {
    /// It showed none of a server's yet, or the server does not know cookies.
    None,
    /// It came back as it was: the server took it.
    Kept,
    /// Another one came back.
    Changed,
}

/// The latest samples of all clients. A sample is written when its fate is known, so an answer that came at once
/// stands before silence that was asked earlier; `sent` tells the order of the questions.
pub type History = Journal<Sample>;

/// Something on the measuring machine happened later than it should have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Late {
    /// When it happened.
    pub at: Timestamp,
    /// Who was late.
    pub who: Laggard,
    /// By how much.
    pub by: Duration,
}

/// Who can be late.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Laggard {
    /// The thread that delays packets: it delivered one after its time.
    Cables,
    /// The thread that asks: it asked after its time.
    Prober,
}

/// How late the machine was of late: the worst of each laggard in every [`LATENESS_WINDOW`] in which it was active.
pub type LatenessLog = Journal<Late>;

/// The length of time of which the worst lateness is told.
pub const LATENESS_WINDOW: Duration = Duration::from_millis(10);

//! The blackholes that stand, on disk, beside the orders about groups: who ordered what, when, until when and why.
//!
//! If they cannot be read, none stands: an address that is reachable again by mistake does less harm than one that is
//! dropped for ever by mistake. An alarm says so until the next one is on disk.

use super::Event;
use crate::clock;
use crate::event::Source;
use crate::events::Bus;
use crate::export::blackhole::Blackhole;
use crate::memory;
use ::fleet::{Embedded, Key, local};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use std::time::Duration;
use terms::{PeerName, Prefix, Reason, WallTime};

/// One blackhole that stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Standing {
    pub(crate) prefix: Prefix,
    /// Who is asked; nobody named: every peer that takes blackholes.
    pub(crate) peers: BTreeSet<PeerName>,
    pub(crate) who: Reason,
    pub(crate) reason: Reason,
    /// Whether it may take the addresses of services.
    pub(crate) override_guard: bool,
    pub(crate) when: WallTime,
    pub(crate) until: WallTime,
}

/// What stands, the oldest first. No two are about the same prefix.
pub(crate) type Book = Vec<Standing>;

impl Standing {
    /// What is left of its time, by the clock on the wall: only a restart asks it.
    pub(crate) fn left(&self, now: WallTime) -> Duration {
        clock::left(self.when, self.until, now)
    }

    /// As a decision has it.
    pub(crate) fn wanted(&self) -> Blackhole {
        let Standing { prefix, peers, override_guard, .. } = self.clone();
        Blackhole { prefix, peers, override_guard }
    }

    /// By whom and why, in one sentence.
    pub(crate) fn words(&self) -> Reason {
        Reason::from(format!("{}: {}", self.who, self.reason))
    }
}

/// The blackholes that still stand from the last process. What ran out while there was none is told.
pub(crate) async fn recall(store: Option<&Embedded>, now: WallTime, bus: &Bus) -> Book {
    // Whoever opened the store has told why there is none.
    let Some(store) = store else { return Book::new() };
    let mut book: Book = match local::recall(store, &Key::blackholes()).await {
        Ok(book) => book.unwrap_or_default(),
        Err(error) => {
            let (path, reason) = (memory::FILE.into(), Reason::from(error.to_string()));
            bus.tell(&Event::Unreadable { path, reason }, Source::Process);
            return Book::new();
        }
    };
    book.retain(|standing| {
        let order = standing.words();
        let stands = !standing.left(now).is_zero();
        let event = if stands { Event::Stands { order } } else { Event::Expired { order } };
        bus.tell(&event, Source::Prefix(standing.prefix));
        stands
    });
    book
}

/// Keeps these and no others; when this returns they would survive a power cut.
pub(super) async fn keep(store: Option<&Embedded>, book: &Book) -> Result<(), Reason> {
    let Some(store) = store else {
        return Err(Reason::from("the store of this machine could not be opened"));
    };
    local::keep(store, &Key::blackholes(), book).await.map_err(|error| Reason::from(error.to_string()))
}

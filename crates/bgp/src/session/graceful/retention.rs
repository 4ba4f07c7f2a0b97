//! The neighbour's restart: how long its routes stay, though nobody confirms them (RFC 4724 section 4.2).
//!
//! ```text
//!             lost, covered                     up again, it went on forwarding
//!   Nothing ────────────────► Awaiting ──────────────────────────────────────────► Confirming
//!      ▲                         │ restart time over; up again, it did not            │ End-of-RIB
//!      └─────────────────────────┴────────────────────────────────────────────────────┘
//!                                  the stale time is over, counted from the loss
//! ```
//! What is stale has one end, whatever happens until then (the stale timer of RFC 8538 section 4.1). Another loss leaves
//! older stale routes where they are only if they may stay for another restart time; if not, they go, and the time begins
//! anew with the younger ones.
//!
//! Nothing here depends on whether routes are kept, so a recording without them replays to the same.

use super::StaleEnd;
use crate::session::SHORTEST_TIMER;
use crate::wire::negotiated::Negotiated;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use std::time::Duration;
use terms::{Family, Timestamp};

/// What stays of a session that was lost.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Retention {
    /// Nothing is stale.
    #[default]
    Nothing,
    /// No session is up: the neighbour may be restarting, and is to be back by then.
    Awaiting { stale: Stale, back_by: Timestamp },
    /// A session is up: the neighbour is telling its routes again.
    Confirming(Stale),
}

/// Families of which routes are stale.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Stale {
    families: BTreeSet<Family>,
    /// When they go at the latest.
    until: Timestamp,
}

/// How a session was lost whose routes stay.
pub(super) struct Lost {
    /// Those whose routes stay.
    pub(super) families: BTreeSet<Family>,
    /// How long the neighbour may be away.
    pub(super) restart_time: Duration,
    /// How long a route may be stale.
    pub(super) stale_time: Duration,
    /// Whether what was stale already may stay, too (RFC 8538 section 4.1).
    pub(super) older_may_stay: bool,
}

impl Retention {
    /// A session was lost. Answers whether what was stale already stays.
    pub(super) fn lost(&mut self, lost: Lost, now: Timestamp) -> bool {
        let Lost { families, restart_time, stale_time, older_may_stay } = lost;
        let back_by = now + restart_time.max(SHORTEST_TIMER);
        let older = self.stale().map(|stale| stale.until);
        let older = older.filter(|until| older_may_stay && *until >= back_by);
        let until = older.unwrap_or(now + stale_time.max(SHORTEST_TIMER));
        *self = Retention::Awaiting { stale: Stale { families, until }, back_by };
        older.is_some()
    }

    /// A session is up. Answers the families whose stale routes go at once: those that the neighbour does not say it
    /// went on forwarding.
    pub(super) fn back(&mut self, agreed: &Negotiated) -> BTreeSet<Family> {
        let Stale { families: before, until } = match std::mem::take(self) {
            Retention::Nothing => return BTreeSet::new(),
            Retention::Awaiting { stale, .. } | Retention::Confirming(stale) => stale,
        };
        let promised = |family: &Family| {
            let forwarding = agreed.graceful.as_ref().and_then(|graceful| graceful.families.get(family));
            agreed.families.contains(family) && forwarding == Some(&true)
        };
        let (families, unfounded): (BTreeSet<Family>, BTreeSet<Family>) =
            before.into_iter().partition(promised);
        if !families.is_empty() {
            *self = Retention::Confirming(Stale { families, until });
        }
        unfounded
    }

    /// The neighbour has told all of a family, so nothing of it is stale.
    pub(crate) fn confirmed(&mut self, family: Family) {
        if let Retention::Confirming(stale) = self {
            stale.families.remove(&family);
            if stale.families.is_empty() {
                *self = Retention::Nothing;
            }
        }
    }

    /// Answers what has been stale for too long by now, and why it goes.
    pub(super) fn expire(&mut self, now: Timestamp) -> Option<(BTreeSet<Family>, StaleEnd)> {
        self.limit().filter(|(_, until)| *until <= now)?;
        match std::mem::take(self) {
            Retention::Nothing => None,
            Retention::Awaiting { stale, .. } => Some((stale.families, StaleEnd::NotBack)),
            Retention::Confirming(stale) => Some((stale.families, StaleEnd::NotConfirmed)),
        }
    }

    /// The neighbour is waited for no longer. Answers the families whose stale routes go.
    pub(super) fn give_up(&mut self) -> BTreeSet<Family> {
        match std::mem::take(self) {
            Retention::Nothing => BTreeSet::new(),
            Retention::Awaiting { stale, .. } | Retention::Confirming(stale) => stale.families,
        }
    }

    /// The families of which routes are stale, and until when at most.
    pub(super) fn limit(&self) -> Option<(&BTreeSet<Family>, Timestamp)> {
        match self {
            Retention::Nothing => None,
            Retention::Awaiting { stale, back_by } => Some((&stale.families, stale.until.min(*back_by))),
            Retention::Confirming(stale) => Some((&stale.families, stale.until)),
        }
    }

    /// Whether a session that was lost is waited for.
    pub(crate) fn is_awaiting(&self) -> bool {
        matches!(self, Retention::Awaiting { .. })
    }

    fn stale(&self) -> Option<&Stale> {
        match self {
            Retention::Nothing => None,
            Retention::Awaiting { stale, .. } | Retention::Confirming(stale) => Some(stale),
        }
    }
}

//! The neighbour's restart: how long its routes stay, though nobody confirms them (RFC 4724 section 4.2).
//!
//! ```text
//!             lost, covered                     up again, it went on forwarding
//!   Nothing ────────────────► Awaiting ──────────────────────────────────────────► Confirming
//!      ▲                         │ restart time over; up again, it did not            │ End-of-RIB, or the
//!      └─────────────────────────┴────────────────────────────────────────────────────┘ stale time is over
//! ```
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
    /// No session is up: the neighbour may be restarting.
    Awaiting(Stale),
    /// A session is up: the neighbour is telling its routes again.
    Confirming(Stale),
}

/// Families of which routes are stale.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Stale {
    families: BTreeSet<Family>,
    until: Timestamp,
}

impl Retention {
    /// A session was lost, and the neighbour promised to be back within that time.
    pub(super) fn awaiting(families: BTreeSet<Family>, now: Timestamp, within: Duration) -> Self {
        Retention::Awaiting(Stale { families, until: now + within.max(SHORTEST_TIMER) })
    }

    /// A session is up. Answers the families whose stale routes go at once: those that the neighbour does not say it
    /// went on forwarding.
    pub(super) fn back(
        &mut self,
        agreed: &Negotiated,
        now: Timestamp,
        stale_time: Duration,
    ) -> BTreeSet<Family> {
        let before = match std::mem::take(self) {
            Retention::Nothing => return BTreeSet::new(),
            Retention::Awaiting(Stale { families, .. }) | Retention::Confirming(Stale { families, .. }) => {
                families
            }
        };
        let promised = |family: &Family| {
            let forwarding = agreed.graceful.as_ref().and_then(|graceful| graceful.families.get(family));
            agreed.families.contains(family) && forwarding == Some(&true)
        };
        let (families, unfounded): (BTreeSet<Family>, BTreeSet<Family>) =
            before.into_iter().partition(promised);
        if !families.is_empty() {
            let until = now + stale_time.max(SHORTEST_TIMER);
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
            Retention::Awaiting(stale) => Some((stale.families, StaleEnd::NotBack)),
            Retention::Confirming(stale) => Some((stale.families, StaleEnd::NotConfirmed)),
        }
    }

    /// The families of which routes are stale, and until when at most.
    pub(super) fn limit(&self) -> Option<(&BTreeSet<Family>, Timestamp)> {
        match self {
            Retention::Nothing => None,
            Retention::Awaiting(stale) | Retention::Confirming(stale) => Some((&stale.families, stale.until)),
        }
    }

    /// Whether a session that was lost is waited for.
    pub(crate) fn is_awaiting(&self) -> bool {
        matches!(self, Retention::Awaiting(_))
    }
}

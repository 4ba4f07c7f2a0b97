//! What the peers were found to know, and how often they are told again.

use serde::{Deserialize, Serialize};
use terms::{PeerName, Timestamp};

use crate::{Readback, Reconcile};

/// What is known about what the peers know.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Peers {
    /// Nothing since the level changed.
    #[default]
    Unknown,
    /// What they should.
    Agree,
    /// Something else.
    Differ {
        /// Which ones.
        peers: Vec<PeerName>,
        /// How often they were told again.
        resends: u32,
        /// When they are told again.
        next: Timestamp,
    },
}

impl Peers {
    /// Takes in what was found.
    pub(crate) fn note(&mut self, readback: Readback, reconcile: &Reconcile, now: Timestamp) {
        *self = match (std::mem::take(self), readback) {
            (_, Readback::Agrees) => Peers::Agree,
            (Peers::Differ { resends, next, .. }, Readback::Differs { peers }) => {
                Peers::Differ { peers, resends, next }
            }
            (Peers::Unknown | Peers::Agree, Readback::Differs { peers }) => {
                Peers::Differ { peers, resends: 0, next: now + reconcile.every }
            }
        };
    }

    /// Whether it is time to tell them again; if so, that is counted.
    pub(crate) fn resend(&mut self, reconcile: &Reconcile, now: Timestamp) -> bool {
        match self {
            Peers::Differ { resends, next, .. } if now >= *next => {
                *resends = resends.saturating_add(1);
                *next = now + reconcile.every;
                true
            }
            Peers::Differ { .. } | Peers::Unknown | Peers::Agree => false,
        }
    }

    /// When they are to be told again, if nothing else is heard of them.
    pub(crate) fn resend_at(&self) -> Option<Timestamp> {
        match self {
            Peers::Differ { next, .. } => Some(*next),
            Peers::Unknown | Peers::Agree => None,
        }
    }

    /// Whether telling them again does not help.
    pub(crate) fn is_stubborn(&self, reconcile: &Reconcile) -> bool {
        matches!(self, Peers::Differ { resends, .. } if *resends >= reconcile.alarm_after)
    }
}

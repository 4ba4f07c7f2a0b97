//! What the peers were found to know, and how often they are told again (law P13).

use serde::{Deserialize, Serialize};
use terms::{PeerName, Timestamp};

use crate::{Readback, Reconcile};

/// What is known about what the peers know, and when they are told again. A [`Machine`](crate::Machine) has one for
/// its group; whoever announces anything beside the groups keeps one of his own.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Reconciliation {
    /// Nothing since the decision changed.
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

impl Reconciliation {
    /// Takes in what was found.
    pub fn note(&mut self, readback: Readback, reconcile: &Reconcile, now: Timestamp) {
        *self = match (std::mem::take(self), readback) {
            (_, Readback::Agrees) => Reconciliation::Agree,
            (Reconciliation::Differ { resends, next, .. }, Readback::Differs { peers }) => {
                Reconciliation::Differ { peers, resends, next }
            }
            (Reconciliation::Unknown | Reconciliation::Agree, Readback::Differs { peers }) => {
                Reconciliation::Differ { peers, resends: 0, next: now + reconcile.every }
            }
        };
    }

    /// Whether it is time to tell them again; if so, that is counted.
    pub fn resend(&mut self, reconcile: &Reconcile, now: Timestamp) -> bool {
        match self {
            Reconciliation::Differ { resends, next, .. } if now >= *next => {
                *resends = resends.saturating_add(1);
                *next = now + reconcile.every;
                true
            }
            Reconciliation::Differ { .. } | Reconciliation::Unknown | Reconciliation::Agree => false,
        }
    }

    /// When they are to be told again, if nothing else is heard of them.
    pub fn resend_at(&self) -> Option<Timestamp> {
        match self {
            Reconciliation::Differ { next, .. } => Some(*next),
            Reconciliation::Unknown | Reconciliation::Agree => None,
        }
    }

    /// Whether telling them again does not help.
    pub fn is_stubborn(&self, reconcile: &Reconcile) -> bool {
        matches!(self, Reconciliation::Differ { resends, .. } if *resends >= reconcile.alarm_after)
    }
}

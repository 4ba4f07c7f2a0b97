//! Our own restart: what our OPENs say of it, and when the neighbour is told that it has heard everything.
//!
//! ```text
//!   Begun ── a session is up ──► Deferring ── everything is decided, or time is over ──► Over
//!     │                              │                                                    ▲
//!     │ R = 1                        └ R = 0, End-of-RIB waits                            │
//!     └────────── a session is up, and everything is decided, or no graceful restart ─────┘
//! ```
//! Nothing is restored from before: the neighbour keeps what it was told until End-of-RIB, and each route is told again
//! when it is decided. What was not told again by then goes.

use crate::session::Settings;
use crate::wire::capability::{Capability, GracefulRestart};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use std::time::Duration;
use terms::{Family, Timestamp};

/// Where we are in our own restart.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Restart {
    /// There was none, or everybody knows all there is to know.
    #[default]
    Over,
    /// No session came up since.
    Begun {
        /// Families whose packets were delivered all the time.
        forwarding: BTreeSet<Family>,
        /// Whether everything is decided already.
        decided: bool,
    },
    /// A session came up before everything was decided.
    Deferring(Deferred),
}

/// End-of-RIB that waits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Deferred {
    pub(super) since: Timestamp,
    /// The Selection_Deferral_Timer (RFC 4724 section 4.1).
    pub(super) until: Timestamp,
}

impl Restart {
    /// What our OPEN says; nothing unless the operator wants it.
    pub(crate) fn capability(&self, settings: &Settings) -> Option<Capability> {
        let graceful = settings.graceful?;
        let forwarding = |family: &Family| match self {
            Restart::Begun { forwarding, .. } => forwarding.contains(family),
            // The process went on, and what it delivers packets with did too.
            Restart::Deferring(_) | Restart::Over => true,
        };
        Some(Capability::GracefulRestart(GracefulRestart {
            restarting: matches!(self, Restart::Begun { .. }),
            notification: true,
            time: graceful.restart_time.seconds(),
            families: settings.families.iter().map(|family| (*family, forwarding(family))).collect(),
        }))
    }

    /// A session is up. `within` is how long End-of-RIB may wait, where both sides agreed on graceful restart. Answers
    /// how long it waits.
    pub(super) fn back(&mut self, within: Option<Duration>, now: Timestamp) -> Option<Deferred> {
        let deferred = match (&*self, within) {
            (Restart::Begun { decided: false, .. }, Some(within)) => {
                Some(Deferred { since: now, until: now + within })
            }
            // The session was lost and is back: the time that is left.
            (Restart::Deferring(deferred), Some(_)) => {
                Some(*deferred).filter(|deferred| deferred.until > now)
            }
            (Restart::Begun { .. } | Restart::Deferring(_), _) | (Restart::Over, _) => None,
        };
        *self = deferred.map_or(Restart::Over, Restart::Deferring);
        deferred
    }

    /// Everything is decided. Answers whether End-of-RIB waited for it.
    pub(super) fn decided(&mut self) -> bool {
        match self {
            Restart::Over => false,
            Restart::Begun { decided, .. } => {
                *decided = true;
                false
            }
            Restart::Deferring(_) => {
                *self = Restart::Over;
                true
            }
        }
    }

    /// Answers whether End-of-RIB has waited long enough.
    pub(super) fn expire(&mut self, now: Timestamp) -> bool {
        let is_over = self.deferred().is_some_and(|deferred| deferred.until <= now);
        if is_over {
            *self = Restart::Over;
        }
        is_over
    }

    pub(super) fn deferred(&self) -> Option<Deferred> {
        match self {
            Restart::Deferring(deferred) => Some(*deferred),
            Restart::Over | Restart::Begun { .. } => None,
        }
    }

    pub(super) fn awaits_decision(&self) -> bool {
        matches!(self, Restart::Begun { decided: false, .. } | Restart::Deferring(_))
    }
}

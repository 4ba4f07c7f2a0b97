//! What the machine wants done.

use serde::{Deserialize, Serialize};
use std::fmt;
use std::time::Duration;
use terms::Timestamp;

use crate::{CheckId, Event};

/// One thing that the driver shall do. In the order given: what changes the network comes before what is told.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Action {
    /// From now on the group's prefixes are to be announced at this level; given only when it changes, and at most
    /// once for each input.
    Announce(Level),
    /// From now on this is wanted of the fleet; given only when it changes.
    Permit(Wish),
    /// Tell the peers again what the level asks for: they were found to know something else.
    Resend,
    /// Run this check then instead of at its next turn: the machine wants to know sooner.
    CheckSoon {
        /// Which one.
        check: CheckId,
        /// When to start it.
        at: Timestamp,
    },
    /// Keep this on disk for the next start.
    Remember(Memory),
    /// Log it, count it, show it.
    Event(Event),
}

/// How strongly the group's prefixes are announced. A greater one draws more users.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Level {
    /// Not at all.
    #[default]
    None,
    /// As [`Level::Depref`], and marked with the community of graceful shutdown, 65535:0 (RFC 8326): whoever has
    /// another way takes it.
    Gshut,
    /// With the attributes that make the route less preferred at each peer.
    Depref,
    /// With the attributes that the operator configured.
    Normal,
}

impl fmt::Display for Level {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Level::None => "none",
            Level::Gshut => "gshut",
            Level::Depref => "depref",
            Level::Normal => "normal",
        })
    }
}

/// What the machine wants of the fleet.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Wish {
    /// The permit to withdraw, now or soon. Answered by [`Input::Permit`](crate::Input::Permit); repeat the request
    /// until it is granted or released.
    Ask,
    /// The permit is no longer used. Answer with [`Permit::None`](crate::Permit::None) when no earlier answer can be
    /// on its way any more; before that the machine does not ask again.
    Release,
}

/// What survives a restart: how often the group failed in a row, and what that still costs. Never what was announced:
/// every start begins at [`State::Boot`](crate::State::Boot).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Memory {
    /// Failed withdrawals in a row, the k of [`Backoff`](crate::Backoff).
    pub failures: u32,
    /// How long the group still must not be announced. The machine has no clock of the wall: whoever keeps this must
    /// take off the time that has passed until it is handed in again.
    pub back_off_left: Duration,
}

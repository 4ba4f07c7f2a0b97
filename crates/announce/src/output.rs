//! What the machine wants done, and what it tells.

use serde::{Deserialize, Serialize};
use std::fmt;
use terms::{Reason, Severity, Timestamp};

use crate::{CheckId, State};

/// One thing that the driver shall do. In the order given: what changes the network comes before what is told.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Action {
    /// From now on the group's prefixes are to be announced at this level; given only when it changes.
    Announce(Level),
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
    /// With the attributes that the operator configured.
    Normal,
}

impl fmt::Display for Level {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Level::None => "none",
            Level::Normal => "normal",
        })
    }
}

/// What survives a restart: how often the group failed in a row. Never what was announced: every start begins at
/// [`State::Boot`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Memory {
    /// Failed withdrawals in a row, the k of [`Backoff`](crate::Backoff).
    pub failures: u32,
}

/// Something that happened to the group.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Event {
    /// The group is in another state.
    Moved {
        /// Where it was.
        from: State,
        /// Where it is.
        to: State,
        /// Why: which check, what was seen, how often, since when.
        reason: Reason,
    },
    /// An alarm begins: this check has neither passed nor failed for too long, so nobody watches the service.
    Blind {
        /// Which one.
        check: CheckId,
        /// Its name and what was last heard of it.
        reason: Reason,
    },
    /// The alarm is over: the check reports again.
    Sighted {
        /// Which one.
        check: CheckId,
        /// Its name.
        reason: Reason,
    },
    /// The group was announced for long enough: its earlier failures no longer count.
    Forgiven {
        /// How many there were.
        failures: u32,
    },
}

impl terms::Event for Event {
    fn kind(&self) -> &'static str {
        match self {
            Event::Moved { to, .. } => to.name(),
            Event::Blind { .. } => "blind",
            Event::Sighted { .. } => "sighted",
            Event::Forgiven { .. } => "forgiven",
        }
    }

    fn severity(&self) -> Severity {
        match self {
            Event::Moved { to: State::Boot | State::Warm, .. } | Event::Forgiven { .. } => Severity::Info,
            Event::Moved { to: State::Up | State::Off, .. } | Event::Sighted { .. } => Severity::Notice,
            Event::Moved { to: State::Suspect | State::Down, .. } => Severity::Warning,
            Event::Blind { .. } => Severity::Alarm,
        }
    }
}

impl fmt::Display for Event {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Event::Moved { from, to, reason } => write!(f, "{from} -> {to}: {reason}"),
            Event::Blind { reason, .. } => write!(f, "nobody watches: {reason}"),
            Event::Sighted { reason, .. } => write!(f, "watched again: {reason}"),
            Event::Forgiven { failures: 1 } => {
                write!(f, "announced for long enough: the last failure no longer counts")
            }
            Event::Forgiven { failures } => {
                write!(f, "announced for long enough: the last {failures} failures no longer count")
            }
        }
    }
}

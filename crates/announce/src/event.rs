//! What the machine tells people.

use serde::{Deserialize, Serialize};
use std::fmt;
use terms::{Reason, Severity};

use crate::{Alarm, State};

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
        /// Why: which check, what was seen, how often, since when; or who ordered it.
        reason: Reason,
    },
    /// An alarm begins. It stands until it is cleared.
    Raised {
        /// Which one.
        alarm: Alarm,
        /// What is wrong.
        reason: Reason,
    },
    /// An alarm is over.
    Cleared {
        /// Which one.
        alarm: Alarm,
        /// What is well again.
        reason: Reason,
    },
    /// The group was up for long enough: its earlier failures no longer count.
    Forgiven {
        /// How many there were.
        failures: u32,
    },
}

impl terms::Event for Event {
    fn kind(&self) -> &'static str {
        match self {
            Event::Moved { to, .. } => to.name(),
            Event::Raised { alarm, .. } => alarm.name(),
            Event::Cleared { .. } => "cleared",
            Event::Forgiven { .. } => "forgiven",
        }
    }

    fn severity(&self) -> Severity {
        match self {
            Event::Moved { to: State::Boot | State::Warm, .. } | Event::Forgiven { .. } => Severity::Info,
            Event::Moved { to: State::Up | State::Drain | State::Off, .. } | Event::Cleared { .. } => {
                Severity::Notice
            }
            Event::Moved { to: State::Suspect | State::Held | State::Down, .. } => Severity::Warning,
            Event::Raised { .. } => Severity::Alarm,
        }
    }
}

impl fmt::Display for Event {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Event::Moved { from, to, reason } => write!(f, "{from} -> {to}: {reason}"),
            Event::Raised { alarm, reason } => write!(f, "{}: {reason}", alarm.title()),
            Event::Cleared { alarm, reason } => write!(f, "alarm over ({}): {reason}", alarm.title()),
            Event::Forgiven { failures: 1 } => {
                write!(f, "up for long enough: the last failure no longer counts")
            }
            Event::Forgiven { failures } => {
                write!(f, "up for long enough: the last {failures} failures no longer count")
            }
        }
    }
}

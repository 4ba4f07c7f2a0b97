//! What a session tells people.

use crate::session::StateName;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::time::Duration;
use terms::{Reason, Severity};

/// Something worth a line in the log. The sentences do not name the neighbour: whoever shows them knows it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Event {
    /// The state machine went on.
    StateChanged {
        /// Before.
        from: StateName,
        /// Now.
        to: StateName,
        /// Why.
        reason: Reason,
    },
    /// The other end was silent for too long, and so were we: it gets more time, once.
    Excused {
        /// How late we were.
        late: Duration,
        /// How much more time.
        more: Duration,
    },
}

impl fmt::Display for Event {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Event::StateChanged { from, to, reason } => write!(f, "BFD {from} -> {to}: {reason}"),
            Event::Excused { late, more } => write!(
                f,
                "BFD heard nothing, but this machine was itself {late:.1?} late: waiting another {more:?}"
            ),
        }
    }
}

impl terms::Event for Event {
    fn kind(&self) -> &'static str {
        match self {
            Event::StateChanged { .. } => "bfd-state-changed",
            Event::Excused { .. } => "bfd-excused",
        }
    }

    fn severity(&self) -> Severity {
        match self {
            Event::StateChanged { to: StateName::AdminDown | StateName::Up, .. } => Severity::Notice,
            Event::StateChanged { from: StateName::Up, .. } | Event::Excused { .. } => Severity::Warning,
            Event::StateChanged { .. } => Severity::Info,
        }
    }
}

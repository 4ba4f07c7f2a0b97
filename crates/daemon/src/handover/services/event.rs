//! What is told about services that cooperate.

use std::fmt;
use std::path::PathBuf;
use terms::{AlarmChange, Reason, Severity};

/// Something that happened to one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Event {
    /// It has joined.
    Joined { name: Reason, user: Reason, addresses: Vec<String> },
    /// It is there no more.
    Left { name: Reason, reason: Reason },
    /// Somebody was not let in.
    Refused { user: Reason, reason: Reason },
    /// Nobody can join.
    Closed { path: PathBuf, reason: Reason },
}

impl terms::Event for Event {
    fn kind(&self) -> &'static str {
        match self {
            Event::Joined { .. } => "service-joined",
            Event::Left { .. } => "service-left",
            Event::Refused { .. } => "service-refused",
            Event::Closed { .. } => "services-closed",
        }
    }

    fn severity(&self) -> Severity {
        match self {
            Event::Joined { .. } | Event::Left { .. } => Severity::Notice,
            Event::Refused { .. } | Event::Closed { .. } => Severity::Warning,
        }
    }

    fn alarm(&self) -> Option<AlarmChange> {
        None
    }
}

impl fmt::Display for Event {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Event::Joined { name, user, addresses } => {
                let addresses = addresses.join(", ");
                write!(
                    f,
                    "the service {name} of {user} cooperates: in a drain, connections to {addresses} go along"
                )
            }
            Event::Left { name, reason } => {
                write!(f, "the service {name} cooperates no more: {reason}")
            }
            Event::Refused { user, reason } => {
                write!(f, "a service of {user} that would cooperate is not let in: {reason}")
            }
            Event::Closed { path, reason } => {
                write!(f, "no service can join at {}: {reason}", path.display())
            }
        }
    }
}

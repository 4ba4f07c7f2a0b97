//! What there is to tell of who hears dnstap.

use std::fmt;
use std::path::PathBuf;
use terms::{AlarmChange, Reason, Severity};

/// Somebody hears what is told, or nobody does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Event {
    /// The reader is not there, has gone, or takes nothing.
    Unheard {
        /// Where it should listen.
        path: PathBuf,
        /// What went wrong.
        reason: Reason,
    },
    /// The file cannot be opened, or written on.
    Unwritten {
        /// Which file.
        path: PathBuf,
        /// What the system said.
        reason: Reason,
    },
    /// A reader that took messages has stayed, after that.
    Heard,
}

impl terms::Event for Event {
    fn kind(&self) -> &'static str {
        match self {
            Event::Unheard { .. } => "dnstap-unheard",
            Event::Unwritten { .. } => "dnstap-unwritten",
            Event::Heard => "dnstap-heard",
        }
    }

    fn severity(&self) -> Severity {
        match self {
            Event::Unheard { .. } | Event::Unwritten { .. } => Severity::Warning,
            Event::Heard => Severity::Notice,
        }
    }

    fn alarm(&self) -> Option<AlarmChange> {
        match self {
            // Nobody who asks for a name is the worse for it.
            Event::Unheard { .. } | Event::Unwritten { .. } | Event::Heard => None,
        }
    }
}

impl fmt::Display for Event {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Event::Unheard { path, reason } => write!(
                f,
                "nobody hears dnstap at {}, so it waits as long as there is room and is dropped then: {reason}",
                path.display()
            ),
            Event::Unwritten { path, reason } => {
                write!(f, "dnstap cannot be written into {}: {reason}", path.display())
            }
            Event::Heard => f.write_str("dnstap is heard"),
        }
    }
}

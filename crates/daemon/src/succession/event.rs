//! What is told about restarts.

use std::fmt;
use std::time::Duration;
use terms::{Reason, Severity};

/// Something that happened at a planned restart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Event {
    /// The program on disk is about to take over.
    Restarting,
    /// This program has taken over.
    Restarted {
        /// The version of the program before.
        before: String,
        /// Sessions that went on.
        sessions: usize,
        /// How long everything stood still.
        gap: Duration,
    },
    /// No other program could be started; this one goes on.
    RestartFailed {
        /// Why.
        reason: Reason,
    },
    /// The program on disk, or the state of this one, does not allow it; nothing was done.
    RestartRefused {
        /// Why.
        reason: Reason,
    },
    /// What the program before left is of no use: this is a start from nothing.
    EstateUnusable {
        /// Why.
        reason: Reason,
    },
    /// A session of the program before was not taken over: it begins anew.
    SessionLost {
        /// Why.
        reason: Reason,
    },
}

impl terms::Event for Event {
    fn kind(&self) -> &'static str {
        match self {
            Event::Restarting => "restarting",
            Event::Restarted { .. } => "restarted",
            Event::RestartFailed { .. } => "restart-failed",
            Event::RestartRefused { .. } => "restart-refused",
            Event::EstateUnusable { .. } => "restart-unusable",
            Event::SessionLost { .. } => "session-not-taken-over",
        }
    }

    fn severity(&self) -> Severity {
        match self {
            Event::Restarting | Event::Restarted { .. } => Severity::Notice,
            Event::RestartFailed { .. }
            | Event::RestartRefused { .. }
            | Event::EstateUnusable { .. }
            | Event::SessionLost { .. } => Severity::Warning,
        }
    }
}

impl fmt::Display for Event {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Event::Restarting => f.write_str("the program on disk takes over"),
            Event::Restarted { before, sessions, gap } => write!(
                f,
                "version {} has taken over from {before}: sessions that went on: {sessions}; everything stood still \
                 for {} ms",
                env!("CARGO_PKG_VERSION"),
                gap.as_millis()
            ),
            Event::RestartFailed { reason } => {
                write!(f, "the program on disk could not take over: {reason}; this one goes on")
            }
            Event::RestartRefused { reason } => write!(f, "a restart was refused: {reason}"),
            Event::EstateUnusable { reason } => {
                write!(
                    f,
                    "what the program before left cannot be used: {reason}; this is a start from nothing"
                )
            }
            Event::SessionLost { reason } => {
                write!(f, "the session of the program before was not taken over: {reason}; it begins anew")
            }
        }
    }
}

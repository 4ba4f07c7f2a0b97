//! What is told about blackholes.

use std::fmt;
use std::path::PathBuf;
use terms::{AlarmChange, AlarmName, Reason, Severity};

/// Something that happened to a blackhole, or to all of them. What is about one is told
/// with its prefix as the subject.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Event {
    /// Peers are asked from now on.
    Begun {
        /// By whom, for how long and why.
        order: Reason,
    },
    /// It was ordered before this program began, and its time is not over.
    Stands {
        /// By whom and why.
        order: Reason,
    },
    /// An operator has ended it.
    Ended {
        /// By whom and why.
        order: Reason,
    },
    /// Its time is over.
    Expired {
        /// By whom and why it was ordered.
        order: Reason,
    },
    /// An order was not carried out, and nothing has changed.
    Refused {
        /// Why not.
        because: Reason,
    },
    /// Those that stood when the last process ended are not readable.
    Unreadable {
        /// Where they were.
        path: PathBuf,
        /// What is wrong with it.
        reason: Reason,
    },
    /// Those that stand could not be written.
    Unwritable {
        /// Where they should be.
        path: PathBuf,
        /// What the system said.
        reason: Reason,
    },
    /// Those that stand are on disk again.
    Kept,
}

/// The alarm that stands while the blackholes that stand are not on disk.
pub(super) const NOT_KEPT: &str = "blackholes-not-kept";

impl terms::Event for Event {
    fn kind(&self) -> &'static str {
        match self {
            Event::Begun { .. } => "blackhole-begun",
            Event::Stands { .. } => "blackhole-stands",
            Event::Ended { .. } => "blackhole-ended",
            Event::Expired { .. } => "blackhole-expired",
            Event::Refused { .. } => "blackhole-refused",
            Event::Unreadable { .. } => "blackholes-unreadable",
            Event::Unwritable { .. } => "blackholes-unwritable",
            Event::Kept => "blackholes-kept",
        }
    }

    fn severity(&self) -> Severity {
        match self {
            Event::Ended { .. } | Event::Expired { .. } | Event::Kept => Severity::Notice,
            Event::Refused { .. } => Severity::Warning,
            Event::Begun { .. }
            | Event::Stands { .. }
            | Event::Unreadable { .. }
            | Event::Unwritable { .. } => Severity::Alarm,
        }
    }

    fn alarm(&self) -> Option<AlarmChange> {
        let blackhole = || AlarmName::only("blackhole");
        match self {
            Event::Begun { .. } | Event::Stands { .. } => Some(AlarmChange::Raised(blackhole())),
            Event::Ended { .. } | Event::Expired { .. } => Some(AlarmChange::Cleared(blackhole())),
            Event::Unreadable { .. } | Event::Unwritable { .. } => {
                Some(AlarmChange::Raised(AlarmName::only(NOT_KEPT)))
            }
            Event::Kept => Some(AlarmChange::Cleared(AlarmName::only(NOT_KEPT))),
            Event::Refused { .. } => None,
        }
    }
}

impl fmt::Display for Event {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Event::Begun { order } => {
                write!(f, "peers are asked to drop what is sent there: {order}")
            }
            Event::Stands { order } => {
                write!(f, "peers are still asked to drop what is sent there: {order}")
            }
            Event::Ended { order } => {
                write!(f, "peers are no longer asked to drop what is sent there: {order}")
            }
            Event::Expired { order } => {
                write!(f, "the time is over for which peers were to drop what is sent there: {order}")
            }
            Event::Refused { because } => {
                write!(f, "refused to ask peers to drop what is sent there: {because}")
            }
            Event::Unreadable { path, reason } => {
                write!(f, "{} is unreadable, no earlier blackhole stands: {reason}", path.display())
            }
            Event::Unwritable { path, reason } => {
                write!(
                    f,
                    "{} cannot be written, a restart will forget the blackholes: {reason}",
                    path.display()
                )
            }
            Event::Kept => f.write_str("the blackholes that stand are on disk"),
        }
    }
}

//! What is told about the secrets of cookies. A secret itself is never told.

use std::fmt;
use terms::{Reason, Severity};

/// Something that happened to the secrets of DNS cookies.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Event {
    /// Cookies are made with another secret from now on.
    Changed {
        /// How many secrets there have been.
        number: u64,
    },
    /// What the last process kept is not usable: clients learn new cookies.
    Unreadable {
        /// What is wrong with it.
        reason: Reason,
    },
    /// The next process will not know them.
    Unwritable {
        /// What the system said.
        reason: Reason,
    },
}

impl terms::Event for Event {
    fn kind(&self) -> &'static str {
        match self {
            Event::Changed { .. } => "cookie-secret-changed",
            Event::Unreadable { .. } => "cookie-secrets-unreadable",
            Event::Unwritable { .. } => "cookie-secrets-unwritable",
        }
    }

    fn severity(&self) -> Severity {
        match self {
            Event::Changed { .. } => Severity::Info,
            Event::Unreadable { .. } | Event::Unwritable { .. } => Severity::Warning,
        }
    }
}

impl fmt::Display for Event {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Event::Changed { number } => {
                write!(
                    f,
                    "DNS cookies are made with secret {number} now; those of the one before are still accepted"
                )
            }
            Event::Unreadable { reason } => {
                write!(f, "the secrets of DNS cookies could not be read: {reason}; clients learn new cookies")
            }
            Event::Unwritable { reason } => write!(
                f,
                "the secrets of DNS cookies could not be kept: {reason}; after a restart clients learn new cookies"
            ),
        }
    }
}

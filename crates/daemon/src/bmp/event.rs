//! What is told about collectors.

use std::fmt;
use std::net::SocketAddr;
use terms::{Reason, Severity};

/// Something that happened to the connection with a collector.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Event {
    /// It is open; the collector is told everything.
    Connected {
        /// With whom.
        address: SocketAddr,
    },
    /// It could not be opened; told once until it could.
    Unreachable {
        /// With whom.
        address: SocketAddr,
        /// Why.
        reason: Reason,
    },
    /// It ended.
    Lost {
        /// Why.
        reason: Reason,
    },
    /// The collector took less than there was to say, for longer than memory lasts.
    Overflowed {
        /// Octets that wait at most.
        max_memory: usize,
    },
}

impl terms::Event for Event {
    fn kind(&self) -> &'static str {
        match self {
            Event::Connected { .. } => "collector-connected",
            Event::Unreachable { .. } => "collector-unreachable",
            Event::Lost { .. } => "collector-lost",
            Event::Overflowed { .. } => "collector-overflowed",
        }
    }

    fn severity(&self) -> Severity {
        match self {
            Event::Connected { .. } => Severity::Notice,
            Event::Unreachable { .. } | Event::Lost { .. } | Event::Overflowed { .. } => Severity::Warning,
        }
    }
}

impl fmt::Display for Event {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Event::Connected { address } => {
                write!(f, "connected to the collector at {address}; it is told everything")
            }
            Event::Unreachable { address, reason } => {
                write!(f, "the collector at {address} cannot be reached, it is tried on: {reason}")
            }
            Event::Lost { reason } => {
                write!(f, "the connection to the collector ended, it begins again: {reason}")
            }
            Event::Overflowed { max_memory } => write!(
                f,
                "the collector is too slow: more than {} MiB waited for it, so it was hung up on and begins again; \
                 peers were not delayed",
                max_memory >> 20
            ),
        }
    }
}

//! What there is to tell of zones that come from other servers, or go to them.

use std::fmt;
use std::net::SocketAddr;
use std::time::Duration;
use terms::{AlarmChange, AlarmName, Reason, Severity};

/// Something that happened to a zone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Event {
    /// Another version has come from a primary and is served.
    Received {
        /// The version.
        serial: u32,
        /// Which primary.
        primary: SocketAddr,
    },
    /// A primary was asked in vain.
    NotReceived {
        /// Which primary.
        primary: SocketAddr,
        /// What went wrong.
        reason: Reason,
    },
    /// No primary has said for too long whether the zone is still right; it is answered with SERVFAIL.
    Expired {
        /// How long it may be served without that, at most.
        after: Duration,
    },
    /// A primary has answered, and the zone is served again.
    Revived,
    /// The site file has it no more; it had expired.
    Left,
    /// The zone's image is not on disk.
    NotKept {
        /// What the system said.
        reason: Reason,
    },
    /// Another server does not hear that there is another version.
    Untold {
        /// The version.
        serial: u32,
        /// Which server.
        secondary: SocketAddr,
        /// What went wrong.
        reason: Reason,
    },
}

impl terms::Event for Event {
    fn kind(&self) -> &'static str {
        match self {
            Event::Received { .. } => "zone-received",
            Event::NotReceived { .. } => "zone-not-received",
            Event::Expired { .. } => "zone-expired",
            Event::Revived => "zone-revived",
            Event::Left => "zone-left",
            Event::NotKept { .. } => "zone-not-kept",
            Event::Untold { .. } => "zone-untold",
        }
    }

    fn severity(&self) -> Severity {
        match self {
            Event::Received { .. } => Severity::Info,
            Event::Revived | Event::Left => Severity::Notice,
            Event::NotReceived { .. } | Event::NotKept { .. } | Event::Untold { .. } => Severity::Warning,
            Event::Expired { .. } => Severity::Alarm,
        }
    }

    fn alarm(&self) -> Option<AlarmChange> {
        let expired = || AlarmName::only("zone-expired");
        match self {
            Event::Expired { .. } => Some(AlarmChange::Raised(expired())),
            Event::Revived | Event::Left => Some(AlarmChange::Cleared(expired())),
            Event::Received { .. }
            | Event::NotReceived { .. }
            | Event::NotKept { .. }
            | Event::Untold { .. } => None,
        }
    }
}

impl fmt::Display for Event {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Event::Received { serial, primary } => write!(f, "serial {serial} has come from {primary}"),
            Event::NotReceived { primary, reason } => write!(f, "{primary}: {reason}"),
            Event::Expired { after } => write!(
                f,
                "expired: no primary has answered for {} s, so it is answered with SERVFAIL until one does",
                after.as_secs()
            ),
            Event::Revived => f.write_str("a primary has answered, it is served again"),
            Event::Left => f.write_str("the site file does not have it any more"),
            Event::NotKept { reason } => {
                write!(f, "it cannot be kept on disk, a restart will have to fetch it: {reason}")
            }
            Event::Untold { serial, secondary, reason } => {
                write!(f, "{secondary} does not hear of serial {serial}: {reason}")
            }
        }
    }
}

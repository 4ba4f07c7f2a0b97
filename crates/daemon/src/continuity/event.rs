//! What is told about connections that move.

use announce::permit::Speaker;
use std::fmt;
use terms::{AlarmChange, AlarmName, Reason, Severity};

/// The alarm that stands while packets of moved connections are not forwarded.
const OFF: &str = "continuity-off";

/// The alarm that stands while nothing is exchanged with a host.
const LEFT_OUT: &str = "continuity-left-out";

/// Something that happened to the forwarding of moved connections.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Event {
    /// The programs are attached and know what the fleet says.
    On {
        /// The interfaces, each with how it runs them.
        interfaces: Reason,
        /// So many other hosts own connections.
        owners: usize,
    },
    /// Packets of moved connections are not forwarded.
    Off {
        /// What is missing.
        reason: Reason,
    },
    /// The site file does not want it any more.
    Ended,
    /// A host is there, and nothing is exchanged with it.
    LeftOut {
        /// Which.
        host: Speaker,
        /// Why.
        reason: Reason,
    },
    /// It is not left out any more, or not there any more.
    TakenIn {
        /// Which.
        host: Speaker,
    },
    /// A host is dead: its connections are reset when their packets arrive here.
    Dead {
        /// Which.
        host: Speaker,
        /// Its connections, as it said last.
        connections: u64,
    },
    /// This site is held, and another one answers new users in its place.
    Relayed {
        /// The host that does.
        to: Speaker,
    },
    /// This site answers new users itself.
    RelayEnded,
}

impl terms::Event for Event {
    fn kind(&self) -> &'static str {
        match self {
            Event::On { .. } => "continuity-on",
            Event::Off { .. } => OFF,
            Event::Ended => "continuity-ended",
            Event::LeftOut { .. } => LEFT_OUT,
            Event::TakenIn { .. } => "continuity-taken-in",
            Event::Dead { .. } => "continuity-owner-dead",
            Event::Relayed { .. } => "continuity-relayed",
            Event::RelayEnded => "continuity-relay-ended",
        }
    }

    fn severity(&self) -> Severity {
        match self {
            Event::Off { .. } | Event::LeftOut { .. } => Severity::Alarm,
            Event::Dead { .. } | Event::Relayed { .. } => Severity::Warning,
            Event::On { .. } | Event::Ended | Event::TakenIn { .. } | Event::RelayEnded => Severity::Notice,
        }
    }

    fn alarm(&self) -> Option<AlarmChange> {
        let about = |host: &Speaker| AlarmName::about(LEFT_OUT, format!("{}/{}", host.site, host.host));
        match self {
            Event::Off { .. } => Some(AlarmChange::Raised(AlarmName::only(OFF))),
            Event::On { .. } | Event::Ended => Some(AlarmChange::Cleared(AlarmName::only(OFF))),
            Event::LeftOut { host, .. } => Some(AlarmChange::Raised(about(host))),
            Event::TakenIn { host } => Some(AlarmChange::Cleared(about(host))),
            Event::Dead { .. } | Event::Relayed { .. } | Event::RelayEnded => None,
        }
    }
}

impl fmt::Display for Event {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Event::On { interfaces, owners } => write!(
                f,
                "packets of moved connections are forwarded, on {interfaces}; other hosts that own connections: {owners}"
            ),
            Event::Off { reason } => {
                write!(f, "packets of moved connections are not forwarded, everything else runs on: {reason}")
            }
            Event::Ended => {
                f.write_str("packets of moved connections are not forwarded any more, as the site file says")
            }
            Event::LeftOut { host, reason } => {
                write!(f, "no packets are exchanged with host {} of site {}: {reason}", host.host, host.site)
            }
            Event::TakenIn { host } => {
                write!(f, "nothing speaks against host {} of site {} any more", host.host, host.site)
            }
            Event::Dead { host, connections } => write!(
                f,
                "host {} of site {} is dead: its connections, {connections} at last, are reset when their packets arrive \
                 here",
                host.host, host.site
            ),
            Event::Relayed { to } => {
                write!(f, "this site is held: new users are answered by host {} of site {}", to.host, to.site)
            }
            Event::RelayEnded => f.write_str("this site answers new users itself"),
        }
    }
}

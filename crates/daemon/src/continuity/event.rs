//! What is told about connections that move.

use announce::permit::Speaker;
use std::fmt;
use terms::{AlarmChange, AlarmName, Reason, Severity};

/// The alarm that stands while packets of moved connections are not forwarded.
const OFF: &str = "continuity-off";

/// The alarm that stands while nothing is exchanged with a host.
const LEFT_OUT: &str = "continuity-left-out";

/// The alarm that stands while programs are in the kernel that nobody wants.
const LEFT: &str = "continuity-left-behind";

/// The alarm that stands while the keys in the store are not those that this host uses.
const STRANGE_KEYS: &str = "continuity-keys";

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
    /// Programs that an earlier daemon has left were taken off.
    TakenOff,
    /// Programs that an earlier daemon has left cannot be taken off.
    Left {
        /// Why not.
        reason: Reason,
    },
    /// Where the programs are pinned cannot be kept for the next daemon.
    NotNoted {
        /// Why not.
        reason: Reason,
    },
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
    /// The store has keys that this version does not understand, and this host goes on with those of before.
    StrangeKeys,
    /// It has none of these any more.
    StrangeKeysGone,
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
            Event::TakenOff => "continuity-taken-off",
            Event::Left { .. } => LEFT,
            Event::NotNoted { .. } => "continuity-not-noted",
            Event::LeftOut { .. } => LEFT_OUT,
            Event::TakenIn { .. } => "continuity-taken-in",
            Event::StrangeKeys => STRANGE_KEYS,
            Event::StrangeKeysGone => "continuity-keys-understood",
            Event::Dead { .. } => "continuity-owner-dead",
            Event::Relayed { .. } => "continuity-relayed",
            Event::RelayEnded => "continuity-relay-ended",
        }
    }

    fn severity(&self) -> Severity {
        match self {
            Event::Off { .. } | Event::Left { .. } | Event::LeftOut { .. } | Event::StrangeKeys => {
                Severity::Alarm
            }
            Event::NotNoted { .. } | Event::Dead { .. } | Event::Relayed { .. } => Severity::Warning,
            Event::On { .. }
            | Event::Ended
            | Event::TakenOff
            | Event::TakenIn { .. }
            | Event::StrangeKeysGone
            | Event::RelayEnded => Severity::Notice,
        }
    }

    fn alarm(&self) -> Option<AlarmChange> {
        let about = |host: &Speaker| AlarmName::about(LEFT_OUT, format!("{}/{}", host.site, host.host));
        match self {
            Event::Off { .. } => Some(AlarmChange::Raised(AlarmName::only(OFF))),
            Event::On { .. } | Event::Ended => Some(AlarmChange::Cleared(AlarmName::only(OFF))),
            Event::LeftOut { host, .. } => Some(AlarmChange::Raised(about(host))),
            Event::TakenIn { host } => Some(AlarmChange::Cleared(about(host))),
            Event::Left { .. } => Some(AlarmChange::Raised(AlarmName::only(LEFT))),
            Event::StrangeKeys => Some(AlarmChange::Raised(AlarmName::only(STRANGE_KEYS))),
            Event::StrangeKeysGone => Some(AlarmChange::Cleared(AlarmName::only(STRANGE_KEYS))),
            Event::TakenOff
            | Event::NotNoted { .. }
            | Event::Dead { .. }
            | Event::Relayed { .. }
            | Event::RelayEnded => None,
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
            Event::TakenOff => f.write_str("programs that an earlier daemon had attached were taken off"),
            Event::Left { reason } => write!(
                f,
                "programs that an earlier daemon has attached still forward packets, and the site file does not want it: {reason}"
            ),
            Event::NotNoted { reason } => write!(
                f,
                "where the programs are pinned cannot be kept, so the next daemon will not take them off where it should: \
                 {reason}"
            ),
            Event::LeftOut { host, reason } => {
                write!(f, "no packets are exchanged with host {} of site {}: {reason}", host.host, host.site)
            }
            Event::TakenIn { host } => {
                write!(f, "nothing speaks against host {} of site {} any more", host.host, host.site)
            }
            Event::StrangeKeys => f.write_str(
                "the keys in the fleet's store are none to this version, and this host goes on with those of before: hosts \
                 that use others do not take its packets. Bring all hosts to one version, or delete \
                 `continuity/v1/keys` in the store: the keys of before are put back",
            ),
            Event::StrangeKeysGone => f.write_str("the keys in the fleet's store are understood again"),
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

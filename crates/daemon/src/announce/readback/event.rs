//! What is told of peers that know something else beside the groups. Of a group, its machine tells.

use std::fmt;
use terms::{AlarmChange, AlarmName, PeerName, Severity};

/// Something about covers and blackholes as the peers know them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Event {
    /// Telling again did not help.
    Differ {
        /// Who knows something else.
        peers: Vec<PeerName>,
        /// How often they were told again.
        resends: u32,
    },
    /// Every peer knows what is decided.
    Agree,
}

impl terms::Event for Event {
    fn kind(&self) -> &'static str {
        match self {
            Event::Differ { .. } => "peers-differ",
            Event::Agree => "peers-agree",
        }
    }

    fn severity(&self) -> Severity {
        match self {
            Event::Differ { .. } => Severity::Alarm,
            Event::Agree => Severity::Notice,
        }
    }

    fn alarm(&self) -> Option<AlarmChange> {
        // As it is called where a group is the subject.
        let name = AlarmName::only("differs");
        Some(match self {
            Event::Differ { .. } => AlarmChange::Raised(name),
            Event::Agree => AlarmChange::Cleared(name),
        })
    }
}

impl fmt::Display for Event {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Event::Differ { peers, resends } => {
                let names: Vec<String> = peers.iter().map(ToString::to_string).collect();
                let names = names.join(", ");
                write!(
                    f,
                    "{names} told other covering prefixes or blackholes than decided, re-sent {resends} times"
                )
            }
            Event::Agree => {
                f.write_str("every peer was told the covering prefixes and blackholes that are decided")
            }
        }
    }
}

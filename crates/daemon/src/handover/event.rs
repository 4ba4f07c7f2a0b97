//! What is told about connections that go to another site.

use super::tally::{Numbers, Why};
use std::collections::BTreeMap;
use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;
use terms::{AlarmChange, Reason, Severity};

/// Something that happened when connections were handed over.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Event {
    /// So many were given away since this was told last.
    Moved {
        given: u64,
        kept: BTreeMap<Why, u64>,
        /// The longest ever that the packets of one were held.
        longest: Duration,
    },
    /// This kernel or this process cannot do it.
    Impossible { reason: Reason },
    /// No other site is well.
    NobodyTakes,
    /// Other sites cannot call here.
    Deaf { at: SocketAddr, reason: Reason },
    /// Somebody at the address of another site says what is not believed.
    Distrusted { from: IpAddr, reason: Reason },
}

impl Event {
    /// What has happened between two looks at the numbers.
    pub(super) fn of(before: &Numbers, now: &Numbers) -> Self {
        let more = |(why, number): (&Why, &u64)| {
            let more = number - before.kept.get(why).copied().unwrap_or_default();
            (more > 0).then_some((*why, more))
        };
        Event::Moved {
            given: now.given - before.given,
            kept: now.kept.iter().filter_map(more).collect(),
            longest: now.longest_stall,
        }
    }
}

impl terms::Event for Event {
    fn kind(&self) -> &'static str {
        match self {
            Event::Moved { .. } => "handover-moved",
            Event::Impossible { .. } => "handover-impossible",
            Event::NobodyTakes => "handover-nobody-takes",
            Event::Deaf { .. } => "handover-deaf",
            Event::Distrusted { .. } => "handover-distrusted",
        }
    }

    fn severity(&self) -> Severity {
        match self {
            Event::Moved { kept, .. } if kept.is_empty() => Severity::Notice,
            Event::Moved { .. }
            | Event::Impossible { .. }
            | Event::NobodyTakes
            | Event::Deaf { .. }
            | Event::Distrusted { .. } => Severity::Warning,
        }
    }

    fn alarm(&self) -> Option<AlarmChange> {
        None
    }
}

/// What follows from its staying, whatever the reason.
const FORWARDED: &str = "connections stay here and are forwarded until they end";

impl fmt::Display for Event {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Event::Moved { given, kept, longest } => {
                let longest = longest.as_secs_f64() * 1000.0;
                write!(
                    f,
                    "connections that another site has taken: {given}; packets were held for {longest:.1} ms at most"
                )?;
                if !kept.is_empty() {
                    let kept: Vec<_> =
                        kept.iter().map(|(why, number)| format!("{number} {}", why.words())).collect();
                    write!(f, "; connections that it has not: {}", kept.join(", "))?;
                }
                Ok(())
            }
            Event::Impossible { reason } => {
                write!(f, "no connection can be handed over: {reason}; {FORWARDED}")
            }
            Event::NobodyTakes => {
                write!(f, "no other site is well that could take connections over; {FORWARDED}")
            }
            Event::Deaf { at, reason } => {
                write!(f, "other sites cannot hand connections over to {at}: {reason}")
            }
            Event::Distrusted { from, reason } => {
                write!(f, "{from} hands connections over, and is not believed: {reason}")
            }
        }
    }
}

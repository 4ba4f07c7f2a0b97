//! What a session tells people.

use crate::session::{Direction, LIMIT_PAUSE, StaleEnd, StateName};
use crate::wire::notification::{ErrorCode, Notification};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use std::fmt;
use std::time::Duration;
use terms::{AlarmChange, AlarmName, Asn, Family, Prefix, Reason, Severity};

/// The alarm that stands while more is wanted than may be told.
const MAX_ANNOUNCED: &str = "max-announced";
/// The alarm that stands while the session pauses because of too many prefixes.
const MAX_PREFIXES: &str = "max-prefixes";

/// Something worth a line in the log. The sentences do not name the neighbour: whoever shows them knows it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Event {
    /// The state machine went on.
    StateChanged {
        /// Before.
        from: StateName,
        /// Now.
        to: StateName,
        /// Why.
        reason: Reason,
    },
    /// We ended a connection and said why.
    NotificationSent(Notification),
    /// The neighbour ended a connection and said why.
    NotificationReceived(Notification),
    /// Two connections met, one is kept (RFC 4271 section 6.8).
    CollisionResolved {
        /// Who opened the one that is kept.
        kept: Direction,
    },
    /// The neighbour now knows what it is to know.
    Told {
        /// Announced, or announced again with other attributes.
        announced: Prefixes,
        /// Taken back.
        withdrawn: Prefixes,
    },
    /// Some wanted routes cannot be told to this neighbour; the others are.
    CannotTell {
        /// Which ones.
        prefixes: Prefixes,
        /// What is in the way of the first.
        reason: Reason,
    },
    /// More routes are wanted than may ever be told: what is new among them is not.
    TooManyWanted {
        /// How many are wanted.
        wanted: usize,
        /// How many may be.
        limit: u32,
        /// Those that are not told.
        prefixes: Prefixes,
    },
    /// No longer more routes are wanted than may be told.
    WantedFits,
    /// The neighbour announces almost as many prefixes as it may.
    ManyPrefixes {
        /// Of this family.
        family: Family,
        /// How many.
        count: usize,
        /// How many it may.
        limit: u32,
    },
    /// The neighbour announced more prefixes than it may: the session ends for long.
    TooManyPrefixes {
        /// Of this family.
        family: Family,
        /// How many it may.
        limit: u32,
    },
    /// The pause after too many prefixes is over.
    PrefixesForgiven,
    /// The neighbour asked to be told everything again (RFC 2918).
    RefreshRequested(Family),
    /// We asked the neighbour to tell everything again (RFC 2918).
    RefreshAsked(Family),
    /// The neighbour has told all it has (RFC 4724 section 2).
    EndOfRib(Family),
    /// The session is lost, and the neighbour may be restarting: what it told stays (RFC 4724 section 4.2).
    NeighbourRestarts {
        /// Of these families.
        families: BTreeSet<Family>,
        /// For how long at most, until it is back.
        within: Duration,
    },
    /// Routes of before the neighbour's restart are kept no longer.
    StaleForgotten {
        /// Of these families.
        families: BTreeSet<Family>,
        /// Why.
        why: StaleEnd,
    },
    /// We have restarted: the neighbour keeps what it was told before until everything is decided (RFC 4724
    /// section 4.1).
    EndOfRibDeferred {
        /// Or until that time is over.
        within: Duration,
    },
    /// What the neighbour was told before our restart, and not since, it is to forget now.
    EndOfRibDue {
        /// Whether everything is decided; otherwise the time is over.
        decided: bool,
    },
    /// Routes leaked to us (RFC 9234): they are counted and not kept.
    Leaked {
        /// Which ones, each as often as it was announced.
        prefixes: Prefixes,
        /// Who marked the first as one for its customers only.
        marked_by: Asn,
    },
    /// UPDATEs with faults arrived that do not end the session (RFC 7606).
    Tolerated {
        /// UPDATEs whose routes were treated as withdrawn.
        treated_as_withdraw: u64,
        /// Attributes that were discarded.
        discarded_attributes: u64,
        /// The first fault.
        reason: Reason,
    },
}

/// Prefixes as one phrase: how many, and the first few by name.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Prefixes {
    /// How many.
    pub count: usize,
    /// The first of them.
    pub first: Vec<Prefix>,
}

impl Prefixes {
    /// How many are named.
    const NAMED: usize = 4;

    /// One more.
    pub fn push(&mut self, prefix: Prefix) {
        self.count += 1;
        if self.first.len() < Self::NAMED {
            self.first.push(prefix);
        }
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.count == 0
    }
}

impl FromIterator<Prefix> for Prefixes {
    fn from_iter<I: IntoIterator<Item = Prefix>>(prefixes: I) -> Self {
        let mut phrase = Prefixes::default();
        prefixes.into_iter().for_each(|prefix| phrase.push(prefix));
        phrase
    }
}

impl fmt::Display for Prefixes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (position, prefix) in self.first.iter().enumerate() {
            write!(f, "{}{prefix}", if position == 0 { "" } else { ", " })?;
        }
        match self.count - self.first.len() {
            0 => Ok(()),
            more => write!(f, " and {more} more"),
        }
    }
}

impl fmt::Display for Event {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Event::StateChanged { from, to, reason } => write!(f, "{from} -> {to}: {reason}"),
            Event::NotificationSent(notification) => write!(f, "we ended the connection: {notification}"),
            Event::NotificationReceived(notification) => {
                write!(f, "the neighbour ended the connection: {notification}")
            }
            Event::CollisionResolved { kept } => {
                write!(f, "two connections met, the {kept} one is kept")
            }
            Event::Told { announced, withdrawn } if withdrawn.is_empty() => {
                write!(f, "announced {announced}")
            }
            Event::Told { announced, withdrawn } if announced.is_empty() => {
                write!(f, "withdrew {withdrawn}")
            }
            Event::Told { announced, withdrawn } => {
                write!(f, "withdrew {withdrawn}; announced {announced}")
            }
            Event::CannotTell { prefixes, reason } => write!(f, "cannot announce {prefixes}: {reason}"),
            Event::TooManyWanted { wanted, limit, prefixes } => {
                write!(f, "{wanted} routes are wanted and at most {limit} may be announced: ")?;
                match prefixes.is_empty() {
                    true => f.write_str("what was announced before stays, nothing is added"),
                    false => write!(f, "not announced: {prefixes}"),
                }
            }
            Event::WantedFits => f.write_str("no more routes are wanted than may be announced"),
            Event::ManyPrefixes { family, count, limit } => {
                write!(
                    f,
                    "the neighbour announces {count} {family} prefixes, the session ends beyond {limit}"
                )
            }
            Event::TooManyPrefixes { family, limit } => write!(
                f,
                "the neighbour announced more than {limit} {family} prefixes: the session pauses for {} min, \
                 or until the bound changes",
                LIMIT_PAUSE.as_secs() / 60
            ),
            Event::PrefixesForgiven => f.write_str("the pause after too many prefixes is over"),
            Event::RefreshAsked(family) => {
                write!(f, "asked the neighbour to tell its {family} routes again")
            }
            Event::RefreshRequested(family) => {
                write!(f, "the neighbour asked to be told its {family} routes again")
            }
            Event::EndOfRib(family) => write!(f, "the neighbour has told all its {family} routes"),
            Event::NeighbourRestarts { families, within } => write!(
                f,
                "the neighbour may be restarting: its {} routes stay for {} s at most, until it is back",
                listed(families),
                within.as_secs()
            ),
            Event::StaleForgotten { families, why } => {
                write!(f, "the neighbour's {} routes of before are forgotten: {why}", listed(families))
            }
            Event::EndOfRibDeferred { within } => write!(
                f,
                "we restarted: the neighbour keeps what it was told before until all is decided, {} s at most",
                within.as_secs()
            ),
            Event::EndOfRibDue { decided: true } => {
                f.write_str("all is decided: the neighbour forgets what it was told before our restart only")
            }
            Event::EndOfRibDue { decided: false } => f.write_str(
                "not all is decided and the time is over: the neighbour forgets what it was told before our \
                 restart only",
            ),
            Event::Leaked { prefixes, marked_by } => {
                write!(f, "leaked to us: {prefixes}; AS {marked_by} marked them for its customers only")
            }
            Event::Tolerated { treated_as_withdraw, discarded_attributes, reason } => write!(
                f,
                "faulty UPDATEs tolerated ({treated_as_withdraw} treated as withdraw, \
                 {discarded_attributes} attributes discarded): {reason}"
            ),
        }
    }
}

/// "ipv4 and ipv6".
fn listed(families: &BTreeSet<Family>) -> String {
    families.iter().map(ToString::to_string).collect::<Vec<_>>().join(" and ")
}

impl terms::Event for Event {
    fn kind(&self) -> &'static str {
        match self {
            Event::StateChanged { .. } => "state-changed",
            Event::NotificationSent(_) => "notification-sent",
            Event::NotificationReceived(_) => "notification-received",
            Event::CollisionResolved { .. } => "collision-resolved",
            Event::Told { .. } => "told",
            Event::CannotTell { .. } => "cannot-tell",
            Event::TooManyWanted { .. } => "too-many-wanted",
            Event::WantedFits => "wanted-fits",
            Event::ManyPrefixes { .. } => "many-prefixes",
            Event::TooManyPrefixes { .. } => "too-many-prefixes",
            Event::PrefixesForgiven => "prefixes-forgiven",
            Event::RefreshRequested(_) => "refresh-requested",
            Event::RefreshAsked(_) => "refresh-asked",
            Event::EndOfRib(_) => "end-of-rib",
            Event::NeighbourRestarts { .. } => "neighbour-restarts",
            Event::StaleForgotten { .. } => "stale-forgotten",
            Event::EndOfRibDeferred { .. } => "end-of-rib-deferred",
            Event::EndOfRibDue { .. } => "end-of-rib-due",
            Event::Leaked { .. } => "leaked",
            Event::Tolerated { .. } => "tolerated",
        }
    }

    fn severity(&self) -> Severity {
        match self {
            Event::StateChanged { from: StateName::Established, .. } => Severity::Warning,
            Event::StateChanged { to: StateName::Established, .. } => Severity::Notice,
            Event::StateChanged { .. } | Event::CollisionResolved { .. } => Severity::Info,
            Event::NotificationSent(notification) | Event::NotificationReceived(notification) => {
                let said = notification.wrapped().map_or(notification.error, |wrapped| wrapped.error);
                match said {
                    ErrorCode::ADMINISTRATIVE_SHUTDOWN | ErrorCode::CONNECTION_COLLISION => Severity::Notice,
                    _ => Severity::Warning,
                }
            }
            Event::Told { .. } => Severity::Notice,
            Event::CannotTell { .. }
            | Event::ManyPrefixes { .. }
            | Event::Leaked { .. }
            | Event::Tolerated { .. } => Severity::Warning,
            Event::TooManyWanted { .. } | Event::TooManyPrefixes { .. } => Severity::Alarm,
            Event::WantedFits | Event::PrefixesForgiven => Severity::Notice,
            Event::NeighbourRestarts { .. } | Event::EndOfRibDeferred { .. } => Severity::Notice,
            Event::StaleForgotten { .. } | Event::EndOfRibDue { decided: false } => Severity::Warning,
            Event::EndOfRibDue { decided: true } => Severity::Info,
            Event::RefreshRequested(_) | Event::RefreshAsked(_) | Event::EndOfRib(_) => Severity::Info,
        }
    }

    fn alarm(&self) -> Option<AlarmChange> {
        match self {
            Event::TooManyWanted { .. } => Some(AlarmChange::Raised(AlarmName::only(MAX_ANNOUNCED))),
            Event::WantedFits => Some(AlarmChange::Cleared(AlarmName::only(MAX_ANNOUNCED))),
            Event::TooManyPrefixes { .. } => Some(AlarmChange::Raised(AlarmName::only(MAX_PREFIXES))),
            Event::PrefixesForgiven => Some(AlarmChange::Cleared(AlarmName::only(MAX_PREFIXES))),
            Event::StateChanged { .. }
            | Event::NotificationSent(_)
            | Event::NotificationReceived(_)
            | Event::CollisionResolved { .. }
            | Event::Told { .. }
            | Event::CannotTell { .. }
            | Event::ManyPrefixes { .. }
            | Event::RefreshRequested(_)
            | Event::RefreshAsked(_)
            | Event::EndOfRib(_)
            | Event::NeighbourRestarts { .. }
            | Event::StaleForgotten { .. }
            | Event::EndOfRibDeferred { .. }
            | Event::EndOfRibDue { .. }
            | Event::Leaked { .. }
            | Event::Tolerated { .. } => None,
        }
    }
}

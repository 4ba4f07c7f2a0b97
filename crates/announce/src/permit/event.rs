//! What the permit machine tells: one sentence per event, and the alarms that stand.

use serde::{Deserialize, Serialize};
use std::fmt;
use terms::{AlarmChange, AlarmName, Reason, Severity};

/// Something that happened between this host and the fleet.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Event {
    /// This host may withdraw.
    Granted {
        /// By which record, and who else is away.
        reason: Reason,
    },
    /// It asked, and may not yet. It goes on asking.
    Refused {
        /// The numbers that decided it.
        reason: Reason,
    },
    /// It announces, and the record says so: it takes no slot.
    Stands {
        /// What is over.
        reason: Reason,
    },
    /// It announces nothing and had no leave, and the record says so.
    Fell {
        /// Why, and what it costs.
        reason: Reason,
    },
    /// This host charged another whose lease had lapsed.
    Charged {
        /// Whom, and what it costs.
        reason: Reason,
    },
    /// The operator took this site off the list.
    Retired,
    /// An alarm begins.
    Raised {
        /// Which.
        alarm: Alarm,
        /// What exactly.
        reason: Reason,
    },
    /// An alarm is over.
    Cleared {
        /// Which.
        alarm: Alarm,
    },
}

/// Something that is wrong with the fleet, or with this host's view of it, and stays wrong until it is cleared.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Alarm {
    /// The store cannot be asked. Announcements stay as they are; nobody gets leave from here.
    StoreLost,
    /// The store was restored from an old backup. Nobody gets leave until every host that stands has confirmed.
    StoreRestored,
    /// What lies in the store is no record.
    StoreGarbled,
    /// The site files disagree on `min_sites`; the largest counts.
    MinSitesDiffer,
    /// More sites are away than may be. Nobody gets leave until enough of them are back.
    Debt,
    /// The operator freed a permit that this site may still use.
    Waived,
}

impl Alarm {
    /// Its stable name.
    pub fn name(self) -> &'static str {
        match self {
            Alarm::StoreLost => "store-lost",
            Alarm::StoreRestored => "store-restored",
            Alarm::StoreGarbled => "store-garbled",
            Alarm::MinSitesDiffer => "min-sites-differ",
            Alarm::Debt => "fleet-debt",
            Alarm::Waived => "permit-waived",
        }
    }
}

impl fmt::Display for Alarm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl terms::Event for Event {
    fn kind(&self) -> &'static str {
        match self {
            Event::Granted { .. } => "permit-granted",
            Event::Refused { .. } => "permit-refused",
            Event::Stands { .. } => "permit-stands",
            Event::Fell { .. } => "permit-fell",
            Event::Charged { .. } => "permit-charged",
            Event::Retired => "permit-retired",
            Event::Raised { alarm, .. } => alarm.name(),
            Event::Cleared { .. } => "fleet-alarm-cleared",
        }
    }

    fn severity(&self) -> Severity {
        match self {
            Event::Granted { .. } | Event::Stands { .. } | Event::Cleared { .. } => Severity::Notice,
            Event::Refused { .. } | Event::Fell { .. } | Event::Charged { .. } | Event::Retired => {
                Severity::Warning
            }
            Event::Raised { .. } => Severity::Alarm,
        }
    }

    fn alarm(&self) -> Option<AlarmChange> {
        match self {
            Event::Raised { alarm, .. } => Some(AlarmChange::Raised(AlarmName::only(alarm.name()))),
            Event::Cleared { alarm } => Some(AlarmChange::Cleared(AlarmName::only(alarm.name()))),
            Event::Granted { .. } | Event::Refused { .. } | Event::Stands { .. } => None,
            Event::Fell { .. } | Event::Charged { .. } | Event::Retired => None,
        }
    }
}

impl fmt::Display for Event {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Event::Granted { reason } => write!(f, "permit granted: {reason}"),
            Event::Refused { reason } => write!(f, "permit refused: {reason}"),
            Event::Stands { reason } => write!(f, "the fleet counts on this host: {reason}"),
            Event::Fell { reason } => write!(f, "the fleet does not count on this host: {reason}"),
            Event::Charged { reason } => write!(f, "charged: {reason}"),
            Event::Retired => f.write_str("the operator retired this site: the fleet no longer counts it"),
            Event::Raised { alarm, reason } => write!(f, "{alarm}: {reason}"),
            Event::Cleared { alarm } => write!(f, "{alarm} is over"),
        }
    }
}

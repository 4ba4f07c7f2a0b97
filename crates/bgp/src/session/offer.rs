//! What our OPEN offers, and how it gives way to a neighbour that refuses.

use crate::session::Settings;
use crate::session::graceful::restart::Restart;
use crate::wire::capability::{AddPath, Capability};
use crate::wire::notification::ErrorCode;
use crate::wire::open::{HoldTime, Open};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use terms::Family;

/// What the next OPEN offers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Offer {
    /// What the settings say.
    Full,
    /// A hold time that everybody accepts, after a shorter one was refused.
    LongHold,
    /// No capabilities, for a neighbour that predates them (RFC 5492 section 3): IPv4 alone.
    Plain,
}

impl Offer {
    /// What to offer after the neighbour refused this offer with that error.
    pub(crate) fn after_refusal(self, error: ErrorCode, settings: &Settings) -> Offer {
        match error {
            ErrorCode::UNACCEPTABLE_HOLD_TIME if settings.hold_time < HoldTime::CONSERVATIVE => {
                Offer::LongHold
            }
            ErrorCode::UNSUPPORTED_PARAMETER if settings.families.contains(&Family::Ipv4) => Offer::Plain,
            _ => Offer::Full,
        }
    }

    /// The message.
    pub(crate) fn open(self, settings: &Settings, restart: &Restart) -> Open {
        let capabilities = match self {
            Offer::Full | Offer::LongHold => capabilities(settings, restart),
            Offer::Plain => Vec::new(),
        };
        let hold_time = match self {
            Offer::Full | Offer::Plain => settings.hold_time,
            Offer::LongHold => HoldTime::CONSERVATIVE,
        };
        Open { asn: settings.local_asn, hold_time, router_id: settings.router_id, capabilities }
    }
}

fn capabilities(settings: &Settings, restart: &Restart) -> Vec<Capability> {
    let families = settings.families.iter().copied().map(Capability::Multiprotocol);
    let always = [
        Capability::RouteRefresh,
        Capability::EnhancedRouteRefresh,
        Capability::ExtendedMessage,
        Capability::FourOctetAsn(settings.local_asn),
    ];
    let all: BTreeMap<Family, AddPath> =
        settings.families.iter().map(|&family| (family, settings.add_path)).collect();
    let add_path = (settings.add_path != AddPath::default()).then_some(Capability::AddPath(all));
    // The capability adds something to IPv4 alone.
    let ipv6_next_hop = settings.extended_next_hop && settings.families.contains(&Family::Ipv4);
    let extended_next_hop =
        ipv6_next_hop.then(|| Capability::ExtendedNextHop(BTreeSet::from([Family::Ipv4])));
    let chosen = settings.role.map(Capability::Role).into_iter().chain(add_path).chain(extended_next_hop);
    families.chain(always).chain(chosen).chain(restart.capability(settings)).collect()
}

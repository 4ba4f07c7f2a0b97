//! What is known of a world beside what its clients see: what daemons say, what operators were answered, which
//! addresses a host has, where routers send packets.

use crate::calls::Call;
use crate::delivery::Account;
use crate::hostile::Progress;
use crate::scenario::expectation::Expectation;
use crate::scenario::record::Viewpoint;
use crate::scenario::words::ClientName;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::net::IpAddr;
use std::sync::Arc;
use terms::{DomainName, Family, Prefix, SiteName, WallTime};

/// What is known at one moment.
#[derive(Clone, Debug, Default)]
pub struct Facts {
    /// The status of each site that was asked for and whose daemon answers.
    pub statuses: BTreeMap<SiteName, api::Status>,
    /// The events of each site that was asked for and whose daemon answers, oldest first.
    pub events: BTreeMap<SiteName, Vec<api::EventRow>>,
    /// The fleet as each site that was asked for and whose daemon answers sees it.
    pub fleets: BTreeMap<SiteName, api::FleetStatus>,
    /// The service addresses that each host that was asked for lacks.
    pub missing: BTreeMap<SiteName, Vec<IpAddr>>,
    /// The routes that the edge router of each site that was asked for has from the site's host.
    pub told_routers: BTreeMap<SiteName, ToldRouter>,
    /// What a client was answered for a name over each family, where that was asked for.
    pub resolved: BTreeMap<(ClientName, DomainName), Vec<Resolved>>,
    /// What becomes of packets that a client sends to an address, where that was asked for.
    pub ends: BTreeMap<(ClientName, IpAddr), PacketEnd>,
    /// What operators ordered, in order.
    pub orders: Vec<Ordered>,
    /// The clients as the map draws them, with the reason of each detour.
    pub clients: Vec<api::Client>,
    /// How far each attack is; those of sites that were attacked.
    pub attacks: BTreeMap<SiteName, Progress>,
    /// Where the routers' own tables lead each client, if that was asked for.
    pub walks: Vec<Walk>,
    /// What hosts were sent, if that was asked for.
    pub account: Account,
    /// The connections that have moved, as each site that was asked for and whose daemon answers sees them.
    pub flows: BTreeMap<SiteName, api::Flows>,
    /// The connections that clients hold, if that was asked for.
    pub calls: Vec<Call>,
    /// The service that each site announces.
    pub services: BTreeMap<SiteName, Arc<str>>,
    /// How often each client was reset in whose name somebody floods.
    pub resets: BTreeMap<String, u64>,
    /// The time of day at which the step's faults were done.
    pub fault: WallTime,
}

/// What becomes of a packet in the end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PacketEnd {
    /// It arrives at the host of this site.
    Reaches(SiteName),
    /// This node drops it on purpose.
    DroppedBy(String),
    /// This node knows no further, or would send it in a circle.
    LostAt(String),
}

/// What an edge router has from the host of its site, and what it should have.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ToldRouter {
    /// The routes that it has.
    pub has: BTreeSet<Prefix>,
    /// Those of the service.
    pub of_service: BTreeSet<Prefix>,
}

impl ToldRouter {
    /// Whether it has the routes of the service, and no other.
    pub fn is_right(&self) -> bool {
        self.has == self.of_service
    }
}

/// What a client was answered for a name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Resolved {
    /// Over which family.
    pub family: Family,
    /// The text; none without a good answer.
    pub text: Option<String>,
    /// The name of the server that answered (NSID); none if it did not say.
    pub server: Option<String>,
}

impl fmt::Display for Resolved {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (&self.text, &self.server) {
            (Some(text), Some(server)) => write!(f, "{text} from {server} over {}", self.family),
            (Some(text), None) => write!(f, "{text} over {}", self.family),
            (None, _) => write!(f, "no answer over {}", self.family),
        }
    }
}

impl Facts {
    /// What was ordered since the fault.
    pub fn orders_of_step(&self) -> impl Iterator<Item = &Ordered> {
        self.orders.iter().filter(|order| order.at >= self.fault)
    }
}

/// Where packets of a client go, asked of each router on the way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Walk {
    /// Who sends them, over which family.
    pub viewpoint: Viewpoint,
    /// The site that they end at, or what is wrong on the way.
    pub ends: Result<SiteName, String>,
}

/// Something that an operator ordered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ordered {
    /// At which site.
    pub site: SiteName,
    /// When.
    pub at: WallTime,
    /// What came of it; none as long as the command waits.
    pub answer: Option<Answer>,
}

/// What an operator was answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// It is done; what the command said.
    Obeyed(String),
    /// It is not; what the command said.
    Refused(String),
}

/// Whom expectations speak of. Only they are asked: a daemon that hangs would keep everybody waiting.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Asked {
    /// Whether every daemon is asked how it is.
    pub everybody: bool,
    /// Whose daemon is asked how it is, if not every one is.
    pub statuses: BTreeSet<SiteName>,
    /// Whose daemon is asked what happened.
    pub events: BTreeSet<SiteName>,
    /// Whose daemon is asked about the fleet.
    pub fleets: BTreeSet<SiteName>,
    /// Whose daemon is asked about connections that have moved.
    pub flows: BTreeSet<SiteName>,
    /// Whose host is looked at for the service addresses.
    pub addresses: BTreeSet<SiteName>,
    /// Whose edge router is asked what it has from the host.
    pub routers: BTreeSet<SiteName>,
    /// Whose packets to which address are followed.
    pub followed: BTreeSet<(ClientName, IpAddr)>,
    /// Who asks for which name.
    pub resolved: BTreeSet<(ClientName, DomainName)>,
    /// Whether every router on the way of each client is asked.
    pub walks: bool,
    /// Whether hosts are asked what they were sent, and multicast routers what they know.
    pub account: bool,
    /// Whether clients are asked about their connections.
    pub calls: bool,
}

impl Asked {
    /// Those of whom these expectations speak.
    pub fn by<'a>(expectations: impl IntoIterator<Item = &'a Expectation>) -> Self {
        let mut asked = Asked::default();
        for expectation in expectations {
            asked.walks |= *expectation == Expectation::CatchmentsAsRoutersTell;
            let set = match expectation {
                Expectation::SiteSaid { .. } => &mut asked.events,
                Expectation::SiteHasAddresses { .. } => &mut asked.addresses,
                Expectation::SiteTellsNothingElse { .. } => &mut asked.routers,
                Expectation::FleetStands { .. }
                | Expectation::CountsAway { .. }
                | Expectation::SeesBehind { .. }
                | Expectation::SeesNobodyBehind { .. } => &mut asked.fleets,
                Expectation::SiteKnowsOwners { .. }
                | Expectation::SiteKnowsConnections { .. }
                | Expectation::SiteForwards { .. }
                | Expectation::SiteGave { .. }
                | Expectation::SiteDropsNothing { .. }
                | Expectation::SiteHearsThroughOthers { .. }
                | Expectation::SiteAddsUp { .. }
                | Expectation::SiteMissesAtMost { .. } => &mut asked.flows,
                _ => &mut asked.statuses,
            };
            set.extend(expectation.looks_at().cloned());
            asked.followed.extend(expectation.follows().map(|(client, to)| (client.clone(), to)));
            asked
                .resolved
                .extend(expectation.resolves().map(|(client, name)| (client.clone(), name.clone())));
            asked.everybody |= expectation.looks_at_all();
            asked.account |= expectation.counts_packets();
            asked.calls |= expectation.follows_connections();
        }
        asked
    }
}

//! The world file: cities, networks, who buys transit from whom, and who asks.
//!
//! ```toml
//! [world]
//! name = "tiny"
//! service = "nsd"                         # or "built-in", the default: the daemon answers itself
//! probe = "20ms"                          # how often each client asks
//!
//! [[as]]                                  # one router in each city; `links` are backbone cables
//! asn = 64601
//! name = "Atlas"
//! cities = ["london", "newyork"]
//! links = ["london-newyork"]
//!
//! [[as]]                                  # the anycast network: islands without a backbone
//! asn = 64500
//! name = "Anycast"
//! sites = ["london", "newyork"]
//! host_asn = 64501                        # the AS that the hosts behind its routers speak for
//!
//! [relations]
//! transit = ["Anycast > Atlas @ london"]  # customer > provider @ city, or @ its city=the other's city
//! peering = ["Atlas = Borea @ newyork"]
//!
//! [clients]                               # city = network
//! london = "Thames"
//!
//! [[city]]                                # adds a city to the table, or moves one
//! name = "elsewhere"
//! lat = 1.5
//! lon = 2.5
//!
//! [[cable]]                               # overrides what geography says
//! ends = ["atlas-london", "atlas-newyork"]
//! ms = 35.0
//! loss = 0.01
//!
//! [site]                                  # how the operator runs the sites: see `Operation`
//! drain = "3s"
//!
//! [fleet]
//! min_sites = 2
//! ```

mod built_in;
mod operation;
mod reader;
mod relation;

pub use built_in::{BUILT_IN, built_in};
pub use operation::{BFD_MULTIPLIER, Fleet, Operation, Written};

use document::Faults;
use serde::Serialize;
use std::str::FromStr;
use std::time::Duration;
use terms::{Asn, GeoPoint, SiteName};

/// A world as its file describes it. Everything that is named is there.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct World {
    /// Its name.
    pub name: String,
    /// What answers at the sites.
    pub service: Service,
    /// How often each client asks over IPv4.
    pub probe: Duration,
    /// How often each client asks over IPv6.
    pub probe_ipv6: Duration,
    /// The autonomous systems.
    pub networks: Vec<Network>,
    /// Who sells transit to whom, and who peers.
    pub relations: Vec<Relation>,
    /// Who asks, in the order of the file.
    pub clients: Vec<Client>,
    /// The AS that the hosts of the sites speak for.
    pub host_asn: Asn,
    /// The sites of the anycast network, in the order of the file.
    pub sites: Vec<Site>,
    /// Cables that differ from what geography says.
    pub overrides: Vec<CableOverride>,
    /// How the operator runs the sites.
    pub operation: Operation,
}

/// What answers at the sites.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Service {
    /// The DNS service of the daemon itself.
    #[default]
    BuiltIn,
    /// Debian's NSD beside the daemon.
    Nsd,
}

/// A service that there is not.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("there is no service `{0}`; known: built-in, nsd")]
pub struct NoSuchService(String);

impl FromStr for Service {
    type Err = NoSuchService;
    fn from_str(text: &str) -> Result<Self, NoSuchService> {
        match text {
            "built-in" => Ok(Service::BuiltIn),
            "nsd" => Ok(Service::Nsd),
            other => Err(NoSuchService(other.to_owned())),
        }
    }
}

/// A city where something stands.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Place {
    /// Its name in lower case without blanks, as names of nodes have it: `newyork`.
    pub key: String,
    /// Its name as people write it: `New York`.
    pub city: String,
    /// Where it lies.
    pub at: GeoPoint,
}

/// An autonomous system: a router in each of its cities, and the cables between them.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Network {
    /// Its number.
    pub asn: Asn,
    /// Its name.
    pub name: String,
    /// Where its routers stand.
    pub places: Vec<Place>,
    /// Its backbone, as pairs of places.
    pub backbone: Vec<(usize, usize)>,
    /// Whether each place is an island that reaches the others through its neighbours only.
    pub islands: bool,
}

/// A router: a network and one of its places.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub struct RouterRef {
    /// Its place in [`World::networks`].
    pub network: usize,
    /// Its place in [`Network::places`].
    pub place: usize,
}

/// A cable between two networks and what was agreed about it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Relation {
    /// What was agreed.
    pub kind: RelationKind,
    /// The customer, or one of two peers.
    pub left: RouterRef,
    /// The provider, or the other peer.
    pub right: RouterRef,
}

/// What two networks agreed (Gao and Rexford, "Stable Internet routing without global coordination", 2001).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum RelationKind {
    /// The left one pays the right one to be reachable from everywhere.
    Transit,
    /// Each reaches the other and the other's customers.
    Peering,
}

/// Somebody who asks the anycast address. Its name is its city's key.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Client {
    /// Where it is, and its name.
    pub place: Place,
    /// The router that it is connected to.
    pub router: RouterRef,
}

/// A place that announces the anycast address.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Site {
    /// Its name: its city's key.
    pub name: SiteName,
    /// Its edge router.
    pub router: RouterRef,
    /// Whether a hostile router shares its LAN, for scenarios that attack it.
    pub hostile: bool,
}

/// A cable that differs from what geography says.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct CableOverride {
    /// The routers at its ends, in any order.
    pub ends: (RouterRef, RouterRef),
    /// One-way delay.
    pub delay: Option<Duration>,
    /// Share of packets that get lost, 0 to 1.
    pub loss: f64,
}

impl World {
    /// Reads a world file. `name` is printed in front of faults; all of them are told at once.
    pub fn parse(name: &str, text: &str) -> Result<World, Faults> {
        reader::read(name, text)
    }

    /// The network and the place of a router.
    pub fn router(&self, router: RouterRef) -> (&Network, &Place) {
        let network = &self.networks[router.network];
        (network, &network.places[router.place])
    }

    /// The name of a router among the nodes: `atlas-london`.
    pub fn router_name(&self, router: RouterRef) -> String {
        let (network, place) = self.router(router);
        router_name(&network.name, &place.key)
    }

    /// Every router, network by network.
    pub fn routers(&self) -> impl Iterator<Item = RouterRef> + '_ {
        let of = |(network, found): (usize, &Network)| {
            (0..found.places.len()).map(move |place| RouterRef { network, place })
        };
        self.networks.iter().enumerate().flat_map(of)
    }
}

fn router_name(network: &str, place: &str) -> String {
    format!("{}-{place}", network.to_lowercase())
}

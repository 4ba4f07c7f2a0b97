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
//! hosts = { london = 2 }                  # more than one machine there, side by side
//! service = "unbound"                     # what answers at its sites, where several networks have some
//! zone = "example."                       # what is answered there
//!
//! [relations]
//! transit = ["Anycast > Atlas @ london"]  # customer > provider @ city, or @ its city=the other's city
//! peering = ["Atlas = Borea @ newyork"]
//! ixp = ["ams-ix @ amsterdam: Atlas, Borea"]
//!
//! [clients]                               # city = network
//! london = "Thames"
//! newyork = { network = "Atlas", count = 2, rate = 10 }
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
//! rate = 100                              # Mbit/s
//!
//! [[lan]]                                 # a local network behind a router
//! name = "office"
//! router = "atlas-london"
//! devices = 3
//!
//! [site]                                  # how the operator runs the sites: see `Operation`
//! drain = "3s"
//!
//! [fleet]
//! min_sites = 2
//! ```

mod built_in;
mod dozens;
mod operation;
mod reader;
mod relation;
mod service;

pub use built_in::{BUILT_IN, built_in};
pub use dozens::dozens;
pub use operation::{BFD_MULTIPLIER, Fleet, Operation, Written};
pub use service::{Asker, NoSuchServer, Server, Service};

use document::Faults;
use serde::Serialize;
use std::num::NonZeroU64;
use std::time::Duration;
use terms::{Asn, GeoPoint, SiteName};

/// IPv6 is asked this much more rarely than IPv4: it takes the same ways, and the machine has other things to do.
pub(crate) const IPV6_EVERY: u32 = 5;

/// A world as its file describes it. Everything that is named is there.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct World {
    /// Its name.
    pub name: String,
    /// What is announced: one service of each network with sites, in the order of the file. Clients ask the first.
    pub services: Vec<Service>,
    /// How often each client asks over IPv4.
    pub probe: Duration,
    /// How often each client asks over IPv6.
    pub probe_ipv6: Duration,
    /// How many seconds of silence end a BGP session of the world.
    pub hold_time: u16,
    /// The autonomous systems.
    pub networks: Vec<Network>,
    /// Who sells transit to whom, and who peers.
    pub relations: Vec<Relation>,
    /// Where many peer at once.
    pub exchanges: Vec<Exchange>,
    /// Who asks, in the order of the file.
    pub clients: Vec<Client>,
    /// Who asks which service: first the clients, in the order of [`World::clients`].
    pub askers: Vec<Asker>,
    /// The sites of the anycast networks, in the order of the file.
    pub sites: Vec<Site>,
    /// Local networks with devices on them, in the order of the file.
    pub lans: Vec<Lan>,
    /// Cables that differ from what geography says.
    pub overrides: Vec<CableOverride>,
    /// How the operator runs the sites.
    pub operation: Operation,
}

/// The program that a router runs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Program {
    /// BIRD 2.
    #[default]
    Bird,
    /// FRR: its `zebra` and `bgpd`.
    Frr,
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
    /// What its routers run.
    pub program: Program,
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

/// An Internet exchange: a LAN on which many networks peer with each other through one route server (RFC 7947).
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Exchange {
    /// Its name, and that of its node.
    pub name: SiteName,
    /// Where it is.
    pub place: Place,
    /// The number of its route server, which stands in no AS path.
    pub asn: Asn,
    /// The routers on its LAN, one of each member.
    pub members: Vec<RouterRef>,
}

/// Somebody who asks the anycast address.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Client {
    /// Its city's key; a second one of the same city has `-2` behind it, and so on.
    pub name: String,
    /// Where it is.
    pub place: Place,
    /// How often it asks over IPv4, where it is not as often as all others.
    pub probe: Option<Duration>,
    /// The router that it is connected to.
    pub router: RouterRef,
}

/// A place that announces an anycast address.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Site {
    /// Its name: its city's key, or `root-london` where several services are announced.
    pub name: SiteName,
    /// What it announces, by its place in [`World::services`].
    pub service: usize,
    /// Its edge router.
    pub router: RouterRef,
    /// How many hosts share its load, side by side behind the router.
    pub hosts: u8,
    /// Whether a hostile router shares its LAN, for scenarios that attack it.
    pub hostile: bool,
}

/// A local network: devices that hear each other, and the router that they have in common.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Lan {
    /// Its name.
    pub name: SiteName,
    /// The router that it lies behind.
    pub router: RouterRef,
    /// How many devices there are; their names are that of the LAN and a number from 1.
    pub devices: u8,
}

impl Lan {
    /// The name of a device among the nodes, by its number from 0: `office-1`.
    pub fn device_name(&self, number: u8) -> String {
        format!("{}-{}", self.name, u16::from(number) + 1)
    }
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
    /// What it carries at most in each direction; none carries everything.
    pub rate: Option<Rate>,
}

/// What a cable carries at most.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Rate {
    /// Bits a second; never 0.
    bits: NonZeroU64,
}

impl Rate {
    /// So many millions of bits a second; none for zero.
    pub fn from_megabits(megabits: u32) -> Option<Self> {
        NonZeroU64::new(u64::from(megabits) * 1_000_000).map(|bits| Rate { bits })
    }

    /// How long it takes to send so many octets.
    pub fn time_for(self, octets: usize) -> Duration {
        let bits = u128::try_from(octets).unwrap_or(u128::MAX).saturating_mul(8);
        let nanos = bits.saturating_mul(1_000_000_000) / u128::from(self.bits.get());
        Duration::from_nanos(u64::try_from(nanos).unwrap_or(u64::MAX))
    }
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

    /// What a site announces.
    pub fn service_of(&self, site: &Site) -> &Service {
        &self.services[site.service]
    }

    /// What is asked from a router and what is behind it: where a site is, its own service, and the first one elsewhere.
    pub(crate) fn service_near(&self, router: RouterRef) -> usize {
        self.sites.iter().find(|site| site.router == router).map_or(0, |site| site.service)
    }

    /// Every router, network by network.
    pub fn routers(&self) -> impl Iterator<Item = RouterRef> + '_ {
        let of = |(network, found): (usize, &Network)| {
            (0..found.places.len()).map(move |place| RouterRef { network, place })
        };
        self.networks.iter().enumerate().flat_map(of)
    }
}

/// A name in lower case, with letters and digits only.
fn key_of(name: &str) -> String {
    name.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect()
}

fn router_name(network: &str, place: &str) -> String {
    format!("{}-{place}", key_of(network))
}

/// The name of a host among the nodes: `site-london`, or `site-london-2` where there are several.
pub(crate) fn host_name(site: &Site, host: u8) -> String {
    match site.hosts {
        1 => format!("site-{}", site.name),
        _ => format!("site-{}-{}", site.name, host + 1),
    }
}

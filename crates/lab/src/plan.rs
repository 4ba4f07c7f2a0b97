//! From a world to everything that has to be built: nodes, cables, addresses, BGP sessions. Pure: the same world
//! gives the same plan.
//!
//! | who | IPv4 | IPv6 |
//! |---|---|---|
//! | network *n* | `10.n.0.0/16` | `fd00:n::/32` |
//! | its router *k*, its cables, client and site | `10.n.k.0/24` | `fd00:n:k::/48` |
//! | the router itself (loopback) | `10.n.k.1` | `fd00:n:k::1` |
//! | LAN of a site's host *h*: edge router, host | `10.n.k.(33+8h)`, `.(34+8h)` | `fd00:n:k:(1+h)::1`, `::2` |
//! | a hostile router on that LAN, where a scenario wants one | `10.n.k.35` | `fd00:n:k:1::3` |
//! | the operator's own data centre | `10.255.255.1` | `fd00:ff:ff::1` |
//! | cable from there to host *h* of site *s* | `10.255.s.(33+8h)`, `.(34+8h)` | `fd00:ff:s:(1+h)::1`, `::2` |
//! | LAN of exchange *x*: route server, member *m* | `10.254.x.1`, `.(2+m)` | `fd00:fe:x:1::1`, `::(2+m)` |
//! | LAN of the router: itself, device *d*, everybody | `10.n.k.17`, `.(18+d)`, `.31` | `fd00:n:k:10::1`, `::(2+d)`, none |
//! | anycast service *v* | `198.18.v.53` | `2001:db8:(53+v)::53` |
//! | cable *j* that begins at the router | `10.n.k.(64+2j)/31` | `fd00:n:k:(100+j)::/127` |
//!
//! (*n* counts from 1, all others from 0, in the order of the file.) The address of a client is that of its end of its cable.

mod addressing;
mod build;

pub(crate) use addressing::MOST_CABLES;
pub use addressing::Pair;

use crate::history::{ClientId, SiteId};
use crate::world::{Rate, RelationKind, RouterRef, World};
use std::net::Ipv4Addr;
use std::time::Duration;
use terms::{Asn, GeoPoint, Prefix};

/// What the switch of an exchange is called in its own namespace, and that of a LAN in the one of its router.
pub const SWITCH: &str = "lan";

/// The anycast address that every client asks over IPv4 and IPv6: that of the first service.
pub const SERVICE: Pair = addressing::SERVICE;

/// The anycast address of a service, by its place in [`World::services`].
pub fn service_address(service: usize) -> Pair {
    addressing::service(service)
}

/// The blocks that the sites of a service announce: its address lies in them.
pub fn announced(service: usize) -> [Prefix; 2] {
    addressing::announced(service)
}

/// Where the hostile router on the LAN of this edge router is, if there is one.
pub fn hostile_neighbour(edge: RouterRef) -> Pair {
    addressing::hostile_neighbour(edge)
}

/// The address at which every device of the LAN of a router is reached, where it has one. IPv6 has no broadcast.
pub fn broadcast(router: RouterRef) -> Ipv4Addr {
    addressing::broadcast(router)
}

/// The router's own addresses on its LAN, where it has one.
pub fn lan_router(router: RouterRef) -> Pair {
    addressing::lan_router(router)
}

/// The address of the operator's own data centre, where a world has one.
pub fn core() -> Pair {
    addressing::core()
}

/// A node's place in [`Plan::nodes`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NodeId(pub usize);

/// A cable's place in [`Plan::cables`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CableId(pub usize);

/// Everything that has to be built.
#[derive(Clone, Debug)]
pub struct Plan {
    /// Routers, exchanges, the operator's own data centre if there is one, hosts of sites, clients, devices.
    pub nodes: Vec<Node>,
    /// What joins them.
    pub cables: Vec<Cable>,
    /// The BGP sessions between networks, one entry a cable.
    pub sessions: Vec<Session>,
}

/// A machine with a network namespace of its own.
#[derive(Clone, Debug)]
pub struct Node {
    /// Its name, unique in the world.
    pub name: String,
    /// What it does.
    pub role: Role,
    /// The city where it stands, as people write it.
    pub city: String,
    /// Where that is.
    pub at: GeoPoint,
    /// The AS that it belongs to.
    pub asn: Asn,
    /// The name of that network.
    pub network: String,
    /// The address that stands for it.
    pub address: Pair,
}

/// What a node does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// Forwards.
    Router(RouterRef),
    /// The operator's own data centre: the fleet store, and what sites depend on.
    Core,
    /// An Internet exchange: the LAN, and its route server. By its place in [`World::exchanges`].
    Exchange(usize),
    /// Announces the anycast address and answers on it.
    Host(HostId),
    /// Asks.
    Client(ClientId),
    /// Stands on a LAN, sends what it is told to and counts what it is sent.
    Device(DeviceId),
}

/// A device on a LAN.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DeviceId {
    /// The LAN, by its place in [`World::lans`].
    pub lan: usize,
    /// Which of its devices, from 0.
    pub number: u8,
}

/// A host of a site.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct HostId {
    /// The site.
    pub site: SiteId,
    /// Which of its hosts, from 0.
    pub number: u8,
}

/// What joins two nodes.
#[derive(Clone, Debug)]
pub struct Cable {
    /// `atlas-london-atlas-newyork`: the nodes at its ends.
    pub name: String,
    /// Where it is plugged in.
    pub ends: [Port; 2],
    /// How packets get across.
    pub medium: Medium,
    /// What it is for.
    pub purpose: Purpose,
}

/// One end of a cable.
#[derive(Clone, Debug)]
pub struct Port {
    /// The node.
    pub node: NodeId,
    /// The interface's name there: the far node's where that fits.
    pub interface: String,
    /// The addresses of this end.
    pub address: Pair,
}

/// How packets get across a cable.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Medium {
    /// Through the cable thread, delayed.
    Fibre {
        /// One way.
        delay: Duration,
        /// Share of packets that get lost, 0 to 1.
        loss: f64,
        /// What it carries at most in each direction.
        rate: Option<Rate>,
    },
    /// At once, over a virtual Ethernet: the LAN of a site that BFD does not watch, that of an exchange, or one with
    /// devices.
    Lan,
}

/// What a cable is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// Joins two routers of one network.
    Backbone,
    /// Joins two networks.
    Border,
    /// Plugs a member into the LAN of an exchange.
    Exchange,
    /// Connects a client.
    Access,
    /// Connects a site's host.
    SiteLan,
    /// Plugs a device into the LAN of a router.
    Device,
    /// Connects a site's host with the operator's own data centre.
    Management,
}

/// A BGP session between two networks. With a transit session, the first port of the cable is the customer's.
#[derive(Clone, Copy, Debug)]
pub struct Session {
    /// The cable that it runs over.
    pub cable: CableId,
    /// What the networks agreed.
    pub kind: RelationKind,
}

/// Hosts that may look after connections: as many as have a number in the packets between them.
pub const MOST_OWNERS: usize = 64;

/// A world that does not fit the address plan.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PlanError {
    /// More cables begin at a router than its block has room for.
    #[error("{router} has too many cables: at most {most} can begin at a router")]
    TooManyCables {
        /// The router.
        router: String,
        /// The bound.
        most: usize,
    },
    /// More hosts look after connections than there are numbers for.
    #[error(
        "{hosts} hosts would look after connections: at most {MOST_OWNERS} have a number. Give the sites fewer `hosts`, or \
         leave `continuity` out of [site]"
    )]
    TooManyOwners {
        /// The hosts of all sites.
        hosts: usize,
    },
}

impl Plan {
    /// The plan of a world.
    pub fn new(world: &World) -> Result<Plan, PlanError> {
        build::build(world)
    }

    /// A node.
    pub fn node(&self, node: NodeId) -> &Node {
        &self.nodes[node.0]
    }

    /// The node of that name.
    pub fn node_called(&self, name: &str) -> Option<NodeId> {
        self.nodes.iter().position(|node| node.name == name).map(NodeId)
    }

    /// The node that is this router.
    pub fn router(&self, router: RouterRef) -> Option<NodeId> {
        self.nodes.iter().position(|node| node.role == Role::Router(router)).map(NodeId)
    }

    /// The hosts of a site; there is at least one.
    pub fn hosts(&self, site: SiteId) -> impl Iterator<Item = NodeId> + '_ {
        let is_there = move |node: &Node| matches!(node.role, Role::Host(host) if host.site == site);
        self.nodes.iter().enumerate().filter(move |(_, node)| is_there(node)).map(|(node, _)| NodeId(node))
    }

    /// The node that is this exchange, by its place in [`World::exchanges`].
    pub fn exchange(&self, exchange: usize) -> Option<NodeId> {
        self.nodes.iter().position(|node| node.role == Role::Exchange(exchange)).map(NodeId)
    }

    /// The node that is the operator's own data centre.
    pub fn core(&self) -> Option<NodeId> {
        self.nodes.iter().position(|node| node.role == Role::Core).map(NodeId)
    }

    /// The node of a client.
    pub fn client(&self, client: ClientId) -> Option<NodeId> {
        self.nodes.iter().position(|node| node.role == Role::Client(client)).map(NodeId)
    }

    /// The node of somebody who asks: a client, or the first host of a resolver's site.
    pub(crate) fn asker(&self, world: &World, asker: ClientId) -> Option<NodeId> {
        match world.askers.get(usize::from(asker.0))?.site {
            None => self.client(asker),
            Some(site) => self.hosts(SiteId::at(site)).next(),
        }
    }

    /// The devices of a LAN, by its place in [`World::lans`].
    pub fn devices(&self, lan: usize) -> impl Iterator<Item = NodeId> + '_ {
        let is_there = move |node: &Node| matches!(node.role, Role::Device(device) if device.lan == lan);
        self.nodes.iter().enumerate().filter(move |(_, node)| is_there(node)).map(|(node, _)| NodeId(node))
    }

    /// The cables of a node, each with this node's port and the far one.
    pub fn ports(&self, node: NodeId) -> impl Iterator<Item = (CableId, &Port, &Port)> + '_ {
        self.cables.iter().enumerate().filter_map(move |(index, cable)| {
            let [left, right] = &cable.ends;
            match (left.node == node, right.node == node) {
                (true, _) => Some((CableId(index), left, right)),
                (_, true) => Some((CableId(index), right, left)),
                _ => None,
            }
        })
    }

    /// The blocks that a router announces for its network: all of it, or an island's own part.
    pub fn originated(&self, world: &World, router: RouterRef) -> [Prefix; 2] {
        addressing::originated(world, router)
    }
}

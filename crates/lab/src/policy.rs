//! Who a router speaks BGP with, and what the neighbour is to it: the same for every program that a router runs.
//!
//! Policy is that of Gao and Rexford: a route from a customer is preferred to one from a peer, that to one from a
//! provider; peers and providers are told of customers only, customers of everything. The preference is written into
//! LOCAL_PREF, so it can be read in any router and tells where in the network a route came from. As many providers do,
//! every network lets its neighbours ask for less: `its own number:80` makes a route the least preferred of all, and
//! graceful shutdown (RFC 8326) the last resort.

use crate::plan::{CableId, Node, NodeId, Pair, Plan, Port, Purpose, Role};
use crate::world::{RelationKind, World};
use terms::Asn;

/// LOCAL_PREF of what a network announces itself.
pub const OWN: u32 = 400;
/// LOCAL_PREF of a route that its sender wants to be the least preferred.
pub const DEPREFERRED: u32 = 80;
/// LOCAL_PREF of routes from a neighbour that the lab's operators shift traffic away from.
pub const SHIFTED: u32 = 10;

/// What the far end of a session is to this network.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Neighbour {
    /// It pays to be reachable.
    Customer,
    /// Each reaches the other's customers.
    Peer,
    /// It is paid.
    Provider,
}

impl Neighbour {
    /// All of them.
    pub const ALL: [Neighbour; 3] = [Neighbour::Customer, Neighbour::Peer, Neighbour::Provider];

    /// The word for it in names of filters.
    pub fn word(self) -> &'static str {
        match self {
            Neighbour::Customer => "customer",
            Neighbour::Peer => "peer",
            Neighbour::Provider => "provider",
        }
    }

    /// LOCAL_PREF of a route that it tells.
    pub fn preference(self) -> u32 {
        match self {
            Neighbour::Customer => 300,
            Neighbour::Peer => 200,
            Neighbour::Provider => 100,
        }
    }
}

/// A BGP session of a router.
#[derive(Clone, Copy, Debug)]
pub struct Session<'p> {
    /// Whose it is at the other end.
    pub far: &'p Node,
    /// The number that the far end speaks for.
    pub asn: Asn,
    /// The address of this end.
    pub own: Pair,
    /// The address of the far end.
    pub theirs: Pair,
    /// What it is for.
    pub kind: SessionKind,
    /// Whether this end waits to be called. Where both ends call, a connection of every pair is made in vain, and many
    /// routers that start at once fill each other's short queues of callers.
    pub waits: bool,
}

/// What a session is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SessionKind {
    /// Between two routers of one network.
    Inside,
    /// With another network.
    Border(Neighbour),
    /// With the route server of an exchange: its members are peers.
    RouteServer,
    /// With a host of the site behind this router, which is a customer.
    Host,
}

impl SessionKind {
    /// What the far end is to this network; none within it.
    pub fn neighbour(self) -> Option<Neighbour> {
        match self {
            SessionKind::Inside => None,
            SessionKind::Border(neighbour) => Some(neighbour),
            SessionKind::RouteServer => Some(Neighbour::Peer),
            SessionKind::Host => Some(Neighbour::Customer),
        }
    }
}

/// The sessions of a router: those inside its network first, then in the order of its cables. A full mesh: every router
/// of a network is told what each of the others hears from outside.
pub fn sessions<'p>(world: &World, plan: &'p Plan, id: NodeId) -> Vec<Session<'p>> {
    let node = plan.node(id);
    let Role::Router(router) = node.role else { return Vec::new() };
    let is_inside = |far: &Node| match far.role {
        Role::Router(other) => other.network == router.network && other != router,
        Role::Exchange(_) | Role::Core | Role::Host(_) | Role::Client(_) | Role::Device(_) => false,
    };
    let islands = world.networks[router.network].islands;
    let others = plan.nodes.iter().enumerate().filter(|(_, far)| !islands && is_inside(far));
    let inside = others.map(|(place, far)| Session {
        far,
        asn: far.asn,
        own: node.address,
        theirs: far.address,
        kind: SessionKind::Inside,
        waits: waits(id, NodeId(place)),
    });
    let outside = plan.ports(id).filter_map(|(cable, here, there)| {
        let kind = match plan.cables[cable.0].purpose {
            Purpose::Border => SessionKind::Border(neighbour(plan, cable, here)),
            Purpose::Exchange => SessionKind::RouteServer,
            Purpose::SiteLan => SessionKind::Host,
            Purpose::Backbone | Purpose::Access | Purpose::Device | Purpose::Management => return None,
        };
        let far = plan.node(there.node);
        let waits = matches!(kind, SessionKind::Border(_)) && waits(id, there.node);
        Some(Session { far, asn: far.asn, own: here.address, theirs: there.address, kind, waits })
    });
    inside.chain(outside).collect()
}

/// Which of two routers waits for the other: every router of a full mesh calls half of the others.
fn waits(this: NodeId, far: NodeId) -> bool {
    (this < far) == (this.0 + far.0).is_multiple_of(2)
}

/// What the network at the other end of a cable is to the one at this end.
fn neighbour(plan: &Plan, cable: CableId, here: &Port) -> Neighbour {
    let Some(session) = plan.sessions.iter().find(|session| session.cable == cable) else {
        return Neighbour::Peer;
    };
    let we_are_left = plan.cables[cable.0].ends[0].node == here.node;
    match (session.kind, we_are_left) {
        (RelationKind::Peering, _) => Neighbour::Peer,
        (RelationKind::Transit, true) => Neighbour::Provider,
        (RelationKind::Transit, false) => Neighbour::Customer,
    }
}

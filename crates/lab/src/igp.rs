//! The shortest ways inside each network: what OSPF would find, computed by the lab.
//!
//! Metrics are one-way delays in microseconds. BGP compares them when two exits are otherwise equal (RFC 4271 section
//! 9.1.2.2 e), so that each network hands packets over where it can do so soonest ("hot potato").

use crate::plan::{CableId, Medium, NodeId, Pair, Plan, Purpose, Role, broadcast, lan_router};
use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, BinaryHeap};

/// A route to an address inside the network.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct IgpRoute {
    /// A router's loopback, a client, or what stands on a LAN.
    pub destination: Pair,
    /// The neighbour's end of the first cable.
    pub via: Pair,
    /// One-way delay, microseconds.
    pub metric: u32,
}

/// The routes of one router to everything in its network that is not directly connected, without the `broken` cables.
pub fn routes(plan: &Plan, router: NodeId, broken: &BTreeSet<CableId>) -> Vec<IgpRoute> {
    let mut routes = Vec::new();
    for (reached, way) in shortest(plan, router, broken) {
        let Some(via) = way.first_hop else { continue };
        let clients = plan.ports(reached).filter_map(|(_, _, far)| {
            let node = plan.node(far.node);
            matches!(node.role, Role::Client(_) | Role::Device(_)).then_some(node.address)
        });
        let destinations =
            std::iter::once(plan.node(reached).address).chain(clients).chain(everybody(plan, reached));
        routes.extend(destinations.map(|destination| IgpRoute { destination, via, metric: way.metric }));
    }
    routes
}

/// The LAN of a router, if it has one: its own address there and that of everybody on it.
fn everybody(plan: &Plan, router: NodeId) -> Option<Pair> {
    let Role::Router(id) = plan.node(router).role else { return None };
    let has_devices = plan.ports(router).any(|(cable, _, _)| plan.cables[cable.0].purpose == Purpose::Device);
    has_devices.then(|| Pair { v4: broadcast(id), v6: lan_router(id).v6 })
}

/// How a router is reached.
#[derive(Clone, Copy, Debug)]
struct Way {
    metric: u32,
    /// The neighbour's end of the first cable; none for the router where the ways begin.
    first_hop: Option<Pair>,
}

/// Dijkstra's algorithm over the backbone; among equal ways the one through the first cable of the file.
fn shortest(plan: &Plan, from: NodeId, broken: &BTreeSet<CableId>) -> BTreeMap<NodeId, Way> {
    let mut best = BTreeMap::from([(from, Way { metric: 0, first_hop: None })]);
    let mut open = BinaryHeap::from([Reverse((0, from))]);
    while let Some(Reverse((metric, node))) = open.pop() {
        let way = best[&node];
        if metric > way.metric {
            continue; // a shorter way was found since
        }
        for (cable, _, far) in plan.ports(node) {
            let Some(delay) = backbone_delay(plan, cable).filter(|_| !broken.contains(&cable)) else {
                continue;
            };
            let metric = metric.saturating_add(delay);
            if best.get(&far.node).is_none_or(|known| metric < known.metric) {
                best.insert(far.node, Way { metric, first_hop: way.first_hop.or(Some(far.address)) });
                open.push(Reverse((metric, far.node)));
            }
        }
    }
    best
}

fn backbone_delay(plan: &Plan, cable: CableId) -> Option<u32> {
    let cable = &plan.cables[cable.0];
    match (cable.purpose, cable.medium) {
        (Purpose::Backbone, Medium::Fibre { delay, .. }) => {
            Some(u32::try_from(delay.as_micros()).unwrap_or(u32::MAX))
        }
        _ => None,
    }
}

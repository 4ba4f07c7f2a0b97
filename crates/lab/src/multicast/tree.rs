//! The tree along which multicast goes: the shortest ways by cable from the first router of the world to all others.
//! Pure, and the same for as long as the world lives: what a cut cable leads to gets nothing until it is mended.

use crate::plan::{CableId, Medium, NodeId, Plan, Purpose, Role};
use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap};
use std::time::Duration;

/// The interfaces of a router that multicast goes over.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Branch {
    /// Towards the root; none at the root, and where only an exchange leads.
    pub upstream: Option<CableId>,
    /// Towards other routers and single hosts.
    pub downstream: Vec<CableId>,
    /// Its LAN, by its place in [`World::lans`](crate::world::World::lans).
    pub lan: Option<usize>,
}

/// Every router with its interfaces.
pub fn tree(plan: &Plan) -> BTreeMap<NodeId, Branch> {
    let upstream = upstream(plan);
    let is_router = |node: NodeId| matches!(plan.node(node).role, Role::Router(_));
    let routers = (0..plan.nodes.len()).map(NodeId).filter(|node| is_router(*node));
    let branch = |router: NodeId| {
        let mut branch = Branch { upstream: upstream.get(&router).copied(), ..Branch::default() };
        for (cable, _, far) in plan.ports(router) {
            match plan.node(far.node).role {
                Role::Router(_) if upstream.get(&far.node) == Some(&cable) => branch.downstream.push(cable),
                Role::Host(_) | Role::Client(_) => branch.downstream.push(cable),
                Role::Device(device) => branch.lan = Some(device.lan),
                Role::Router(_) | Role::Exchange(_) | Role::Core => {}
            }
        }
        (router, branch)
    };
    routers.map(branch).collect()
}

/// The first cable of each router towards the root: Dijkstra's algorithm.
fn upstream(plan: &Plan) -> BTreeMap<NodeId, CableId> {
    let root = plan.nodes.iter().position(|node| matches!(node.role, Role::Router(_))).map(NodeId);
    let mut best: BTreeMap<NodeId, Duration> = root.map(|root| (root, Duration::ZERO)).into_iter().collect();
    let mut open: BinaryHeap<Reverse<(Duration, NodeId)>> =
        root.map(|root| Reverse((Duration::ZERO, root))).into_iter().collect();
    let mut upstream = BTreeMap::new();
    while let Some(Reverse((delay, node))) = open.pop() {
        if delay > best[&node] {
            continue; // a shorter way was found since
        }
        for (cable, _, far) in plan.ports(node) {
            let joins = &plan.cables[cable.0];
            let (Purpose::Backbone | Purpose::Border, Medium::Fibre { delay: more, .. }) =
                (joins.purpose, joins.medium)
            else {
                continue;
            };
            let delay = delay + more;
            if best.get(&far.node).is_none_or(|known| delay < *known) {
                best.insert(far.node, delay);
                upstream.insert(far.node, cable);
                open.push(Reverse((delay, far.node)));
            }
        }
    }
    upstream
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::world::{World, built_in};

    #[test]
    fn every_router_has_one_way_to_the_root_and_every_host_one_router() {
        for name in ["tiny", "earth", "dozens"] {
            let plan = Plan::new(&World::parse(name, &built_in(name).unwrap()).unwrap()).unwrap();
            let tree = tree(&plan);
            let far = |router: NodeId, cable: CableId| {
                plan.cables[cable.0].ends.iter().find(|port| port.node != router).unwrap().node
            };
            let roots: Vec<NodeId> =
                tree.iter().filter(|(_, branch)| branch.upstream.is_none()).map(|(node, _)| *node).collect();
            assert_eq!(roots, [NodeId(0)], "{name}");
            for (&router, branch) in &tree {
                let mut at = router;
                for _ in 0..tree.len() {
                    let Some(up) = tree[&at].upstream else { break };
                    let above = far(at, up);
                    assert!(tree[&above].downstream.contains(&up));
                    at = above;
                }
                assert_eq!(at, roots[0], "{name}: {}", plan.node(router).name);
                assert!(branch.upstream.is_none_or(|up| !branch.downstream.contains(&up)));
            }
            let hosts = plan.nodes.iter().filter(|node| matches!(node.role, Role::Host(_) | Role::Client(_)));
            let leaves = tree
                .iter()
                .flat_map(|(router, branch)| branch.downstream.iter().map(|cable| far(*router, *cable)));
            let leaves = leaves.filter(|node| !matches!(plan.node(*node).role, Role::Router(_)));
            assert_eq!(leaves.count(), hosts.count(), "{name}");
        }
    }
}

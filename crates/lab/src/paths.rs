//! The way that packets really take: each router on it is asked where it would send them.

use crate::history::{ClientId, SiteId};
use crate::machine::Machine;
use crate::plan::{CableId, NodeId, Plan, Purpose, Role, announced, service_address};
use crate::running::{Lab, lock};
use linux::Result;
use linux::route::{Lookup, lookup};
use linux::watch::{Change, Watch};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use std::net::IpAddr;
use std::time::Duration;
use terms::{Family, Prefix, SiteName};

/// A way from a node to a site, or to wherever it ends.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Way {
    /// Every node on it, the first one, the exchanges and the last one included.
    pub(crate) nodes: Vec<NodeId>,
    /// The cables between them.
    pub(crate) cables: Vec<CableId>,
    /// What becomes of a packet at the last node.
    pub(crate) end: End,
}

/// What becomes of a packet in the end.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum End {
    /// It arrives at the host of a site.
    Site(SiteId),
    /// It is dropped on purpose.
    Dropped,
    /// The router knows no further, or the way runs in a circle.
    #[default]
    Lost,
}

impl Way {
    /// The site that it leads to, if it leads to one.
    pub(crate) fn site(&self) -> Option<SiteId> {
        match self.end {
            End::Site(site) => Some(site),
            End::Dropped | End::Lost => None,
        }
    }
}

/// Follows packets for an address from a node.
pub(crate) fn follow(plan: &Plan, machines: &[Machine], from: NodeId, to: IpAddr) -> Way {
    let mut way = Way { nodes: vec![from], ..Way::default() };
    let mut node = from;
    loop {
        let machine = &machines[node.0];
        // A resolver's host asks other services: where packets come from, they do not end.
        if let (true, Role::Host(site)) = (node != from, plan.node(node).role) {
            way.end = End::Site(site.site);
            return way;
        }
        let (link, gateway) = match machine.with_netlink(|netlink| lookup(netlink, to)) {
            Ok(Lookup::Forward { link, gateway }) => (link, gateway),
            Ok(Lookup::Dropped) => {
                way.end = End::Dropped;
                return way;
            }
            Ok(Lookup::Local | Lookup::Unreachable) | Err(_) => return way,
        };
        let Some(cable) = machine.cable_at(link) else { return way };
        let Some((_, _, far)) = plan.ports(node).find(|(id, _, _)| *id == cable) else { return way };
        let across = match plan.cables[cable.0].purpose {
            Purpose::Exchange => across(plan, far.node, gateway),
            _ => None,
        };
        for (node, cable) in [Some((far.node, cable)), across].into_iter().flatten() {
            if way.nodes.contains(&node) {
                return way;
            }
            way.nodes.push(node);
            way.cables.push(cable);
        }
        node = across.map_or(far.node, |(node, _)| node);
    }
}

/// The member of an exchange that has this address on its LAN, and the cable there. Its switch has no say in it.
fn across(plan: &Plan, exchange: NodeId, gateway: Option<IpAddr>) -> Option<(NodeId, CableId)> {
    let gateway = gateway?;
    let mut ports = plan.ports(exchange);
    ports.find(|(_, _, far)| far.address.both().contains(&gateway)).map(|(cable, _, far)| (far.node, cable))
}

impl Lab {
    /// Where packets of a client go: each router on the way is asked for its forwarding table and for its best BGP route,
    /// and both must name the same next router. The site at the end, or what is wrong on the way.
    pub(crate) fn walk(&self, client: ClientId, family: Family) -> std::result::Result<SiteName, String> {
        let from = self.plan.asker(&self.world, client).ok_or("there is no such client")?;
        let service = service_address(self.world.askers[usize::from(client.0)].service).of(family);
        let way = follow(&self.plan, &self.machines, from, service);
        let name = |node: NodeId| self.plan.node(node).name.as_str();
        for &node in way.nodes.iter().filter(|node| matches!(self.plan.node(**node).role, Role::Router(_))) {
            self.tables_agree(node, service).map_err(|wrong| format!("{} {wrong}", name(node)))?;
        }
        let site = way.site().and_then(|site| self.world.sites.get(usize::from(site.0)));
        site.map(|site| site.name.clone()).ok_or_else(|| {
            let way: Vec<&str> = way.nodes.iter().map(|node| name(*node)).collect();
            format!("the way ends before a site: {}", way.join(", "))
        })
    }

    fn tables_agree(&self, node: NodeId, service: IpAddr) -> std::result::Result<(), String> {
        let candidates = lock(&self.routers).get(&node).map(|router| router.candidates(service));
        let candidates = candidates.ok_or("runs no router")?.map_err(|error| error.to_string())?;
        let best: Vec<IpAddr> =
            candidates.iter().filter(|route| route.best).filter_map(|route| route.next_hop).collect();
        let ask = |address| self.machines[node.0].with_netlink(|netlink| lookup(netlink, address));
        let next = |address| match ask(address) {
            Ok(Lookup::Forward { gateway, link }) => Ok((gateway.unwrap_or(address), link)),
            Ok(other) => Err(format!("has no way to {address}: {other:?}")),
            Err(error) => Err(error.to_string()),
        };
        let forwarded = next(service)?;
        // Among equal ways to the hosts of one site, the kernel takes any.
        let is_host = |(_, link)| {
            let cable = self.machines[node.0].cable_at(link);
            cable.is_some_and(|cable| self.plan.cables[cable.0].purpose == Purpose::SiteLan)
        };
        let mut told = best.iter().map(|hop| next(*hop));
        let agrees =
            told.any(|hop| hop.is_ok_and(|hop| hop == forwarded || (is_host(hop) && is_host(forwarded))));
        match agrees {
            true => Ok(()),
            false => Err(format!("forwards to {}, and its best route leads to {best:?}", forwarded.0)),
        }
    }
}

/// Tells when the route to an anycast address changes anywhere.
pub(crate) struct RouteWatch {
    watch: Watch,
    addresses: Vec<IpAddr>,
}

impl RouteWatch {
    /// Listens in every node, for the addresses of so many services.
    pub(crate) fn open(services: usize, machines: &[Machine]) -> Result<Self> {
        let namespaces = machines.iter().map(|machine| &machine.namespace);
        let blocks: Vec<Prefix> = (0..services).flat_map(announced).collect();
        let addresses = (0..services).flat_map(|service| service_address(service).both()).collect();
        Ok(RouteWatch { watch: Watch::routes_around(&blocks, namespaces)?, addresses })
    }

    /// Whether something changed; waits for it up to `patience`.
    pub(crate) fn changed(&mut self, patience: Duration) -> bool {
        let patience =
            Timespec { tv_sec: patience.as_secs() as i64, tv_nsec: i64::from(patience.subsec_nanos()) };
        // Interrupted is the only error that this knows: nothing has changed.
        let _ = poll(&mut [PollFd::new(&self.watch, PollFlags::IN)], Some(&patience));
        // What cannot be read may have been of importance.
        self.watch
            .changes()
            .map_or(true, |changes| changes.iter().any(|change| self.concerns_service(change)))
    }

    fn concerns_service(&self, change: &Change) -> bool {
        match change {
            Change::Route(prefix) => self.addresses.iter().any(|service| prefix.contains(*service)),
            Change::Lost => true,
            Change::AddressAdded(..)
            | Change::AddressRemoved(..)
            | Change::Link(_)
            | Change::LinkRemoved(_) => false,
        }
    }
}

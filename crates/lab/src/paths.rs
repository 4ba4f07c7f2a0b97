//! The way that packets really take: each router on it is asked where it would send them.

use crate::history::SiteId;
use crate::machine::Machine;
use crate::plan::{CableId, NodeId, Plan, Role, SERVICE};
use linux::route::{Lookup, lookup};
use linux::watch::{Change, Topic, Watch};
use linux::{Error, Result};
use rustix::buffer::spare_capacity;
use rustix::event::Timespec;
use rustix::event::epoll::{self, CreateFlags, EventData, EventFlags};
use std::os::fd::OwnedFd;
use std::time::Duration;
use terms::Family;

/// A way from a node to a site, or to wherever it ends.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Way {
    /// Every node on it, the first one and the site's host included.
    pub(crate) nodes: Vec<NodeId>,
    /// The cables between them.
    pub(crate) cables: Vec<CableId>,
    /// The site it ends at; none where a router on the way knows no further or the way runs in a circle.
    pub(crate) site: Option<SiteId>,
}

/// Follows packets for the anycast address from a node.
pub(crate) fn follow(plan: &Plan, machines: &[Machine], from: NodeId, family: Family) -> Way {
    let mut way = Way { nodes: vec![from], ..Way::default() };
    let mut node = from;
    loop {
        let machine = &machines[node.0];
        if let Role::Host(site) = plan.node(node).role {
            way.site = Some(site);
            return way;
        }
        let next = machine.with_netlink(|netlink| lookup(netlink, SERVICE.of(family)));
        let Ok(Lookup::Forward { link, .. }) = next else { return way };
        let Some(cable) = machine.cable_at(link) else { return way };
        let Some((_, _, far)) = plan.ports(node).find(|(id, _, _)| *id == cable) else { return way };
        if way.nodes.contains(&far.node) {
            return way;
        }
        way.nodes.push(far.node);
        way.cables.push(cable);
        node = far.node;
    }
}

/// Tells when the route to the anycast address changes anywhere.
pub(crate) struct RouteWatch {
    watches: Vec<Watch>,
    waiting: OwnedFd,
}

impl RouteWatch {
    /// Listens in every node.
    pub(crate) fn open(machines: &[Machine]) -> Result<Self> {
        let waiting =
            epoll::create(CreateFlags::CLOEXEC).map_err(|error| Error::new("create an epoll", error))?;
        let mut watches = Vec::with_capacity(machines.len());
        for machine in machines {
            let watch = machine.namespace.run(|| Watch::open(&[Topic::Routes]))??;
            let data = EventData::new_u64(watches.len() as u64);
            epoll::add(&waiting, &watch, data, EventFlags::IN)
                .map_err(|error| Error::new("watch the routes of a node", error))?;
            watches.push(watch);
        }
        Ok(RouteWatch { watches, waiting })
    }

    /// Whether something changed; waits for it up to `patience`.
    pub(crate) fn changed(&mut self, patience: Duration) -> bool {
        let patience =
            Timespec { tv_sec: patience.as_secs() as i64, tv_nsec: i64::from(patience.subsec_nanos()) };
        let mut events = Vec::with_capacity(64);
        // Interrupted is the only error a valid epoll knows: nothing has changed.
        let _ = epoll::wait(&self.waiting, spare_capacity(&mut events), Some(&patience));
        let mut changed = false;
        for event in &events {
            let changes = self.watches[event.data.u64() as usize].changes();
            // What cannot be read may have been of importance.
            changed |= changes.map_or(true, |changes| changes.iter().any(concerns_service));
        }
        changed
    }
}

fn concerns_service(change: &Change) -> bool {
    match change {
        Change::Route(prefix) => SERVICE.both().iter().any(|service| prefix.contains(*service)),
        Change::Lost => true,
        Change::AddressAdded(..) | Change::AddressRemoved(..) | Change::Link(_) | Change::LinkRemoved(_) => {
            false
        }
    }
}

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
use std::net::IpAddr;
use std::os::fd::OwnedFd;
use std::time::Duration;

/// A way from a node to a site, or to wherever it ends.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Way {
    /// Every node on it, the first one and the last one included.
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
        if let Role::Host(site) = plan.node(node).role {
            way.end = End::Site(site);
            return way;
        }
        let link = match machine.with_netlink(|netlink| lookup(netlink, to)) {
            Ok(Lookup::Forward { link, .. }) => link,
            Ok(Lookup::Dropped) => {
                way.end = End::Dropped;
                return way;
            }
            Ok(Lookup::Local | Lookup::Unreachable) | Err(_) => return way,
        };
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

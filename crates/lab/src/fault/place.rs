//! What is done to cables, and to everything of a site, of a node or of the world at once.

use crate::cable::{Condition, Fibre};
use crate::fault::apply::FaultError;
use crate::fault::process::Part;
use crate::fault::{Fault, Flapping};
use crate::plan::{Cable, CableId, NodeId, Role};
use crate::running::{Lab, lock};
use crate::scenario::words::NodeName;
use linux::link;
use linux::process::ProcessSignal;
use std::collections::BTreeSet;
use std::sync::Arc;
use terms::SiteName;

/// Octets of the longest packet that a cable carries, unless somebody narrows it: what Ethernet carries.
pub(crate) const LONGEST_PACKET: usize = 1500;

/// Cables.
impl Lab {
    /// Lets both ends of a cable send no packet that is longer.
    pub(super) fn narrow(&self, end: &NodeName, other: &NodeName, octets: usize) -> Result<(), FaultError> {
        self.cables_between(end, other).into_iter().try_for_each(|cable| self.set_longest(cable, octets))
    }

    fn set_longest(&self, cable: CableId, octets: usize) -> Result<(), FaultError> {
        let octets = u32::try_from(octets).unwrap_or(u32::MAX);
        for port in &self.plan.cables[cable.0].ends {
            self.machines[port.node.0].with_netlink(|netlink| {
                let index = link::index(netlink, &port.interface)?;
                link::set_mtu(netlink, index, octets)
            })?;
        }
        Ok(())
    }

    pub(super) fn set_cable(
        &self,
        end: &NodeName,
        other: &NodeName,
        condition: Condition,
    ) -> Result<(), FaultError> {
        let cables = self.cables_between(end, other);
        cables.iter().for_each(|cable| self.end_flapping_cable(*cable));
        self.set_cables(cables.into_iter(), condition)
    }

    pub(super) fn cables_between(&self, end: &NodeName, other: &NodeName) -> Vec<CableId> {
        let joins = |cable: &Cable| {
            let [left, right] = cable.ends.each_ref().map(|port| self.plan.node(port.node).name.as_str());
            [left, right] == [end.as_str(), other.as_str()] || [right, left] == [end.as_str(), other.as_str()]
        };
        let cables = self.plan.cables.iter().enumerate().filter(|(_, cable)| joins(cable));
        cables.map(|(index, _)| CableId(index)).collect()
    }

    pub(super) fn set_cables_of(&self, node: NodeId, condition: Condition) -> Result<(), FaultError> {
        let cables: Vec<CableId> = self.plan.ports(node).map(|(cable, _, _)| cable).collect();
        cables.iter().for_each(|cable| self.end_flapping_cable(*cable));
        self.set_cables(cables.into_iter(), condition)
    }

    pub(super) fn set_cables(
        &self,
        cables: impl Iterator<Item = CableId>,
        condition: Condition,
    ) -> Result<(), FaultError> {
        for cable in cables {
            // A LAN is no fibre: it ends with its host.
            let fibre = lock(&self.fibres).get(&cable).cloned();
            if let Some(fibre) = fibre {
                fibre.set_condition(condition)?;
            }
        }
        Ok(self.reroute()?)
    }

    /// Tells every router that runs the ways inside its network: a cut is seen at both ends, so they know at once.
    fn reroute(&self) -> linux::Result<()> {
        let cut = |(id, fibre): (&CableId, &Arc<Fibre>)| (fibre.condition() == Condition::Cut).then_some(*id);
        let broken: BTreeSet<CableId> = lock(&self.fibres).iter().filter_map(cut).collect();
        for (node, router) in lock(&self.routers).iter_mut() {
            if router.processes().iter().all(|process| self.processes.is_alive(*process)) {
                router.reroute(&self.plan, &self.machines[node.0], &broken)?;
            }
        }
        Ok(())
    }
}

/// Whole sites, nodes, and the world.
impl Lab {
    /// First the cables fall silent, so that nothing of what dies next can tell anybody.
    pub(super) fn power_cut(&self, site: &SiteName) -> Result<(), FaultError> {
        let edge = self.edge(site)?;
        self.set_cables_of(edge, Condition::Blackhole)?;
        self.set_backbone(Some(site), false)?;
        let router = lock(&self.routers).get(&edge).map(|router| router.processes()).unwrap_or_default();
        let parts = [Part::Service, Part::Daemon].map(|part| self.running(site, part).unwrap_or_default());
        for process in parts.into_iter().flatten().chain(router) {
            self.processes.signal(process, ProcessSignal::SIGKILL)?;
        }
        Ok(())
    }

    /// From the outside in, so that each daemon finds a router to talk to.
    pub(super) fn restore_site(&self, site: &SiteName) -> Result<(), FaultError> {
        let edge = self.edge(site)?;
        self.restore_node(edge)?;
        self.set_cables_of(edge, Condition::Up)?;
        self.set_backbone(Some(site), true)?;
        self.end_attack(self.site_id(site)?);
        for host in self.hosts_of(site)? {
            self.restore_node(host.node)?;
        }
        let described = &self.world.sites[usize::from(self.site_id(site)?.0)];
        if self.world.service_of(described).server.is_beside() {
            self.restore_part(site, Part::Service)?;
        }
        self.restore_part(site, Part::Daemon)
    }

    /// Undoes what was done to one node. A router that has lost its power is started again.
    pub(super) fn restore_node(&self, node: NodeId) -> Result<(), FaultError> {
        self.end_flood(node);
        self.end_flapping(Flapping::Route(node));
        match self.plan.node(node).role {
            Role::Router(_) => {
                if let Some(router) = lock(&self.routers).get_mut(&node)
                    && !router.processes().iter().all(|process| self.processes.is_alive(*process))
                {
                    router.restart(&self.machines[node.0])?;
                }
                self.check_reverse_paths(node, false)?;
                self.end_shift(node)
            }
            Role::Host(id) => self.restore_host(node, id),
            Role::Exchange(_) | Role::Core | Role::Client(_) | Role::Device(_) => Ok(()),
        }
    }

    pub(super) fn restore_everything(&self) -> Result<(), FaultError> {
        let cables: Vec<CableId> = lock(&self.fibres).keys().copied().collect();
        cables.iter().for_each(|cable| self.end_flapping_cable(*cable));
        cables.iter().try_for_each(|cable| self.set_longest(*cable, LONGEST_PACKET))?;
        self.set_cables(cables.into_iter(), Condition::Up)?;
        self.set_backbone(None, true)?;
        self.restore_store()?;
        let sites = || self.world.sites.iter().map(|site| &site.name);
        sites().try_for_each(|site| self.restore_site(site))?;
        (0..self.plan.nodes.len()).try_for_each(|node| self.restore_node(NodeId(node)))?;
        for site in sites().filter(|site| self.is_ordered(site)) {
            self.order_at(site, &Fault::ResumeSite { site: site.clone() })?;
        }
        Ok(())
    }
}

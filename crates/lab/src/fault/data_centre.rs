//! What is done to the operator's own data centre and to the cables that lead there.

use crate::fault::apply::FaultError;
use crate::plan::{NodeId, Purpose};
use crate::running::{Lab, lock};
use linux::link;
use terms::SiteName;

impl Lab {
    pub(super) fn kill_store(&self) -> Result<(), FaultError> {
        match &*lock(&self.core) {
            Some(core) => Ok(core.kill_store(&self.processes)?),
            None => Ok(()),
        }
    }

    pub(super) fn restore_store(&self) -> Result<(), FaultError> {
        let (Some(core), Some(node)) = (&mut *lock(&self.core), self.plan.core()) else { return Ok(()) };
        Ok(core.restore_store(&self.machines[node.0], &self.processes)?)
    }

    /// Cuts or mends the cable of one site, or of all. It is cut at the far end: the host sees that its carrier is
    /// gone, and keeps its addresses and routes for when it is back.
    pub(super) fn set_backbone(&self, site: Option<&SiteName>, carries: bool) -> Result<(), FaultError> {
        let hosts = site.map(|site| self.hosts_of(site)).transpose()?;
        let is_meant = |node| hosts.as_ref().is_none_or(|hosts| hosts.iter().any(|host| host.node == node));
        self.set_management(is_meant, carries)
    }

    /// Cuts or mends the cable of one host.
    pub(super) fn set_backbone_of(&self, host: NodeId, carries: bool) -> Result<(), FaultError> {
        self.set_management(|node| node == host, carries)
    }

    fn set_management(&self, is_meant: impl Fn(NodeId) -> bool, carries: bool) -> Result<(), FaultError> {
        let Some(core) = self.plan.core() else { return Ok(()) };
        let management = self.plan.ports(core).filter(|(cable, _, there)| {
            self.plan.cables[cable.0].purpose == Purpose::Management && is_meant(there.node)
        });
        for (_, here, _) in management {
            self.machines[core.0].with_netlink(|netlink| {
                let link = link::index(netlink, &here.interface)?;
                if carries { link::set_up(netlink, link) } else { link::set_down(netlink, link) }
            })?;
        }
        Ok(())
    }
}

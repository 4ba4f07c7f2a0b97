//! One host of a site: its power, and the LAN between it and its edge router.

use crate::cable::Condition;
use crate::fault::apply::FaultError;
use crate::plan::{CableId, HostId, Medium, NodeId, Purpose, Role};
use crate::running::{Lab, lock};
use linux::link;
use linux::process::ProcessSignal;

impl Lab {
    /// First its LAN falls silent, so that nothing of what dies next can tell anybody.
    pub(super) fn power_cut_host(&self, node: NodeId) -> Result<(), FaultError> {
        self.set_lan(node, false)?;
        if let Role::Host(id) = self.plan.node(node).role {
            self.set_backbone_of(node, false)?;
            let processes = lock(&self.hosts).get(&id).map(|host| host.processes());
            for process in processes.into_iter().flatten() {
                self.processes.signal(process, ProcessSignal::SIGKILL)?;
            }
        }
        Ok(())
    }

    /// Starts what is gone, once it can be reached.
    pub(super) fn restore_host(&self, node: NodeId, id: HostId) -> Result<(), FaultError> {
        self.set_lan(node, true)?;
        self.set_backbone_of(node, true)?;
        let machine = &self.machines[node.0];
        if let Some(host) = lock(&self.hosts).get_mut(&id) {
            host.start_what_is_gone(machine, &self.processes)?;
        }
        Ok(())
    }

    /// Cuts or mends the LAN of a host. One that is no fibre is cut at the router's end: the router sees it, and the
    /// host keeps its addresses and routes for when it is back.
    fn set_lan(&self, host: NodeId, carries: bool) -> Result<(), FaultError> {
        let lan = |(cable, ..): &(CableId, _, _)| self.plan.cables[cable.0].purpose == Purpose::SiteLan;
        let Some((cable, _, router)) = self.plan.ports(host).find(lan) else { return Ok(()) };
        if self.plan.cables[cable.0].medium != Medium::Lan {
            let condition = if carries { Condition::Up } else { Condition::Blackhole };
            return self.set_cables([cable].into_iter(), condition);
        }
        Ok(self.machines[router.node.0].with_netlink(|netlink| {
            let link = link::index(netlink, &router.interface)?;
            if carries { link::set_up(netlink, link) } else { link::set_down(netlink, link) }
        })?)
    }
}

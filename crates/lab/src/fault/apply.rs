//! Faults done to a running lab: which of the rooms beside this one does what.

use crate::cable::Condition;
use crate::fault::process::Part;
use crate::fault::{Fault, LONGEST_PACKET};
use crate::history::SiteId;
use crate::names::{Names, Wrong};
use crate::plan::{HostId, NodeId, Role};
use crate::running::Lab;
use crate::scenario::words::{Line, NodeName};
use linux::Error;
use linux::process::ProcessSignal;
use terms::SiteName;

/// Why a fault cannot be done.
#[derive(Debug, thiserror::Error)]
pub enum FaultError {
    /// A name that this world does not have.
    #[error("{}. {}", .0.message, .0.hint)]
    Name(Wrong),
    /// There is nothing to signal.
    #[error("the {what} of {site} is not running: restore it first")]
    NotRunning {
        /// The service or the daemon.
        what: &'static str,
        /// Whose.
        site: SiteName,
    },
    /// Nobody hostile is there.
    #[error("{0} has no hostile neighbour: scenarios that attack a site bring one along")]
    NobodyHostile(SiteName),
    /// The daemon did not do what its operator ordered.
    #[error("{site} answered with exit code {}: {said}", .code.map_or("none".to_owned(), |code| code.to_string()))]
    Refused {
        /// Where.
        site: SiteName,
        /// The exit code of the command; none if a signal ended it.
        code: Option<i32>,
        /// What the command said.
        said: String,
    },
    /// The site file has no such line.
    #[error("the file of {site} has no line `{} = ...`", .line.key())]
    NoSuchLine {
        /// Whose file.
        site: SiteName,
        /// The line that was to replace it.
        line: Line,
    },
    /// The system refused.
    #[error(transparent)]
    System(#[from] Error),
}

impl Lab {
    /// Does it. What was done, in one sentence.
    pub fn carry_out(&self, fault: &Fault) -> Result<String, FaultError> {
        let wrong = Names::of(&self.world, &self.plan).wrong_in_fault(fault);
        if let Some(wrong) = wrong.into_iter().next() {
            return Err(FaultError::Name(wrong));
        }
        match fault {
            Fault::KillService { site } => self.signal(site, Part::Service, ProcessSignal::SIGKILL)?,
            Fault::KillDaemon { site } => self.signal(site, Part::Daemon, ProcessSignal::SIGKILL)?,
            Fault::HangService { site } => self.signal(site, Part::Service, ProcessSignal::SIGSTOP)?,
            Fault::HangDaemon { site } => self.signal(site, Part::Daemon, ProcessSignal::SIGSTOP)?,
            Fault::RebootSite { site } => self.reboot(site)?,
            Fault::PowerCutSite { site } => self.power_cut(site)?,
            Fault::CutCable { end, other } => self.set_cable(end, other, Condition::Cut)?,
            Fault::BlackholeCable { end, other } => self.set_cable(end, other, Condition::Blackhole)?,
            Fault::BlackholeSite { site } => self.set_cables_of(self.edge(site)?, Condition::Blackhole)?,
            Fault::HalfBreakCable { end, other, share } => {
                self.set_cable(end, other, Condition::HalfBroken(*share))?;
            }
            Fault::HalfBreakSite { site, share } => {
                self.set_cables_of(self.edge(site)?, Condition::HalfBroken(*share))?;
            }
            Fault::FlapCable { end, other, time } => self.flap_cable(end, other, time.duration())?,
            Fault::PowerCutHost { host } => self.power_cut_host(self.node(host)?)?,
            Fault::UrpfRouter { router } => self.check_reverse_paths(self.node(router)?, true)?,
            Fault::ShiftRouter { router, neighbour } => self.shift(self.node(router)?, neighbour)?,
            Fault::FlapRoute { router, neighbour, time } => {
                self.flap_route(self.node(router)?, neighbour, time.duration())?;
            }
            Fault::FloodAcks { node, client, count } => {
                self.flood_acks(self.node(node)?, client, count.get())?;
            }
            Fault::NarrowCable { end, other, count } => self.narrow(end, other, count.get())?,
            Fault::FloodFrom { node, count } => self.flood(self.node(node)?, count.get())?,
            Fault::RestoreNode { node } => self.restore_node(self.node(node)?)?,
            Fault::FlapService { site, time } => self.flap(site, time.duration())?,
            Fault::StarveDaemon { site } => self.starve(site)?,
            Fault::RemoveAddress { site } => self.remove_addresses(site)?,
            Fault::KillStore => self.kill_store()?,
            Fault::CutBackbone => self.set_backbone(None, false)?,
            Fault::ChangeFile { site, line } => self.change_file(site, line)?,
            Fault::RaiseSerial { site } => self.raise_serial(site)?,
            Fault::DrainSite { site }
            | Fault::WithdrawSite { site }
            | Fault::ResumeSite { site }
            | Fault::DropAddress { site, .. }
            | Fault::EndDrop { site, .. }
            | Fault::ReloadSite { site }
            | Fault::RestartSite { site } => return self.order_at(site, fault),
            Fault::AttackSite { site, script } => self.attack(site, *script)?,
            Fault::SendUnicast { host, receiver } => self.send_unicast(host, receiver)?,
            Fault::SendBroadcast { host, lan } => self.send_broadcast(host, lan)?,
            Fault::SendMulticast { host, group } => self.send_multicast(host, *group)?,
            Fault::SendAnycast { host } => self.send_anycast(host)?,
            Fault::JoinGroup { group, host } => self.join_group(*group, host)?,
            Fault::LeaveGroup { group, host } => self.leave_group(*group, host)?,
            Fault::OpenConnections { count, client } => self.open_connections(client, count.get())?,
            Fault::OpenDnsConnections { count, client } => self.open_dns_connections(client, count.get())?,
            Fault::OpenStreamConnections { count, client } => {
                self.open_stream_connections(client, count.get())?;
            }
            Fault::BeginTransfers { client } => self.begin_transfers(client)?,
            Fault::RestoreService { site } => self.restore_part(site, Part::Service)?,
            Fault::RestoreDaemon { site } => self.restore_part(site, Part::Daemon)?,
            Fault::RestoreSite { site } => self.restore_site(site)?,
            Fault::RestoreCable { end, other } => {
                self.narrow(end, other, LONGEST_PACKET)?;
                self.set_cable(end, other, Condition::Up)?;
            }
            Fault::RestoreStore => self.restore_store()?,
            Fault::RestoreBackbone => self.set_backbone(None, true)?,
            Fault::RestoreEverything => self.restore_everything()?,
        }
        Ok(fault.done())
    }
}

/// What the names in a fault stand for.
impl Lab {
    pub(super) fn site_id(&self, name: &SiteName) -> Result<SiteId, FaultError> {
        let place = self.world.sites.iter().position(|site| site.name == *name);
        let id = place.and_then(|place| u16::try_from(place).ok()).map(SiteId);
        id.ok_or_else(|| self.unknown(name.as_str()))
    }

    pub(super) fn unknown(&self, name: &str) -> FaultError {
        let message = format!("this world has no `{name}`");
        FaultError::Name(Wrong { message, hint: "`catchment lab nodes` lists what it has".to_owned() })
    }

    pub(super) fn node(&self, name: &NodeName) -> Result<NodeId, FaultError> {
        self.node_called(name.as_str())
    }

    /// The node of that name.
    pub(super) fn node_called(&self, name: &str) -> Result<NodeId, FaultError> {
        self.plan.node_called(name).ok_or_else(|| self.unknown(name))
    }

    /// The hosts of a site: one at least.
    pub(crate) fn hosts_of(&self, name: &SiteName) -> Result<Vec<Placed>, FaultError> {
        let placed = |node: NodeId| match self.plan.node(node).role {
            Role::Host(id) => Some(Placed { id, node }),
            Role::Router(_) | Role::Exchange(_) | Role::Core | Role::Client(_) | Role::Device(_) => None,
        };
        let hosts: Vec<Placed> = self.plan.hosts(self.site_id(name)?).filter_map(placed).collect();
        if hosts.is_empty() { Err(self.unknown(name.as_str())) } else { Ok(hosts) }
    }

    /// The node of a site's edge router.
    pub(super) fn edge(&self, name: &SiteName) -> Result<NodeId, FaultError> {
        let site = &self.world.sites[usize::from(self.site_id(name)?.0)];
        self.plan.router(site.router).ok_or_else(|| self.unknown(name.as_str()))
    }

    /// Whether a node is the edge router or a host of a site.
    pub(crate) fn is_of(&self, node: &NodeName, site: &SiteName) -> bool {
        let Some(node) = self.plan.node_called(node.as_str()) else { return false };
        let hosts = self.hosts_of(site).unwrap_or_default();
        self.edge(site).is_ok_and(|edge| edge == node) || hosts.iter().any(|host| host.node == node)
    }
}

/// A host and its node.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Placed {
    pub(crate) id: HostId,
    pub(crate) node: NodeId,
}

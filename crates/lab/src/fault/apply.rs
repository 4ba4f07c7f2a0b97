//! Faults done to a running lab: what happens to processes, cables and whole sites. The rest is beside: `attack`,
//! `data_centre`, `disturb`, `operator`.

use crate::cable::{Condition, Fibre};
use crate::fault::Fault;
use crate::history::SiteId;
use crate::names::{Names, Wrong};
use crate::plan::{Cable, CableId, NodeId};
use crate::processes::ProcessId;
use crate::router::Router;
use crate::running::{Lab, lock};
use crate::scenario::words::{Line, NodeName};
use crate::site::Site;
use crate::world::Service;
use linux::Error;
use linux::process::ProcessSignal;
use std::collections::BTreeSet;
use std::sync::Arc;
use std::thread::{self, JoinHandle};
use std::time::Duration;
use terms::SiteName;

/// How long a daemon may take to say goodbye: it withdraws, and goes on answering while the news travels.
const LONGEST_GOODBYE: Duration = Duration::from_secs(180);

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
            Fault::FlapService { site, time } => self.flap(site, time.duration())?,
            Fault::StarveDaemon { site } => self.starve(site)?,
            Fault::RemoveAddress { site } => self.remove_addresses(site)?,
            Fault::KillStore => self.kill_store()?,
            Fault::CutBackbone => self.set_backbone(None, false)?,
            Fault::ChangeFile { site, line } => self.change_file(site, line)?,
            Fault::DrainSite { site }
            | Fault::WithdrawSite { site }
            | Fault::ResumeSite { site }
            | Fault::DropAddress { site, .. }
            | Fault::EndDrop { site, .. }
            | Fault::ReloadSite { site }
            | Fault::RestartSite { site } => return self.order_at(site, fault),
            Fault::AttackSite { site, script } => self.attack(site, *script)?,
            Fault::RestoreService { site } => self.restore_part(site, Part::Service)?,
            Fault::RestoreDaemon { site } => self.restore_part(site, Part::Daemon)?,
            Fault::RestoreSite { site } => self.restore_site(site)?,
            Fault::RestoreCable { end, other } => self.set_cable(end, other, Condition::Up)?,
            Fault::RestoreStore => self.restore_store()?,
            Fault::RestoreBackbone => self.set_backbone(None, true)?,
            Fault::RestoreEverything => self.restore_everything()?,
        }
        Ok(fault.done())
    }
}

/// A process of a site.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Part {
    Service,
    Daemon,
}

impl Part {
    fn word(self) -> &'static str {
        match self {
            Part::Service => "service",
            Part::Daemon => "daemon",
        }
    }

    fn of(self, site: &Site) -> Option<ProcessId> {
        match self {
            Part::Service => site.service(),
            Part::Daemon => Some(site.daemon()),
        }
    }
}

/// What is done to the processes of a site.
impl Lab {
    pub(super) fn signal(
        &self,
        site: &SiteName,
        part: Part,
        signal: ProcessSignal,
    ) -> Result<(), FaultError> {
        let process = self.running(site, part)?;
        Ok(self.processes.signal(process, signal)?)
    }

    /// The process, if it is there and lives.
    pub(super) fn running(&self, site: &SiteName, part: Part) -> Result<ProcessId, FaultError> {
        let process = self.with_site(site, |place| Ok(part.of(place)))?;
        process
            .filter(|process| self.processes.is_alive(*process))
            .ok_or_else(|| FaultError::NotRunning { what: part.word(), site: site.clone() })
    }

    /// Continues what hangs, starts what is gone.
    fn restore_part(&self, site: &SiteName, part: Part) -> Result<(), FaultError> {
        self.end_reboot(site)?;
        match part {
            Part::Service => self.end_flapping(self.site_id(site)?),
            Part::Daemon => self.end_starving(site)?,
        }
        match self.running(site, part) {
            Ok(process) => Ok(self.processes.signal(process, ProcessSignal::SIGCONT)?),
            Err(FaultError::NotRunning { .. }) => self.start_again(site, part),
            Err(other) => Err(other),
        }
    }

    fn start_again(&self, site: &SiteName, part: Part) -> Result<(), FaultError> {
        let host = self.host(site)?;
        let machine = &self.machines[host.0];
        self.with_site(site, |place| match part {
            Part::Service => place.restart_service(machine, &self.processes),
            Part::Daemon => place.restart_daemon(machine, &self.processes),
        })
    }

    pub(super) fn with_site<T>(
        &self,
        name: &SiteName,
        work: impl FnOnce(&mut Site) -> linux::Result<T>,
    ) -> Result<T, FaultError> {
        let id = self.site_id(name)?;
        match lock(&self.sites).get_mut(&id) {
            Some(site) => Ok(work(site)?),
            None => Err(self.unknown(name)),
        }
    }

    pub(super) fn site_id(&self, name: &SiteName) -> Result<SiteId, FaultError> {
        let place = self.world.sites.iter().position(|site| site.name == *name);
        let id = place.and_then(|place| u16::try_from(place).ok()).map(SiteId);
        id.ok_or_else(|| self.unknown(name))
    }

    pub(super) fn unknown(&self, name: &SiteName) -> FaultError {
        let message = format!("this world has no site `{name}`");
        FaultError::Name(Wrong { message, hint: "`catchment lab nodes` lists what it has".to_owned() })
    }

    /// The node of a site's host.
    pub(super) fn host(&self, name: &SiteName) -> Result<NodeId, FaultError> {
        self.plan.host(self.site_id(name)?).ok_or_else(|| self.unknown(name))
    }

    /// The node of a site's edge router.
    pub(super) fn edge(&self, name: &SiteName) -> Result<NodeId, FaultError> {
        let site = &self.world.sites[usize::from(self.site_id(name)?.0)];
        self.plan.router(site.router).ok_or_else(|| self.unknown(name))
    }
}

/// What is done to cables and whole sites.
impl Lab {
    fn set_cable(&self, end: &NodeName, other: &NodeName, condition: Condition) -> Result<(), FaultError> {
        let joins = |cable: &Cable| {
            let [left, right] = cable.ends.each_ref().map(|port| self.plan.node(port.node).name.as_str());
            [left, right] == [end.as_str(), other.as_str()] || [right, left] == [end.as_str(), other.as_str()]
        };
        let cables = self.plan.cables.iter().enumerate().filter(|(_, cable)| joins(cable));
        self.set_cables(cables.map(|(index, _)| CableId(index)), condition)
    }

    fn set_cables_of(&self, node: NodeId, condition: Condition) -> Result<(), FaultError> {
        self.set_cables(self.plan.ports(node).map(|(cable, _, _)| cable), condition)
    }

    fn set_cables(
        &self,
        cables: impl Iterator<Item = CableId>,
        condition: Condition,
    ) -> Result<(), FaultError> {
        for cable in cables {
            // The LAN of a site is no fibre: it ends with its host.
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
        let routers = lock(&self.routers);
        let mut running = routers.values().filter(|router| self.processes.is_alive(router.process()));
        running.try_for_each(|router| router.reroute(&self.plan, &broken))
    }

    /// In order: the daemon says goodbye and stops; when it has, the service stops as well.
    fn reboot(&self, site: &SiteName) -> Result<(), FaultError> {
        let daemon = self.running(site, Part::Daemon)?;
        let service = self.running(site, Part::Service).ok();
        self.processes.signal(daemon, ProcessSignal::SIGTERM)?;
        let processes = Arc::clone(&self.processes);
        let stopping = thread::Builder::new().name("reboot".to_owned()).spawn(move || {
            processes.wait_gone(daemon, LONGEST_GOODBYE);
            for process in [Some(daemon), service].into_iter().flatten() {
                // Who is gone already does not mind.
                let _ = processes.signal(process, ProcessSignal::SIGKILL);
            }
        });
        let stopping = stopping.map_err(|error| Error::new("wait for a daemon to stop", error))?;
        lock(&self.reboots).insert(self.site_id(site)?, stopping);
        Ok(())
    }

    /// Waits until a site that was told to stop has stopped: what is started earlier would be stopped with it.
    fn end_reboot(&self, site: &SiteName) -> Result<(), FaultError> {
        let stopping = lock(&self.reboots).remove(&self.site_id(site)?);
        // What the thread could not do has been done by the end of its daemon.
        let _ = stopping.map(JoinHandle::join);
        Ok(())
    }

    /// First the cables fall silent, so that nothing of what dies next can tell anybody.
    fn power_cut(&self, site: &SiteName) -> Result<(), FaultError> {
        let edge = self.edge(site)?;
        self.set_cables_of(edge, Condition::Blackhole)?;
        self.set_backbone(Some(site), false)?;
        let router = lock(&self.routers).get(&edge).map(Router::process);
        let host = [Part::Service, Part::Daemon].map(|part| self.running(site, part).ok());
        for process in host.into_iter().chain([router]).flatten() {
            self.processes.signal(process, ProcessSignal::SIGKILL)?;
        }
        Ok(())
    }

    /// From the outside in, so that the daemon finds a router to talk to.
    fn restore_site(&self, site: &SiteName) -> Result<(), FaultError> {
        let edge = self.edge(site)?;
        if let Some(router) = lock(&self.routers).get_mut(&edge)
            && !self.processes.is_alive(router.process())
        {
            router.restart(&self.machines[edge.0], &self.processes)?;
        }
        self.set_cables_of(edge, Condition::Up)?;
        self.set_backbone(Some(site), true)?;
        self.end_attack(self.site_id(site)?);
        if self.world.service == Service::Nsd {
            self.restore_part(site, Part::Service)?;
        }
        self.restore_part(site, Part::Daemon)
    }

    fn restore_everything(&self) -> Result<(), FaultError> {
        let cables: Vec<CableId> = lock(&self.fibres).keys().copied().collect();
        self.set_cables(cables.into_iter(), Condition::Up)?;
        self.set_backbone(None, true)?;
        self.restore_store()?;
        self.world.sites.iter().try_for_each(|site| self.restore_site(&site.name))
    }
}

//! Faults done to a running lab.

use crate::cable::Condition;
use crate::fault::Fault;
use crate::history::SiteId;
use crate::hostile::{Script, ScriptName};
use crate::names::{Names, Wrong};
use crate::plan::{CableId, NodeId};
use crate::processes::ProcessId;
use crate::running::Lab;
use crate::scenario::words::NodeName;
use crate::site::Site;
use linux::Error;
use linux::process::ProcessSignal;
use std::collections::BTreeSet;
use std::sync::{MutexGuard, PoisonError};
use terms::SiteName;

/// Why a fault cannot be done.
#[derive(Debug, thiserror::Error)]
pub enum FaultError {
    /// A name that this world does not have.
    #[error("{}. {}", .0.message, .0.hint)]
    Name(Wrong),
    /// The service is a part of the daemon.
    #[error("the service of {0} is built into its daemon and cannot be touched apart from it: `daemon {0}` can")]
    BuiltIn(SiteName),
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
            Fault::AttackSite { site, script } => self.attack(site, *script)?,
            Fault::RestoreService { site } => self.restore_part(site, Part::Service)?,
            Fault::RestoreDaemon { site } => self.restore_part(site, Part::Daemon)?,
            Fault::RestoreSite { site } => self.restore_site(site)?,
            Fault::RestoreCable { end, other } => self.set_cable(end, other, Condition::Up)?,
            Fault::RestoreEverything => self.restore_everything()?,
        }
        Ok(done(fault))
    }
}

//! What is done to the processes of a site: on all of its hosts alike.

use crate::fault::apply::{FaultError, Placed};
use crate::host::Host;
use crate::processes::ProcessId;
use crate::running::{Lab, lock};
use linux::Error;
use linux::process::ProcessSignal;
use std::sync::Arc;
use std::thread::{self, JoinHandle};
use std::time::Duration;
use terms::SiteName;

/// How long a daemon may take to say goodbye: it withdraws, and goes on answering while the news travels.
const LONGEST_GOODBYE: Duration = Duration::from_secs(180);

/// A process of a host.
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

    fn of(self, host: &Host) -> Option<ProcessId> {
        match self {
            Part::Service => host.service(),
            Part::Daemon => Some(host.daemon()),
        }
    }
}

impl Lab {
    pub(super) fn signal(
        &self,
        site: &SiteName,
        part: Part,
        signal: ProcessSignal,
    ) -> Result<(), FaultError> {
        let running = self.running(site, part)?;
        Ok(running.into_iter().try_for_each(|process| self.processes.signal(process, signal))?)
    }

    /// Those of its processes that live: one at least.
    pub(super) fn running(&self, site: &SiteName, part: Part) -> Result<Vec<ProcessId>, FaultError> {
        let placed = self.hosts_of(site)?;
        let hosts = lock(&self.hosts);
        let processes = placed.iter().filter_map(|host| part.of(hosts.get(&host.id)?));
        let running: Vec<ProcessId> = processes.filter(|process| self.processes.is_alive(*process)).collect();
        match running.is_empty() {
            true => Err(FaultError::NotRunning { what: part.word(), site: site.clone() }),
            false => Ok(running),
        }
    }

    /// Continues what hangs, starts what is gone.
    pub(super) fn restore_part(&self, site: &SiteName, part: Part) -> Result<(), FaultError> {
        self.end_reboot(site)?;
        match part {
            Part::Service => self.end_flapping_service(self.site_id(site)?),
            Part::Daemon => self.end_starving(site)?,
        }
        self.hosts_of(site)?.iter().try_for_each(|host| self.restore_part_of(host, part))
    }

    fn restore_part_of(&self, placed: &Placed, part: Part) -> Result<(), FaultError> {
        let machine = &self.machines[placed.node.0];
        let mut hosts = lock(&self.hosts);
        let Some(host) = hosts.get_mut(&placed.id) else { return Ok(()) };
        match (part.of(host).filter(|process| self.processes.is_alive(*process)), part) {
            (Some(process), _) => self.processes.signal(process, ProcessSignal::SIGCONT)?,
            (None, Part::Service) => host.restart_service(machine, &self.processes)?,
            (None, Part::Daemon) => host.restart_daemon(machine, &self.processes)?,
        }
        Ok(())
    }

    /// In order: each daemon says goodbye and stops; when it has, the service stops as well.
    pub(super) fn reboot(&self, site: &SiteName) -> Result<(), FaultError> {
        let daemons = self.running(site, Part::Daemon)?;
        let services = self.running(site, Part::Service).unwrap_or_default();
        daemons.iter().try_for_each(|daemon| self.processes.signal(*daemon, ProcessSignal::SIGTERM))?;
        let processes = Arc::clone(&self.processes);
        let stopping = thread::Builder::new().name("reboot".to_owned()).spawn(move || {
            for daemon in &daemons {
                processes.wait_gone(*daemon, LONGEST_GOODBYE);
            }
            for process in daemons.into_iter().chain(services) {
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
}

//! A host of a site, behind its edge router: it runs the real daemon, and NSD beside it where the world says so.

use crate::calls::echo;
use crate::machine::Machine;
use crate::plan::{HostId, NodeId, Plan};
use crate::processes::{ProcessId, Processes};
use crate::router::write;
use crate::site_file::{ZONE, ZONE_FILE, nsd_configuration, site_file};
use crate::world::{Service, World};
use linux::{Error, Result};
use std::fs::File;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// The site file's name in the host's directory.
pub(crate) const SITE_FILE: &str = "site.toml";
/// The control socket of the daemon in the host's directory.
pub(crate) const DAEMON_SOCKET: &str = "api.sock";

/// A host that runs.
#[derive(Debug)]
pub(crate) struct Host {
    directory: PathBuf,
    daemon: ProcessId,
    /// The service that is a process of its own; none where it is built into the daemon.
    service: Option<ProcessId>,
    /// The echo service, where sites look after connections.
    echo: Option<ProcessId>,
}

impl Host {
    /// Writes its files into `directory`, starts its service, then its daemon.
    pub(crate) fn start(
        (world, plan): (&World, &Plan),
        id: HostId,
        (host, machine): (NodeId, &Machine),
        directory: PathBuf,
        processes: &Processes,
    ) -> Result<Self> {
        let described = &world.sites[usize::from(id.site.0)];
        write(&directory.join(SITE_FILE), &site_file(world, plan, described, (id, host)))?;
        write(&directory.join(ZONE_FILE), ZONE)?;
        let service = match world.service {
            Service::BuiltIn => None,
            Service::Nsd => {
                write(&directory.join("nsd.conf"), &nsd_configuration(described))?;
                Some(run_nsd(&directory, machine, processes)?)
            }
        };
        let echo =
            world.operation.continuity.then(|| run_echo(&directory, machine, processes)).transpose()?;
        let daemon = run_daemon(&directory, machine, processes)?;
        Ok(Host { directory, daemon, service, echo })
    }

    /// The process of its daemon.
    pub(crate) fn daemon(&self) -> ProcessId {
        self.daemon
    }

    /// The process of its service; none where it is built into the daemon.
    pub(crate) fn service(&self) -> Option<ProcessId> {
        self.service
    }

    /// The control socket of its daemon.
    pub(crate) fn socket(&self) -> PathBuf {
        self.directory.join(DAEMON_SOCKET)
    }

    /// Its processes.
    pub(crate) fn processes(&self) -> Vec<ProcessId> {
        self.service.into_iter().chain(self.echo).chain([self.daemon]).collect()
    }

    /// Starts what has ended, the service first.
    pub(crate) fn start_what_is_gone(&mut self, machine: &Machine, processes: &Processes) -> Result<()> {
        if self.service.is_some_and(|service| !processes.is_alive(service)) {
            self.restart_service(machine, processes)?;
        }
        if self.echo.is_some_and(|echo| !processes.is_alive(echo)) {
            self.echo = Some(run_echo(&self.directory, machine, processes)?);
        }
        if processes.is_alive(self.daemon) { Ok(()) } else { self.restart_daemon(machine, processes) }
    }

    /// Starts the daemon again after it ended.
    pub(crate) fn restart_daemon(&mut self, machine: &Machine, processes: &Processes) -> Result<()> {
        self.daemon = run_daemon(&self.directory, machine, processes)?;
        Ok(())
    }

    /// Starts the service again after it ended, where it is a process of its own.
    pub(crate) fn restart_service(&mut self, machine: &Machine, processes: &Processes) -> Result<()> {
        if self.service.is_some() {
            self.service = Some(run_nsd(&self.directory, machine, processes)?);
        }
        Ok(())
    }
}

/// The daemon is this very program.
fn run_daemon(directory: &Path, machine: &Machine, processes: &Processes) -> Result<ProcessId> {
    let mut command = Command::new("/proc/self/exe");
    command.arg0("catchment").args(["run", SITE_FILE]);
    run((command, "this program"), directory, "daemon.log", machine, processes)
}

/// So is the echo service.
fn run_echo(directory: &Path, machine: &Machine, processes: &Processes) -> Result<ProcessId> {
    let mut command = Command::new("/proc/self/exe");
    command.arg0("catchment").args(echo::ARGUMENTS);
    run((command, "this program"), directory, "echo.log", machine, processes)
}

fn run_nsd(directory: &Path, machine: &Machine, processes: &Processes) -> Result<ProcessId> {
    let mut command = Command::new("nsd");
    command.args(["-d", "-c", "nsd.conf"]);
    run((command, "Debian package nsd"), directory, "nsd.log", machine, processes)
}

/// What it prints is appended to `log`.
fn run(
    (mut command, package): (Command, &str),
    directory: &Path,
    log: &str,
    machine: &Machine,
    processes: &Processes,
) -> Result<ProcessId> {
    let path = directory.join(log);
    let open = || {
        let log = File::options().create(true).append(true).open(&path)?;
        Ok::<_, std::io::Error>((log.try_clone()?, log))
    };
    let (out, err) = open().map_err(|error| Error::new(format!("open {}", path.display()), error))?;
    command.current_dir(directory).stdin(Stdio::null()).stdout(out).stderr(err);
    processes.start(&machine.namespace, &mut command, package)
}

//! A host of a site, behind its edge router: it runs the real daemon, and NSD or Unbound beside it where the
//! world says so.

use crate::calls::{echo, stream};
use crate::machine::Machine;
use crate::plan::{HostId, NodeId, Plan};
use crate::processes::{ProcessId, Processes};
use crate::router::write;
use crate::site_file::{HINTS_FILE, nsd_configuration, site_file, unbound_configuration};
use crate::world::{Server, World};
use crate::zones::{root_hints, zone, zone_file};
use linux::{Error, Result};
use std::fs::File;
use std::io;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// The site file's name in the host's directory.
pub(crate) const SITE_FILE: &str = "site.toml";
/// The control socket of the daemon in the host's directory.
pub(crate) const DAEMON_SOCKET: &str = "api.sock";

/// The arguments with which this program is a service that runs beside the daemon.
type Beside = [&'static str; 2];

/// A host that runs.
#[derive(Debug)]
pub(crate) struct Host {
    directory: PathBuf,
    daemon: ProcessId,
    /// The service that is a process of its own; none where it is built into the daemon.
    service: Option<(Server, ProcessId)>,
    /// The echo service and the stream service, where sites look after connections.
    beside: Vec<(Beside, ProcessId)>,
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
        let service = world.service_of(described);
        match service.server {
            Server::BuiltIn => write(&directory.join(zone_file(service)), &zone(world, described))?,
            Server::Nsd => {
                write(&directory.join(zone_file(service)), &zone(world, described))?;
                write(&directory.join("nsd.conf"), &nsd_configuration(world, described))?;
            }
            Server::Unbound => {
                write(&directory.join(HINTS_FILE), &root_hints(world))?;
                write(&directory.join("catchment.conf"), &resolver_profile(&directory, machine, processes)?)?;
                write(&directory.join("unbound.conf"), &unbound_configuration("catchment.conf"))?;
            }
        }
        let started = run_service(service.server, &directory, machine, processes)?;
        let service = started.map(|process| (service.server, process));
        // What clients connect to is at the address that they ask.
        let calls = world.operation.continuity && described.service == 0;
        let beside: &[Beside] = if calls { &[echo::ARGUMENTS, stream::ARGUMENTS] } else { &[] };
        let start = |arguments: &Beside| {
            let process = run_beside(*arguments, &directory, machine, processes)?;
            Ok((*arguments, process))
        };
        let beside = beside.iter().map(start).collect::<Result<_>>()?;
        let daemon = run_daemon(&directory, machine, processes)?;
        Ok(Host { directory, daemon, service, beside })
    }

    /// The process of its daemon.
    pub(crate) fn daemon(&self) -> ProcessId {
        self.daemon
    }

    /// The process of its service; none where it is built into the daemon.
    pub(crate) fn service(&self) -> Option<ProcessId> {
        self.service.map(|(_, process)| process)
    }

    /// The control socket of its daemon.
    pub(crate) fn socket(&self) -> PathBuf {
        self.directory.join(DAEMON_SOCKET)
    }

    /// Its processes.
    pub(crate) fn processes(&self) -> Vec<ProcessId> {
        let beside = self.beside.iter().map(|(_, process)| *process);
        self.service().into_iter().chain(beside).chain([self.daemon]).collect()
    }

    /// Starts what has ended, the service first.
    pub(crate) fn start_what_is_gone(&mut self, machine: &Machine, processes: &Processes) -> Result<()> {
        if self.service().is_some_and(|service| !processes.is_alive(service)) {
            self.restart_service(machine, processes)?;
        }
        for (arguments, process) in &mut self.beside {
            if !processes.is_alive(*process) {
                *process = run_beside(*arguments, &self.directory, machine, processes)?;
            }
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
        if let Some((server, _)) = self.service {
            let started = run_service(server, &self.directory, machine, processes)?;
            self.service = started.map(|process| (server, process));
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

/// So is what runs beside it.
fn run_beside(
    arguments: Beside,
    directory: &Path,
    machine: &Machine,
    processes: &Processes,
) -> Result<ProcessId> {
    let mut command = Command::new("/proc/self/exe");
    command.arg0("catchment").args(arguments);
    let [_, name] = arguments;
    run((command, "this program"), directory, &format!("{name}.log"), machine, processes)
}

/// The service of a site, where it is a process of its own; its files are in `directory`.
fn run_service(
    server: Server,
    directory: &Path,
    machine: &Machine,
    processes: &Processes,
) -> Result<Option<ProcessId>> {
    let (program, arguments, package, log) = match server {
        Server::BuiltIn => return Ok(None),
        Server::Nsd => ("nsd", ["-d", "-c", "nsd.conf"], "Debian package nsd", "nsd.log"),
        Server::Unbound => ("unbound", ["-d", "-c", "unbound.conf"], "Debian package unbound", "unbound.log"),
    };
    let mut command = Command::new(program);
    command.args(arguments);
    run((command, package), directory, log, machine, processes).map(Some)
}

/// What an operator would do, too: `catchment dns resolver site.toml`.
fn resolver_profile(directory: &Path, machine: &Machine, processes: &Processes) -> Result<String> {
    let mut command = Command::new("/proc/self/exe");
    command.arg0("catchment").args(["dns", "resolver", SITE_FILE]).current_dir(directory);
    match processes.run(&machine.namespace, &mut command, "this program")? {
        (made, Some(0)) => Ok(made),
        (said, _) => Err(Error::new("make the configuration of Unbound", io::Error::other(said))),
    }
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

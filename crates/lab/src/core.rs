//! The operator's own data centre: a host that every site reaches over cables of its own, apart from the Internet. It
//! runs the fleet store, and answers what sites depend on.
//!
//! Why cables of its own, and not a route through the world: a site that the Internet loses must be able to say so, as
//! it can where operators have a network for management; and a test can take either away and leave the other.

use crate::machine::Machine;
use crate::plan;
use crate::processes::{ProcessId, Processes};
use crate::world::Operation;
use linux::process::ProcessSignal;
use linux::{Error, Result};
use std::fs::File;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::thread;

/// The port of etcd for its clients.
const STORE: u16 = 2379;
/// The port of what sites depend on: it accepts connections, and that is all.
pub const DEPENDENCY: u16 = 5432;

/// Where the sites find the fleet store.
pub fn store_url() -> String {
    format!("http://{}:{STORE}", plan::core().v4)
}

/// The data centre as it runs.
#[derive(Debug)]
pub(crate) struct Core {
    directory: PathBuf,
    /// None where the world has no fleet.
    store: Option<ProcessId>,
}

impl Core {
    /// Starts what the operation needs. The store takes a moment to be ready: nobody waits for it, since a site must
    /// come up without it.
    pub(crate) fn start(
        operation: &Operation,
        machine: &Machine,
        directory: PathBuf,
        processes: &Processes,
    ) -> Result<Self> {
        if operation.dependency {
            answer(machine)?;
        }
        let store = operation.fleet.map(|_| run_store(&directory, machine, processes)).transpose()?;
        Ok(Core { directory, store })
    }

    /// Kills the store.
    pub(crate) fn kill_store(&self, processes: &Processes) -> Result<()> {
        self.store.map_or(Ok(()), |store| processes.signal(store, ProcessSignal::SIGKILL))
    }

    /// Starts the store again if it was killed.
    pub(crate) fn restore_store(&mut self, machine: &Machine, processes: &Processes) -> Result<()> {
        if self.store.is_some_and(|store| !processes.is_alive(store)) {
            self.store = Some(run_store(&self.directory, machine, processes)?);
        }
        Ok(())
    }
}

/// Accepts whoever calls, until the process ends.
fn answer(machine: &Machine) -> Result<()> {
    let listen = || TcpListener::bind((plan::core().v4, DEPENDENCY));
    let listener =
        machine.namespace.run(listen)?.map_err(|error| Error::new("listen for the sites", error))?;
    let serve = move || listener.incoming().for_each(drop);
    let thread = thread::Builder::new().name("dependency".into()).spawn(serve);
    thread.map(drop).map_err(|error| Error::new("answer the sites", error))
}

fn run_store(directory: &Path, machine: &Machine, processes: &Processes) -> Result<ProcessId> {
    let path = directory.join("etcd.log");
    let open = || File::options().create(true).append(true).open(&path);
    let log = open().map_err(|error| Error::new(format!("open {}", path.display()), error))?;
    let (clients, peers) = (store_url(), "http://127.0.0.1:2380");
    let mut command = Command::new("etcd");
    command.args(["--name", "core", "--data-dir", "etcd", "--log-level", "warn"]);
    command.args(["--listen-client-urls", &clients, "--advertise-client-urls", &clients]);
    command.args(["--listen-peer-urls", peers, "--initial-advertise-peer-urls", peers]);
    command.args(["--initial-cluster", &format!("core={peers}")]);
    // A member that starts again waits for its election: one second by default.
    command.args(["--heartbeat-interval", "20", "--election-timeout", "200"]);
    command.current_dir(directory).stdin(Stdio::null()).stdout(Stdio::null()).stderr(log);
    processes.start(&machine.namespace, &mut command, "Debian package etcd-server")
}

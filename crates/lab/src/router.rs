//! A router: BIRD 2 in a node's namespace.

use crate::bird;
use crate::birdc;
use crate::igp;
use crate::machine::Machine;
use crate::plan::{CableId, NodeId, Plan};
use crate::processes::{ProcessId, Processes};
use crate::world::{RouterRef, World};
use linux::{Error, Result};
use std::collections::BTreeSet;
use std::fs;
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// A router that runs.
#[derive(Debug)]
pub(crate) struct Router {
    node: NodeId,
    directory: PathBuf,
    process: ProcessId,
}

impl Router {
    /// Writes the configuration into `directory` and starts BIRD.
    pub(crate) fn start(
        (world, plan): (&World, &Plan),
        router: RouterRef,
        (node, machine): (NodeId, &Machine),
        directory: PathBuf,
        processes: &Processes,
    ) -> Result<Self> {
        let text = bird::configuration(world, plan, router, &directory);
        write(&directory.join("bird.conf"), &text)?;
        write(&directory.join(bird::IGP_FILE), &bird::igp(&igp::routes(plan, node, &BTreeSet::new())))?;
        let process = run(&directory, machine, processes)?;
        Ok(Router { node, directory, process })
    }

    /// Its process.
    pub(crate) fn process(&self) -> ProcessId {
        self.process
    }

    /// Starts BIRD again after it was killed.
    pub(crate) fn restart(&mut self, machine: &Machine, processes: &Processes) -> Result<()> {
        self.process = run(&self.directory, machine, processes)?;
        Ok(())
    }

    /// Tells it the ways inside its network without the broken cables, as OSPF would when a neighbour falls silent.
    pub(crate) fn reroute(&self, plan: &Plan, broken: &BTreeSet<CableId>) -> Result<()> {
        let text = bird::igp(&igp::routes(plan, self.node, broken));
        let path = self.directory.join(bird::IGP_FILE);
        if fs::read_to_string(&path).is_ok_and(|written| written == text) {
            return Ok(());
        }
        write(&path, &text)?;
        self.ask("configure").map(drop)
    }

    /// Whether it has a route to this address.
    pub(crate) fn knows(&self, address: IpAddr) -> bool {
        let answer = self.ask(&format!("show route for {address}"));
        answer.is_ok_and(|answer| !crate::detour::candidates(&answer).is_empty())
    }

    /// What it answers to a command of `birdc`.
    pub(crate) fn ask(&self, command: &str) -> Result<String> {
        let attempt = || format!("ask BIRD in {} to `{command}`", self.directory.display());
        birdc::ask(&self.directory.join("bird.ctl"), command).map_err(|error| Error::new(attempt(), error))
    }
}

fn run(directory: &Path, machine: &Machine, processes: &Processes) -> Result<ProcessId> {
    let mut command = Command::new("bird");
    command.args(["-f", "-c", "bird.conf", "-s", "bird.ctl"]).current_dir(directory);
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    processes.start(&machine.namespace, &mut command, "Debian package bird2")
}

/// Writes a file of a node.
pub(crate) fn write(path: &Path, text: &str) -> Result<()> {
    fs::write(path, text).map_err(|error| Error::new(format!("write {}", path.display()), error))
}

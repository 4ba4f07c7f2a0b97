//! A router in a node's namespace. BIRD 2 or FRR runs it; both are asked the same questions.

mod bird;
mod frr;

use crate::detour::Candidate;
use crate::igp::{self, IgpRoute};
use crate::machine::Machine;
use crate::plan::{CableId, NodeId, Plan, Role};
use crate::policy::Session;
use crate::processes::{ProcessId, Processes};
use crate::world::{Program, World};
use linux::{Error, Result};
use std::collections::BTreeSet;
use std::fmt::Debug;
use std::fs;
use std::net::{IpAddr, Ipv4Addr};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use terms::Prefix;

/// A router that runs.
#[derive(Debug)]
pub(crate) struct Router {
    node: NodeId,
    speaker: Box<dyn Speaker>,
}

/// How many BGP sessions a router has.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Sessions {
    /// Those that are established.
    pub(crate) up: usize,
    /// All of them.
    pub(crate) all: usize,
}

/// The program that a router runs, whichever it is.
trait Speaker: Debug + Send {
    /// Its processes, the first one to be there for as long as the router is.
    fn processes(&self) -> Vec<ProcessId>;
    /// Starts it again after it was killed.
    fn restart(&mut self, machine: &Machine) -> Result<()>;
    /// Tells it the ways inside its network.
    fn tell_ways(&mut self, machine: &Machine, ways: &[IgpRoute]) -> Result<()>;
    /// Makes what a neighbour tells the last resort; none makes everybody count as usual.
    fn shift(&mut self, away_from: Option<&Session<'_>>) -> Result<()>;
    /// The routes to an address that it has to choose from.
    fn candidates(&self, address: IpAddr) -> Result<Vec<Candidate>>;
    /// What a neighbour has told it, over both families.
    fn routes_from(&self, neighbour: Ipv4Addr) -> Result<BTreeSet<Prefix>>;
    /// How its sessions are.
    fn sessions(&self) -> Result<Sessions>;
}

impl Router {
    /// Writes the configuration into `directory` and starts the program: of a router, or of a route server.
    pub(crate) fn start(
        (world, plan): (&World, &Plan),
        (node, machine): (NodeId, &Machine),
        directory: PathBuf,
        processes: &Arc<Processes>,
    ) -> Result<Self> {
        let ways = igp::routes(plan, node, &BTreeSet::new());
        let bird = |text: String| bird::Bird::start(&text, &ways, directory.clone(), machine, processes);
        let speaker: Box<dyn Speaker> = match plan.node(node).role {
            Role::Router(router) => match world.networks[router.network].program {
                Program::Bird => Box::new(bird(crate::bird::configuration(world, plan, router, &directory))?),
                Program::Frr => {
                    let text = crate::frr::configuration(world, plan, node);
                    let watches_links = world.operation.bfd.is_some();
                    Box::new(frr::Frr::start(&text, &ways, watches_links, &directory, machine, processes)?)
                }
            },
            Role::Exchange(_) | Role::Core | Role::Host(_) | Role::Client(_) | Role::Device(_) => {
                Box::new(bird(crate::bird::route_server(world, plan, node, &directory))?)
            }
        };
        Ok(Router { node, speaker })
    }

    /// Its processes.
    pub(crate) fn processes(&self) -> Vec<ProcessId> {
        self.speaker.processes()
    }

    /// Starts it again after it was killed.
    pub(crate) fn restart(&mut self, machine: &Machine) -> Result<()> {
        self.speaker.restart(machine)
    }

    /// Tells it the ways inside its network without the broken cables, as OSPF would when a neighbour falls silent.
    pub(crate) fn reroute(
        &mut self,
        plan: &Plan,
        machine: &Machine,
        broken: &BTreeSet<CableId>,
    ) -> Result<()> {
        self.speaker.tell_ways(machine, &igp::routes(plan, self.node, broken))
    }

    /// Makes what a neighbour tells the last resort; none makes everybody count as usual.
    pub(crate) fn shift(&mut self, away_from: Option<&Session<'_>>) -> Result<()> {
        self.speaker.shift(away_from)
    }

    /// Whether it has a route to this address.
    pub(crate) fn knows(&self, address: IpAddr) -> bool {
        self.candidates(address).is_ok_and(|candidates| !candidates.is_empty())
    }

    /// The routes to an address that it has to choose from.
    pub(crate) fn candidates(&self, address: IpAddr) -> Result<Vec<Candidate>> {
        self.speaker.candidates(address)
    }

    /// What a neighbour has told it, over both families.
    pub(crate) fn routes_from(&self, neighbour: Ipv4Addr) -> Result<BTreeSet<Prefix>> {
        self.speaker.routes_from(neighbour)
    }

    /// How its sessions are.
    pub(crate) fn sessions(&self) -> Result<Sessions> {
        self.speaker.sessions()
    }
}

/// Writes a file of a node.
pub(crate) fn write(path: &Path, text: &str) -> Result<()> {
    fs::write(path, text).map_err(|error| Error::new(format!("write {}", path.display()), error))
}

//! A world that runs.

use crate::cable::ends::Ends;
use crate::cable::{self, Carrying, Fibre};
use crate::calls::Calls;
use crate::clock;
use crate::continuity;
use crate::core::Core;
use crate::delivery::Post;
use crate::fault::{Flap, Flapping};
use crate::history::{ClientId, History, LatenessLog, Outcome, SiteId};
use crate::host::Host;
use crate::hostile::Attack;
use crate::isolate::PRIVATE;
use crate::journal::Place;
use crate::machine::{self, Machine};
use crate::plan::{CableId, HostId, Node, NodeId, Plan, PlanError, Role};
use crate::prober::{self, Asking};
use crate::processes::Processes;
use crate::router::Router;
use crate::shortfall::{self, Shortfall};
use crate::story::Story;
use crate::world::World;
use linux::veth::Receiver;
use linux::{Error, Namespace};
use nix::sys::signal::{self, Signal};
use nix::unistd::Pid;
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU64};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Duration;
use terms::{Family, Timestamp};

/// Samples that are kept: about five minutes of twelve clients.
const HISTORY: usize = 250_000;
/// Windows of lateness that are kept: about five minutes of two threads.
const LATENESS: usize = 60_000;
/// Devices that are closed at the same time when a world ends: the kernel takes 30 ms for each.
const CLOSERS: usize = 32;

/// A world that runs: every node, every cable, and what is seen of them. It ends with the process.
pub struct Lab {
    /// The world as its file describes it.
    pub world: World,
    /// What was built.
    pub plan: Plan,
    /// When the lab began to build it.
    pub began: Timestamp,
    /// What the clients see.
    pub history: Arc<History>,
    /// What happened.
    pub story: Story,
    /// Faults that are in force.
    pub(crate) faults: Mutex<Vec<api::Fault>>,
    /// What the machine lacks.
    pub shortfalls: Vec<Shortfall>,
    /// How late the machine is.
    pub lateness: Arc<LatenessLog>,
    pub(crate) machines: Vec<Machine>,
    pub(crate) fibres: Mutex<BTreeMap<CableId, Arc<Fibre>>>,
    carrying: Mutex<Option<Carrying>>,
    pub(crate) routers: Arc<Mutex<BTreeMap<NodeId, Router>>>,
    pub(crate) hosts: Mutex<BTreeMap<HostId, Host>>,
    /// The operator's own data centre, where the world has one.
    pub(crate) core: Mutex<Option<Core>>,
    /// What flaps.
    pub(crate) flaps: Mutex<BTreeMap<Flapping, Flap>>,
    /// Nodes that flood: told when it is enough.
    pub(crate) floods: Mutex<BTreeMap<NodeId, Arc<AtomicBool>>>,
    /// Sites that were told to stop, and who waits for them to have stopped.
    pub(crate) reboots: Mutex<BTreeMap<SiteId, JoinHandle<()>>>,
    /// The latest attack on each site that was attacked.
    pub(crate) attacks: Mutex<BTreeMap<SiteId, Arc<Attack>>>,
    /// What carries messages between hosts, once somebody has sent one.
    pub(crate) post: Mutex<Option<Arc<Post>>>,
    /// How often clients were reset in whose name somebody sends.
    pub(crate) resets: Mutex<BTreeMap<String, Arc<AtomicU64>>>,
    /// The connections that clients hold, once one has opened some.
    pub(crate) calls: Mutex<Option<Arc<Calls>>>,
    pub(crate) processes: Arc<Processes>,
    /// What has edge routers take what programs of hosts send back.
    _receivers: Vec<Receiver>,
    /// Who waits for a first answer.
    waiting: Mutex<BTreeSet<(ClientId, Family)>>,
}

/// Why a world cannot be brought up.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// It does not fit the address plan.
    #[error(transparent)]
    Plan(#[from] PlanError),
    /// The user may not open as many files as the world takes.
    #[error(
        "this world takes {needed} open files and {allowed} are allowed: raise that with `sudo prlimit --nofile={needed} --pid $$`"
    )]
    FewDescriptors {
        /// How many it takes.
        needed: u64,
        /// How many may be open.
        allowed: u64,
    },
    /// The system refused something.
    #[error(transparent)]
    System(#[from] Error),
}

impl Lab {
    /// Builds the world and starts everything in it. To be called in process 1 of a PID namespace
    /// ([`isolate::begin`](crate::isolate::begin)).
    pub fn start(world: World, ends: Ends, began: Timestamp) -> Result<Arc<Lab>, StartError> {
        let plan = Plan::new(&world)?;
        shortfall::allow_descriptors(&plan)?;
        let (panel, no_tun) = ends.panel()?;
        let processes = Processes::reaped_forever()?;
        let routers = Mutex::new(BTreeMap::new());
        let machine::Machines { machines, fibres } = machine::build(&plan, &panel, |node, machine| {
            if let Some(router) = start_router((&world, &plan), (node, machine), &processes)? {
                lock(&routers).insert(node, router);
            }
            Ok(())
        })?;
        let receivers = match world.operation.continuity {
            true => continuity::prepare(&plan, &machines)?,
            false => Vec::new(),
        };
        let lateness = Arc::new(LatenessLog::keeping(LATENESS));
        let history = Arc::new(History::keeping(HISTORY));
        let carrying = cable::carry(fibres.clone(), Arc::clone(&lateness))?;
        let core = start_core(&world, &plan, &machines, &processes)?;
        let hosts = start_hosts(&world, &plan, &machines, &processes)?;
        let askers = askers(&world, &plan, &machines);
        let names = (0..).map(SiteId).zip(&world.sites);
        let names = names.map(|(id, site)| (site.name.as_str().as_bytes().to_vec(), id)).collect();
        prober::start(askers, names, Arc::clone(&history), Arc::clone(&lateness))?;
        Ok(Arc::new(Lab {
            world,
            plan,
            began,
            history,
            story: Story::since(began),
            faults: Mutex::default(),
            shortfalls: no_tun.into_iter().chain(shortfall::of_real_time()).collect(),
            lateness,
            machines,
            fibres: Mutex::new(fibres.into_iter().map(|fibre| (fibre.id, fibre)).collect()),
            carrying: Mutex::new(Some(carrying)),
            routers: Arc::new(routers),
            hosts: Mutex::new(hosts),
            core: Mutex::new(core),
            flaps: Mutex::default(),
            floods: Mutex::default(),
            resets: Mutex::default(),
            reboots: Mutex::default(),
            attacks: Mutex::default(),
            post: Mutex::default(),
            calls: Mutex::default(),
            processes,
            _receivers: receivers,
            waiting: Mutex::default(),
        }))
    }

    /// Waits until every client was answered over every family; how long that took from the beginning, or who is
    /// still waiting after `patience`.
    pub fn wait_answered(&self, patience: Duration) -> Result<Duration, Vec<String>> {
        let mut waiting = self.everybody();
        *lock(&self.waiting) = waiting.clone();
        let give_up = clock::now() + patience;
        let mut place = Place::default();
        while clock::now() < give_up {
            let page = self.history.wait(place, give_up.since(clock::now()));
            place = page.next;
            for sample in page.entries {
                if matches!(sample.outcome, Outcome::Answered { .. }) {
                    waiting.remove(&(sample.client, sample.family));
                }
            }
            *lock(&self.waiting) = waiting.clone();
            if waiting.is_empty() {
                return Ok(clock::now().since(self.began));
            }
        }
        Err(self.waiting())
    }

    /// Everybody who asks, over every family.
    fn everybody(&self) -> BTreeSet<(ClientId, Family)> {
        let askers = (0..self.world.askers.len()).map(ClientId::at);
        askers.flat_map(|client| Family::ALL.map(|family| (client, family))).collect()
    }

    /// Who was still waiting for a first answer when [`Lab::wait_answered`] looked last.
    pub(crate) fn waiting(&self) -> Vec<String> {
        let name = |&(client, family): &(ClientId, Family)| {
            format!("{} over {family}", self.world.askers[usize::from(client.0)].name)
        };
        lock(&self.waiting).iter().map(name).collect()
    }

    /// The namespace of a node.
    pub fn namespace(&self, node: NodeId) -> &Namespace {
        &self.machines[node.0].namespace
    }

    /// What `catchment lab nodes` prints.
    pub fn nodes(&self) -> api::NodeList {
        let node = |node: &Node| api::Node {
            name: node.name.clone(),
            kind: match node.role {
                Role::Router(_) | Role::Exchange(_) => api::NodeKind::Router,
                Role::Core => api::NodeKind::Core,
                Role::Host(_) => api::NodeKind::Site,
                Role::Client(_) => api::NodeKind::Client,
                Role::Device(_) => api::NodeKind::Device,
            },
            city: node.city.clone(),
            asn: node.asn,
            addresses: node.address.both().to_vec(),
        };
        let mut nodes: Vec<api::Node> = self.plan.nodes.iter().map(node).collect();
        nodes.sort_by(|left, right| left.name.cmp(&right.name));
        api::NodeList { schema: api::Schema, world: self.world.name.clone(), nodes }
    }

    /// Ends everything in the world and takes every cable out, many at a time. (The kernel would do it at the end of
    /// the process as well, one after the other.)
    pub fn stop(&self) {
        // Nobody left to kill is no error.
        let _ = signal::kill(Pid::from_raw(-1), Signal::SIGKILL);
        if let Some(carrying) = lock(&self.carrying).take() {
            carrying.stop();
        }
        let fibres: Vec<Arc<Fibre>> = std::mem::take(&mut *lock(&self.fibres)).into_values().collect();
        thread::scope(|scope| {
            let mut shares: Vec<Vec<Arc<Fibre>>> = (0..CLOSERS).map(|_| Vec::new()).collect();
            for (index, fibre) in fibres.into_iter().enumerate() {
                shares[index % CLOSERS].push(fibre);
            }
            for share in shares {
                scope.spawn(move || drop(share));
            }
        });
    }
}

/// What a thread that panicked has left is whole: every change is one assignment.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The router or the route server of a node; none if it has none.
fn start_router(
    (world, plan): (&World, &Plan),
    (node, machine): (NodeId, &Machine),
    processes: &Arc<Processes>,
) -> Result<Option<Router>, Error> {
    let Node { name, role: Role::Router(_) | Role::Exchange(_), .. } = plan.node(node) else {
        return Ok(None);
    };
    let directory = make_directory(name)?;
    Router::start((world, plan), (node, machine), directory, processes).map(Some)
}

/// The operator's own data centre; none where the world has none.
fn start_core(
    world: &World,
    plan: &Plan,
    machines: &[Machine],
    processes: &Processes,
) -> Result<Option<Core>, Error> {
    let Some(node) = plan.core() else { return Ok(None) };
    let directory = make_directory(&plan.node(node).name)?;
    Core::start(&world.operation, &machines[node.0], directory, processes).map(Some)
}

fn start_hosts(
    world: &World,
    plan: &Plan,
    machines: &[Machine],
    processes: &Processes,
) -> Result<BTreeMap<HostId, Host>, Error> {
    let mut hosts = BTreeMap::new();
    for (index, (node, machine)) in plan.nodes.iter().zip(machines).enumerate() {
        let Role::Host(id) = node.role else { continue };
        let host = (NodeId(index), machine);
        hosts.insert(id, Host::start((world, plan), id, host, make_directory(&node.name)?, processes)?);
    }
    Ok(hosts)
}

/// Everybody who asks, each in its own node.
fn askers<'m>(world: &'m World, plan: &Plan, machines: &'m [Machine]) -> Vec<Asking<'m>> {
    let asking = |(index, asker)| {
        let id = ClientId::at(index);
        let node = plan.asker(world, id)?;
        Some(Asking::of(world, id, asker, &machines[node.0].namespace))
    };
    world.askers.iter().enumerate().filter_map(asking).collect()
}

/// A node's own directory in the private file system.
pub(crate) fn directory_of(node: &str) -> PathBuf {
    Path::new(PRIVATE).join("lab").join(node)
}

fn make_directory(node: &str) -> Result<PathBuf, Error> {
    let path = directory_of(node);
    fs::create_dir_all(&path).map_err(|error| Error::new(format!("make {}", path.display()), error))?;
    Ok(path)
}

//! Draws the tasks of a site and makes the drawing true.
//!
//! ```text
//!  thread "decisions": one runtime, one thread         thread "attendants": what may be slow
//!  ┌──────────────────────────────────────────┐        ┌────────────────────────────────────┐
//!  │ check task ×n ──found (queue)──┐         │        │ log      <──events (broadcast)──┐  │
//!  │    ^                           v         │        │ server   <──status (Board) ──┐  │  │
//!  │    └──sooner (queue)── decision loop ────┼─views──┼──────────────────────────────┤  │  │
//!  │                        ^ ^  │  │  └──────┼────────┼─> memory keeper ──> state dir │  │  │
//!  │   commands, regroups ──┘ │  │  └─beats─┐ │        │ clerk  <──orders (API)       │  │  │
//!  │      (queues)    │       │  │          │ │        │ office <──SIGHUP, reload     │  │  │
//!  │          │       │       │  │          │ │        └───────┬──────────────────────┼──┼──┘
//!  │          │       │       │ decision    │ │                │                      │  │
//!  │        stop    site <────┼─(latest)────┼─┼─changes (queue)┘                      │  │
//!  │          │       │       │  v          │ │                                       │  │
//!  │          └──text─┴─> peer task ×n ─────┼─┼──views────────────────────────────────┘  │
//!  │                       ^ │ └─ TCP       │ │                                          │
//!  │ listener ──calls──────┘ └──events──────┼─┼───────────> Bus ─────────────────────────┘
//!  └────────────────────────────────────────┼─┘              ^
//!  thread "watchdog" <──────────────────────┘                │
//!  thread "checks": runs of checks that may be held up (TLS, programs, files); load ──latest──> decision loop, fleet driver
//!  thread "addresses": Keeper ──presence (latest)──> check tasks, decision loop
//!  collector task ×n (with the attendants) ──lines (latest)──> peer tasks; ──messages (line: so many octets)──> collector
//!  fleet driver (with the attendants) <──wishes, views (latest)── decision loop; ──grants (latest)──> decision loop
//!  thread "recording" <──what every machine is told (queue, dropped when full)── decision loop, peer tasks
//!  thread "bfd" <──orders (queue)── site; ──paths (latest)──> peer tasks, status; in real time where that is allowed
//!  threads "dns-udp" and "dns-tcp": the built-in DNS service; each beats too, none waits for anything above
//! ```
//! Why one thread for all decisions: a verdict wakes the decision loop, that wakes a peer's task, that writes. In one
//! thread each of these steps is the next entry of a queue; between threads each would be a wake-up through the
//! kernel, and nothing here needs a second processor. What could hold that thread up runs elsewhere: the log, the disk
//! and every reader of the API with the attendants, the kernel's addresses with their keeper.
//!
//! What the site file names is started by name, in the module of its kind: [`peers`], [`groups`] with their checks, and
//! [`services`] with their addresses. [`site`] holds them together and changes them when the file was read again.
//!
//! What flows as *latest* is a cell that holds the whole: a slow reader sees fewer values, never an old one. Queues are
//! bounded, and none of them is waited for by the decision loop.

mod groups;
mod opening;
mod peers;
mod services;
mod site;
mod succession;

use crate::announce::{self, Decider, Group};
use crate::attendants::Attendants;
use crate::bfd::Links;
use crate::blackhole::{self, Book, Trigger};
use crate::bmp::Collectors;
use crate::check::{Surroundings, Workshop};
use crate::clock::Clock;
use crate::error::Error;
use crate::event::{Event, Source};
use crate::events::Bus;
use crate::export::Decision;
use crate::load::{self, Loads};
use crate::memory::{self, Memories};
use crate::metrics::Metrics;
use crate::orders::{self, Clerk, Orders};
use crate::record::Recording;
use crate::reload::{Change, Exit, Office};
use crate::status::{Board, Shown};
use crate::stop::{Signals, Stop};
use crate::succession::{Arrived, Departing, Descriptors, Estate, Event as Succession, Program};
use crate::traffic::{Connections, Counted};
use crate::watchdog::{self, Heart, Hearts, tell_manager};
use crate::{address, bgp, dns, fleet};
use ::fleet::Embedded;
use config::SiteFile;
use groups::Groups;
use opening::Opened;
use peers::Peers;
use sd_notify::NotifyState;
use services::Services;
use site::Site;
use std::collections::{BTreeMap, BTreeSet};
use std::net::TcpListener;
use std::os::fd::OwnedFd;
use std::path::Path;
use std::sync::Arc;
use succession::Taken;
use terms::Family;
use tokio::sync::{mpsc, watch};

/// Results of checks that wait for the decision loop. It takes each within microseconds.
const FOUND: usize = 256;

/// Requests that wait for the decision loop.
const COMMANDS: usize = 8;

/// Runs of checks that wait to be drawn; the page takes them ten times a second.
const SAMPLES: usize = 1024;

/// Runs a site until it is ordered to stop. `path` is where its site file was read; `program` may take over one day,
/// as this one may have from another.
pub(crate) fn run(path: &Path, site_file: SiteFile, arrived: Arrived, program: Program) -> Result<(), Error> {
    watchdog::end_on_panic();
    let Arrived { mut estate, mut descriptors, trouble } = arrived;
    let clock = estate.as_ref().map_or_else(Clock::start, |estate| Clock::going_on(estate.clock));
    let metrics = Metrics::default();
    let bus = Bus::new(clock, metrics.clone());
    if let Some(estate) = &mut estate {
        bus.go_on(std::mem::take(&mut estate.news));
    }
    if let Some(reason) = trouble {
        bus.tell(&Succession::EstateUnusable { reason }, Source::Process);
    }
    let runtime =
        tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(Error::System)?;
    let signals = runtime.block_on(async { Signals::listen() }).map_err(Error::System)?;
    linux::succession::hear_signals().map_err(Error::Host)?;
    let mut links = Links::new(clock, bus.clone(), metrics.bfd());
    if let Some(estate) = &mut estate {
        links.go_on(std::mem::take(&mut estate.links), &mut descriptors, &site_file.peers);
    }
    links.prepare(&site_file.peers)?;
    let before = estate.as_ref().map(|estate| &estate.sockets);
    let Opened { bgp, doors, socket, api, dns, keeper, kernel } =
        Opened::open(&site_file, before, &mut descriptors)?;
    let listener = socket.listener().map_err(Error::System)?;
    let control = socket.listener().map_err(Error::System)?.into();
    let api_handle = api.as_ref().map(TcpListener::try_clone).transpose().map_err(Error::System)?;
    let state_dir = site_file.site.state_dir.clone();
    let store = memory::open(&state_dir, &bus)?;
    let memories = match &mut estate {
        Some(estate) => std::mem::take(&mut estate.memories),
        None => runtime.block_on(memory::recall(store.as_ref(), &bus)),
    };
    let orders = runtime.block_on(orders::recall(store.as_ref(), clock.wall(), &bus));
    let blackholes = runtime.block_on(blackhole::recall(store.as_ref(), clock.wall(), &bus));

    let recording = Arc::new(Recording::begin(&state_dir, &site_file.site.name, clock, &bus));
    let workshop = Workshop::open().map_err(Error::System)?;
    let shared = Shared {
        clock,
        bus: bus.clone(),
        metrics,
        recording: Arc::clone(&recording),
        workshop: workshop.handle(),
    };
    let (departures, departing) = mpsc::channel(1);
    let supplies = Supplies {
        estate,
        descriptors,
        departing,
        control,
        api: api_handle.map(OwnedFd::from),
        bgp,
        doors,
        links,
        dns,
        presence: keeper.presence(),
        forwarding: keeper.forwarding(),
        wanted: keeper.wanted(),
        store: store.clone(),
        memories,
        orders,
        blackholes,
        hearts: Hearts::default(),
    };
    let hearts = supplies.hearts.clone();
    let wires = runtime.block_on(async { wire(&site_file, shared, supplies) })?;
    let Wires {
        site,
        stop,
        board,
        clerk,
        trigger,
        driver,
        collectors,
        metrics,
        memories,
        samples,
        changes,
        counted,
        connections,
        taken,
    } = wires;
    let attendants = Attendants {
        bus: bus.clone(),
        office: Office::new(path, site_file, board.clone(), changes, Exit { program, departures }),
        board,
        fleet: driver,
        collectors,
        metrics,
        store,
        memories,
        socket: listener,
        clerk,
        trigger,
        counted,
        connections,
        listener: api,
        samples,
    };
    let attending = attendants.start().map_err(Error::System)?;
    let told = bus.clone();
    let keep = move || keeper.keep(kernel, &told);
    std::thread::Builder::new().name("addresses".to_owned()).spawn(keep).map_err(Error::System)?;
    watchdog::watch(hearts).map_err(Error::System)?;

    match taken {
        Some(taken) => site.arrived(taken),
        None => bus.tell(&Event::Started, Source::Process),
    }
    tell_manager(&[NotifyState::Ready]);
    runtime.block_on(site.run(stop, signals));
    bus.tell(&Event::Stopped, Source::Process);
    // The tasks go first, so that what they remembered and noted last is complete when it is written.
    drop(runtime);
    workshop.close();
    if let Some(recording) = Arc::into_inner(recording) {
        recording.close();
    }
    attending.stop();
    Ok(())
}

/// What every driver tells with.
#[derive(Clone)]
struct Shared {
    clock: Clock,
    bus: Bus,
    metrics: Metrics,
    recording: Arc<Recording>,
    /// Where runs of checks are made that may be held up.
    workshop: tokio::runtime::Handle,
}

/// What the tasks are made of beside the site file.
struct Supplies {
    /// What the program before knew.
    estate: Option<Estate>,
    descriptors: Descriptors,
    departing: mpsc::Receiver<Departing>,
    control: OwnedFd,
    api: Option<OwnedFd>,
    bgp: Vec<TcpListener>,
    doors: bgp::Doors,
    links: Links,
    dns: Vec<dns::Server>,
    presence: watch::Receiver<address::Presence>,
    /// Families whose packets were delivered while no daemon ran.
    forwarding: BTreeSet<Family>,
    wanted: address::Wanted,
    store: Option<Embedded>,
    memories: Memories,
    orders: Orders,
    blackholes: Book,
    hearts: Hearts,
}

/// The loose ends of the wiring.
struct Wires {
    site: Site,
    stop: Stop,
    board: Board,
    driver: Option<fleet::Driver<::fleet::Etcd>>,
    collectors: Collectors,
    clerk: Clerk,
    trigger: Trigger,
    metrics: Metrics,
    memories: watch::Receiver<Memories>,
    samples: mpsc::Receiver<api::Sample>,
    changes: mpsc::Sender<Change>,
    counted: watch::Receiver<Counted>,
    connections: watch::Sender<Connections>,
    /// What was taken over.
    taken: Option<Taken>,
}

/// Starts every task of the decisions thread and connects them.
fn wire(site_file: &SiteFile, shared: Shared, supplies: Supplies) -> Result<Wires, Error> {
    let Supplies { estate, mut descriptors, departing, control, api, bgp: listeners, doors, links, .. } =
        supplies;
    let Supplies { dns, presence, forwarding, wanted, store, memories, orders: standing, .. } = supplies;
    let Supplies { blackholes, hearts, .. } = supplies;
    let Shared { clock, bus, metrics, .. } = shared.clone();
    let decision = watch::Sender::new(Arc::new(Decision::default()));
    let decided = decision.subscribe();
    let (found_by, found) = mpsc::channel(FOUND);
    let (commands, commanded) = mpsc::channel(COMMANDS);
    let (count, counted) = watch::channel(Counted::new());
    let (connections, connected) = watch::channel(Connections::new());
    let (show_orders, orders_shown) = watch::channel(orders::Shown::new());
    let (show_blackholes, blackholes_shown) = watch::channel(Book::new());
    let (regroups, regrouped) = mpsc::channel(1);
    let (views, groups_shown) = watch::channel(Vec::new());
    let (samples, drawn) = mpsc::channel(SAMPLES);
    let (changes, changed) = mpsc::channel(1);
    let (remembered, to_remember) = watch::channel(memories);
    let (shown, showing) = watch::channel(Shown::default());
    let (restarts, restart) = watch::channel(None);
    let (linger, lingering) = watch::channel(site_file.site.linger);
    let heart = Heart::of("the decision loop");
    hearts.add(heart.clone());

    let lines = watch::Sender::default();
    let (configure, configured) = watch::channel(site_file.collectors.clone());
    let collectors = Collectors::new(clock, bus.clone(), &site_file.site, configured, lines.clone());
    let mut peers = Peers::new(shared.clone(), decision.clone(), links, lines);
    let (mut sessions, mut kept, taken) = match estate {
        Some(Estate { number, version, still_since, peers, decision, permits, .. }) => {
            let taken = Taken { number, before: version, still_since, sessions: 0 };
            (peers, Some((decision, permits)), Some(taken))
        }
        None => (BTreeMap::new(), None, None),
    };
    let mut went_on = 0;
    for peer in &site_file.peers {
        match (sessions.remove(&peer.name), &taken) {
            (Some(session), _) => went_on += usize::from(peers.go_on(peer, session, &mut descriptors)),
            (None, Some(_)) => peers.start(peer),
            (None, None) => peers.start_after_restart(peer, &forwarding),
        }
    }
    // What nobody has taken is closed.
    drop((sessions, descriptors));
    let taken = taken.map(|taken| Taken { sessions: went_on, ..taken });
    let services = Services::new(shared.clone(), wanted, dns, hearts, site_file);
    let surroundings = Surroundings { clock, workshop: shared.workshop.clone(), tallies: services.tallies() };
    let (measured, loads) = watch::channel(Loads::new());
    shared.workshop.spawn(load::measure(services.watched(), services.tallies(), clock, measured));
    let metrics_with_dns = metrics.clone().with_dns(services.tallies()).with_loads(loads.clone());
    let mut groups =
        Groups::new(shared.clone(), surroundings, presence.clone(), found_by, to_remember.clone());
    let machines: Vec<Group> = site_file.groups.iter().map(|group| groups.make(group, site_file)).collect();

    let mouth = announce::Mouth {
        clock,
        bus: bus.clone(),
        metrics,
        heart,
        decision,
        memories: remembered,
        views,
        samples,
        counted: count,
    };
    let ears = announce::Ears {
        found,
        presence,
        commands: commanded,
        regroups: regrouped,
        connections: connected,
        loads: loads.clone(),
        shown: showing.clone(),
    };
    let covers = site_file.covers().into_iter().collect();
    let (fleet, permits, driver) = fleet::join(site_file, clock, bus.clone(), groups_shown.clone(), loads);
    let decider = Decider::new(machines, covers, permits, mouth);
    let mut decider = decider.blackholing(blackhole::wanted(&blackholes));
    let mut intents = orders::intents(&standing);
    let mut driver = driver;
    if let Some((decision, permits)) = kept.take() {
        driver = driver.map(|driver| driver.going_on(permits, decision.grants.clone()));
        decider = decider.going_on(decision);
        // An order that was not seen through is none.
        let names = site_file.groups.iter().map(|group| group.settings.group.clone());
        names.for_each(|name| _ = intents.entry(name).or_default());
    }
    tokio::spawn(decider.run(ears, intents));

    let name = site_file.site.name.clone();
    let stop = Stop {
        clock,
        bus: bus.clone(),
        site: name.clone(),
        linger: lingering,
        commands: commands.clone(),
        views: groups_shown.clone(),
        sessions: watch::Sender::new(None),
    };
    let mut site = Site {
        shared,
        site_file: site_file.clone(),
        peers,
        groups,
        services,
        doors,
        control,
        api,
        fleet: fleet.clone(),
        collectors: configure,
        commands: commands.clone(),
        memories: to_remember.clone(),
        departures: departing,
        restarts,
        linger,
        shown,
        regroups,
        changes: changed,
    };
    site.listen(listeners.into_iter().map(site::awaited).collect::<Result<Vec<_>, Error>>()?);
    site.show();
    let board = Board {
        clock,
        site: name,
        started: clock.wall(),
        groups: groups_shown,
        orders: orders_shown,
        shown: showing,
        decision: decided,
        blackholes: blackholes_shown,
        fleet,
        collectors: collectors.shown(),
        restart,
        bus,
    };
    let clerk = Clerk::new(board.clone(), store.clone(), standing, commands.clone(), show_orders);
    let trigger = Trigger::new(board.clone(), store, blackholes, commands, show_blackholes);
    let (metrics, memories, samples) = (metrics_with_dns, to_remember, drawn);
    Ok(Wires {
        site,
        stop,
        board,
        clerk,
        trigger,
        driver,
        collectors,
        metrics,
        memories,
        samples,
        changes,
        counted,
        connections,
        taken,
    })
}

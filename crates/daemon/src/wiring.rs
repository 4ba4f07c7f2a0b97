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
//!  thread "handover" <──situation (latest)── thread "continuity"; <──connections at rest (queue of one)── DNS threads;
//!     ──connections of other sites (queue)──> DNS threads; the same with thread "services", for services of other processes
//!  thread "continuity" <──views (latest)── decision loop; ──how moved connections fare (latest)──> status, metrics
//!  fleet driver (with the attendants) <──wishes, views (latest)── decision loop; ──grants (latest)──> decision loop
//!  thread "recording" <──what every machine is told (queue, dropped when full)── decision loop, peer tasks
//!  thread "bfd" <──orders (queue)── site; ──paths (latest)──> peer tasks, status; in real time where that is allowed
//!  thread "dns-zones" <──wanted (latest)── site; keeps zones of other servers; ──served (latest)──> the DNS threads, status
//!  thread "dns-publish" <──a zone has come (queue)── thread "dns-zones"; ──served (latest)──> the DNS threads; frees the old
//!  thread "dns-sweep": removes, after the start, what services that are gone have left on disk, and ends
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
mod wire;

use crate::attendants::Attendants;
use crate::bfd::Links;
use crate::blackhole;
use crate::check::Workshop;
use crate::clock::Clock;
use crate::continuity;
use crate::cookies;
use crate::dns;
use crate::error::Error;
use crate::event::{Event, Source};
use crate::events::Bus;
use crate::handover;
use crate::memory;
use crate::metrics::Metrics;
use crate::orders;
use crate::record::Recording;
use crate::reload::{Exit, Office};
use crate::stop::Signals;
use crate::succession::{Arrived, Event as Succession, Program};
use crate::watchdog::{self, Hearts, tell_manager};
use config::SiteFile;
use opening::Opened;
use sd_notify::NotifyState;
use std::net::TcpListener;
use std::os::fd::OwnedFd;
use std::path::Path;
use std::sync::Arc;
use tokio::sync::mpsc;
use wire::{Supplies, Wires, wire};

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
    let state_dir = site_file.site.state_dir.clone();
    let store = memory::open(&state_dir, &bus)?;
    let cookies = runtime.block_on(cookies::Keeper::recall(store.clone(), clock, bus.clone()));
    let (cooperation, offers) = handover::prepare();
    let surroundings = dns::Surroundings { clock, keyring: cookies.keyring(), cooperation, bus: bus.clone() };
    let before = estate.as_ref().map(|estate| &estate.sockets);
    let Opened { bgp, doors, socket, api, dns, keeper, kernel } =
        Opened::open(&site_file, before, &mut descriptors, &surroundings)?;
    let listener = socket.listener().map_err(Error::System)?;
    let control = socket.listener().map_err(Error::System)?.into();
    let api_handle = api.as_ref().map(TcpListener::try_clone).transpose().map_err(Error::System)?;
    let memories = match &mut estate {
        Some(estate) => std::mem::take(&mut estate.memories),
        None => runtime.block_on(memory::recall(store.as_ref(), &bus)),
    };
    runtime.block_on(continuity::settle(store.as_ref(), &site_file, &bus));
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
        dns: surroundings,
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
        offers,
    };
    let hearts = supplies.hearts.clone();
    let wires = runtime.block_on(async { wire(&site_file, shared, supplies) })?;
    services::sweep(&site_file, &bus).map_err(Error::System)?;
    let Wires {
        site,
        stop,
        board,
        clerk,
        trigger,
        driver,
        continuity,
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
        cookies,
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
    continuity.map_or(Ok(()), continuity::Drivers::start)?;
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
    /// What every thread of the DNS service needs.
    dns: dns::Surroundings,
}

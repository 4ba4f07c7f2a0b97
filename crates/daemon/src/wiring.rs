//! Draws the tasks of a site and makes the drawing true.
//!
//! ```text
//!  thread "decisions": one runtime, one thread         thread "attendants": what may be slow
//!  ┌──────────────────────────────────────────┐        ┌────────────────────────────────────┐
//!  │ check task ×n ──found (queue)──┐         │        │ log      <──events (broadcast)──┐  │
//!  │    ^                           v         │        │ server   <──status (Board) ──┐  │  │
//!  │    └──sooner (queue)── decision loop ────┼─views──┼──────────────────────────────┤  │  │
//!  │                         ^  │   │  └──────┼────────┼─> memory keeper ──> state dir │  │  │
//!  │      orders (queue)─────┘  │   └─beats─┐ │        └──────────────────────────────┼──┼──┘
//!  │          │                 │           │ │                                       │  │
//!  │        stop       decision (latest)    │ │                                       │  │
//!  │          │                 v           │ │                                       │  │
//!  │          └──text──> peer task ×n ──────┼─┼──views────────────────────────────────┘  │
//!  │                       ^ │ └─ TCP       │ │                                          │
//!  │ listener ──calls──────┘ └──events──────┼─┼───────────> Bus ─────────────────────────┘
//!  └────────────────────────────────────────┼─┘              ^
//!  thread "watchdog" <──────────────────────┘                │
//!  thread "addresses": Keeper ──presence (latest)──> check tasks, decision loop
//!  thread "recording" <──what every machine is told (queue, dropped when full)── decision loop, peer tasks
//!  threads "dns-udp" and "dns-tcp": the built-in DNS service; each beats too, none waits for anything above
//! ```
//! Why one thread for all decisions: a verdict wakes the decision loop, that wakes a peer's task, that writes. In one
//! thread each of these steps is the next entry of a queue; between threads each would be a wake-up through the
//! kernel, and nothing here needs a second processor. What could hold that thread up runs elsewhere: the log, the disk
//! and every reader of the API with the attendants, the kernel's addresses with their keeper.
//!
//! What flows as *latest* is a cell that holds the whole: a slow reader sees fewer values, never an old one. Queues are
//! bounded, and none of them is waited for by the decision loop.

use crate::address::{self, Belongings, Keeper};
use crate::announce::{self, Decider, Group, Peers, Permits};
use crate::attendants::Attendants;
use crate::bgp::{self, CALLS_PER_PEER, Peer, Switchboard};
use crate::check::{Found, Probe};
use crate::clock::Clock;
use crate::dns;
use crate::error::Error;
use crate::event::{Event, Source};
use crate::events::Bus;
use crate::export::Decision;
use crate::memory::{self, Memories};
use crate::metrics::Metrics;
use crate::orders::{self, Clerk, Orders};
use crate::record::Recording;
use crate::socket::ControlSocket;
use crate::status::{self, Board};
use crate::stop::{Signals, Stop};
use crate::traffic::{Connections, Counted};
use crate::watchdog::{self, Heart, tell_manager};
use ::announce::{CheckId, Condition, Machine};
use config::SiteFile;
use sd_notify::NotifyState;
use std::collections::BTreeSet;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;
use terms::{Family, ServiceName};
use tokio::sync::{mpsc, watch};
use tokio::task::JoinSet;

/// Results of checks that wait for the decision loop. It takes each within microseconds.
const FOUND: usize = 256;

/// Requests that wait for the decision loop.
const COMMANDS: usize = 8;

/// Runs of checks that wait to be drawn; the page takes them ten times a second.
const SAMPLES: usize = 1024;

/// Longest time that the sessions get to say goodbye.
const GOODBYE: Duration = Duration::from_secs(5);

/// Everything that a start can fail on, open. Dropped, it leaves nothing behind.
struct Opened {
    bgp: Vec<std::net::TcpListener>,
    socket: ControlSocket,
    api: Option<std::net::TcpListener>,
    dns: Vec<dns::Server>,
    keeper: Keeper,
    kernel: linux::watch::Watch,
}

impl Opened {
    fn open(site_file: &SiteFile) -> Result<Self, Error> {
        let port = site_file.site.bgp_port;
        let families: BTreeSet<Family> =
            site_file.peers.iter().map(|peer| Family::of(peer.address.ip())).collect();
        let bind = |family: &Family| bgp::bind(*family == Family::Ipv4, port);
        let bgp = families.iter().map(bind).collect::<Result<_, _>>();
        let bgp = bgp.map_err(|source| Error::bgp_port(port, source))?;
        let socket = ControlSocket::open(&site_file.api.socket)?;
        let api = site_file.api.listen.map(listen).transpose()?;
        let dns = start_dns(site_file)?;
        let kernel = address::listen().map_err(Error::host)?;
        // Last, because it is the one step that others can see: nothing after it fails for the site file's sake.
        let keeper = Keeper::put(&belongings(site_file)).map_err(Error::host)?;
        Ok(Opened { bgp, socket, api, dns, keeper, kernel })
    }
}

/// Listens for readers of the page and the documents.
fn listen(address: SocketAddr) -> Result<std::net::TcpListener, Error> {
    let listen = || {
        let listener = std::net::TcpListener::bind(address)?;
        listener.set_nonblocking(true)?;
        Ok(listener)
    };
    listen().map_err(|source| Error::Listen { address, source })
}

/// Starts the built-in DNS service of each service that has one. Its addresses may come later.
fn start_dns(site_file: &SiteFile) -> Result<Vec<dns::Server>, Error> {
    let workers = std::thread::available_parallelism().map_err(Error::System)?;
    let site = &site_file.site;
    let built_in = site_file.services.iter().filter_map(|service| Some((service, service.dns.as_ref()?)));
    let start = |(service, built_in): (&config::Service, &config::BuiltInDns)| {
        let settings = dns::Settings {
            addresses: service.addresses.clone(),
            port: dns::PORT,
            workers,
            identity: ::dns::Identity::new(&site.name, Some(&site.host)),
            files: built_in.files.clone(),
        };
        Ok(dns::Server::start(&settings, Arc::clone(&built_in.zones))?)
    };
    built_in.map(start).collect()
}

fn belongings(site_file: &SiteFile) -> Belongings {
    let services = &site_file.services;
    let announced = site_file.groups.iter().flat_map(|group| group.prefixes.iter().copied());
    Belongings {
        addresses: services.iter().flat_map(|service| service.addresses.iter().copied()).collect(),
        rejected: announced.filter(|_| site_file.site.reject_routes).collect(),
    }
}

/// Runs a site until it is ordered to stop.
pub(crate) fn run(site_file: SiteFile) -> Result<(), Error> {
    watchdog::end_on_panic();
    let (clock, metrics) = (Clock::start(), Metrics::default());
    let bus = Bus::new(clock, metrics.clone());
    let runtime =
        tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(Error::System)?;
    let signals = runtime.block_on(async { Signals::listen() }).map_err(Error::System)?;
    let Opened { bgp, socket, api, dns, keeper, kernel } = Opened::open(&site_file)?;
    let listener = socket.listener().map_err(Error::System)?;
    let memories = memory::recall(&site_file.site.state_dir, &bus);
    let orders = orders::recall(&site_file.site.state_dir, clock.wall(), &bus);

    let recording = Recording::begin(&site_file.site.state_dir, &site_file.site.name, clock, &bus);
    let shared = Shared { clock, bus: bus.clone(), metrics: metrics.clone(), recording: &recording };
    let presence = keeper.presence();
    let Wires { site, board, clerk, memories, heart, samples, counted, connections } = runtime
        .block_on(async { wire(&site_file, &shared, bgp, presence, memories, orders) })
        .map_err(Error::System)?;
    let attendants = Attendants {
        bus: bus.clone(),
        board,
        metrics: metrics.with_dns(dns.iter().flat_map(dns::Server::tallies).collect()),
        zone_files: dns.iter().map(dns::Server::zone_files).collect(),
        state_dir: site_file.site.state_dir.clone(),
        memories,
        socket: listener,
        clerk,
        counted,
        connections,
        listener: api,
        samples,
    };
    let attending = attendants.start().map_err(Error::System)?;
    let told = bus.clone();
    let keep = move || keeper.keep(kernel, &told);
    std::thread::Builder::new().name("addresses".to_owned()).spawn(keep).map_err(Error::System)?;
    let hearts = dns.iter().flat_map(dns::Server::hearts).chain([heart]).collect();
    watchdog::watch(hearts).map_err(Error::System)?;

    bus.tell(&Event::Started, Source::Process);
    tell_manager(NotifyState::Ready);
    runtime.block_on(site.run(signals));
    bus.tell(&Event::Stopped, Source::Process);
    // The tasks go first, so that what they remembered and noted last is complete when it is written.
    drop(runtime);
    recording.close();
    attending.stop();
    dns.into_iter().for_each(dns::Server::stop);
    Ok(())
}

/// What every driver tells with.
struct Shared<'a> {
    clock: Clock,
    bus: Bus,
    metrics: Metrics,
    recording: &'a Recording,
}

/// The loose ends of the wiring.
struct Wires {
    site: Site,
    board: Board,
    clerk: Clerk,
    memories: watch::Receiver<Memories>,
    heart: Heart,
    samples: mpsc::Receiver<api::Sample>,
    counted: watch::Receiver<Counted>,
    connections: watch::Sender<Connections>,
}

/// A site whose tasks run.
struct Site {
    peers: JoinSet<()>,
    stop: Stop,
}

impl Site {
    async fn run(mut self, signals: Signals) {
        self.stop.when_told(signals).await;
        let goodbye = async { while self.peers.join_next().await.is_some() {} };
        // A peer that does not take its goodbye hears it from the kernel.
        let _ = tokio::time::timeout(GOODBYE, goodbye).await;
    }
}

/// Starts every task of the decisions thread and connects them.
fn wire(
    site_file: &SiteFile,
    shared: &Shared<'_>,
    listeners: Vec<std::net::TcpListener>,
    presence: watch::Receiver<address::Presence>,
    memories: Memories,
    standing: Orders,
) -> std::io::Result<Wires> {
    let (clock, bus, metrics) = (shared.clock, shared.bus.clone(), shared.metrics.clone());
    let decision = watch::Sender::new(Arc::new(Decision::default()));
    let (sessions, stop) = watch::channel(None);
    let (found_by, found) = mpsc::channel(FOUND);
    let (commands, commanded) = mpsc::channel(COMMANDS);
    let (views, groups) = watch::channel(Vec::new());
    let (samples, drawn) = mpsc::channel(SAMPLES);
    let (count, counted) = watch::channel(Counted::new());
    let (connections, connected) = watch::channel(Connections::new());
    let heart = Heart::of("the decision loop");

    let (peers, shown_peers, switchboard) = start_peers(site_file, shared, &decision, &stop);
    for listener in listeners {
        let listener = tokio::net::TcpListener::from_std(listener)?;
        tokio::spawn(bgp::take_calls(listener, switchboard.clone(), bus.clone()));
    }
    let machines = start_groups(site_file, shared, &presence, &found_by, &memories);
    let (remembered, to_remember) = watch::channel(memories);
    let mouth = announce::Mouth {
        clock,
        bus: bus.clone(),
        metrics,
        heart: heart.clone(),
        decision,
        memories: remembered,
        views,
        samples,
        counted: count,
    };
    let peers_told: Peers = shown_peers.iter().map(|peer| (peer.name.clone(), peer.view.clone())).collect();
    let ears =
        announce::Ears { found, presence, commands: commanded, connections: connected, peers: peers_told };
    let decider = Decider::new(machines, Permits::Alone, mouth);
    tokio::spawn(decider.run(ears, orders::intents(&standing)));

    let site = &site_file.site;
    let (show_orders, shown_orders) = watch::channel(orders::Shown::new());
    let board = Board {
        clock,
        site: site.name.clone(),
        place: site.place.as_ref().map(|place| (place.city.clone(), place.at)),
        addresses: belongings(site_file).addresses.into_iter().collect(),
        started: clock.wall(),
        groups: groups.clone(),
        orders: shown_orders,
        peers: shown_peers,
        bus: bus.clone(),
    };
    let clerk = Clerk::new(board.clone(), &site.state_dir, standing, commands.clone(), show_orders);
    let stop =
        Stop { clock, bus, site: site.name.clone(), linger: site.linger, commands, views: groups, sessions };
    Ok(Wires {
        site: Site { peers, stop },
        board,
        clerk,
        memories: to_remember,
        heart,
        samples: drawn,
        counted,
        connections,
    })
}

/// Starts a task for each peer.
fn start_peers(
    site_file: &SiteFile,
    shared: &Shared<'_>,
    decision: &watch::Sender<Arc<Decision>>,
    stop: &watch::Receiver<Option<::bgp::session::ShutdownText>>,
) -> (JoinSet<()>, Vec<status::Peer>, Switchboard) {
    let (mut tasks, mut shown, mut switchboard) = (JoinSet::new(), Vec::new(), Switchboard::new());
    for neighbour in &site_file.peers {
        let mouth =
            bgp::Mouth { clock: shared.clock, bus: shared.bus.clone(), metrics: shared.metrics.clone() };
        let track = shared.recording.track(neighbour.name.as_str());
        let peer = Peer::new(neighbour.clone(), rand::random(), track, mouth);
        let (caller, calls) = mpsc::channel(CALLS_PER_PEER);
        switchboard.insert(neighbour.address.ip(), caller);
        shown.push(status::Peer {
            name: neighbour.name.clone(),
            address: neighbour.address.ip(),
            asn: neighbour.session.peer_asn,
            view: peer.view(),
        });
        tasks.spawn(peer.run(bgp::Ears { decision: decision.subscribe(), calls, stop: stop.clone() }));
    }
    (tasks, shown, switchboard)
}

/// Makes the machine of each group and starts a task for each of its checks.
fn start_groups(
    site_file: &SiteFile,
    shared: &Shared<'_>,
    presence: &watch::Receiver<address::Presence>,
    found: &mpsc::Sender<(usize, Found)>,
    memories: &Memories,
) -> Vec<Group> {
    let mut first_check = 0;
    let start = |(index, group): (usize, &config::Group)| {
        let started = shared.clock.now();
        let kept = memories.get(&group.settings.group);
        let memory = kept.map(|kept| kept.memory(shared.clock.wall_at(started))).unwrap_or_default();
        let checks = group.settings.checks.iter().zip(&group.probes).enumerate();
        let sooner = checks.map(|(check, (settings, probe))| {
            let (sooner, told) = mpsc::channel(1);
            let probe = Probe {
                group: index,
                check: CheckId(check),
                service: probe.target,
                expectation: probe.expectation.clone(),
                interval: settings.interval,
                timeout: probe.timeout,
            };
            tokio::spawn(probe.run(shared.clock, presence.clone(), told, found.clone()));
            sooner
        });
        let sooner: Vec<_> = sooner.collect();
        let at = first_check;
        first_check += sooner.len();
        Group {
            machine: Machine::new(group.settings.clone(), memory, started),
            track: shared.recording.track(group.settings.group.as_str()),
            services: group.services.clone(),
            prefixes: group.prefixes.iter().copied().collect(),
            addresses: addresses_of(site_file, &group.services),
            ready: Condition::met("the self-query decides"),
            sooner,
            first_check: at,
        }
    };
    site_file.groups.iter().enumerate().map(start).collect()
}

fn addresses_of(site_file: &SiteFile, names: &[ServiceName]) -> BTreeSet<IpAddr> {
    let services = site_file.services.iter().filter(|service| names.contains(&service.name));
    services.flat_map(|service| service.addresses.iter().copied()).collect()
}

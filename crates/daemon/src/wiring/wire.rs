//! Starts the tasks of the decisions thread and connects them: the drawing's lines.

use super::Shared;
use super::groups::Groups;
use super::peers::Peers;
use super::services::{self, Services};
use super::site::{self, Site};
use super::succession::Taken;
use crate::announce::{self, Decider, Group};
use crate::bfd::Links;
use crate::blackhole::{self, Book, Trigger};
use crate::bmp::Collectors;
use crate::check::Surroundings;
use crate::error::Error;
use crate::export::Decision;
use crate::load::{self, Loads};
use crate::memory::Memories;
use crate::metrics::Metrics;
use crate::orders::{self, Clerk, Orders};
use crate::reload::Change;
use crate::status::{Board, Shown};
use crate::stop::Stop;
use crate::succession::{Departing, Descriptors, Estate};
use crate::traffic::{Connections, Counted};
use crate::watchdog::{Heart, Hearts};
use crate::{address, bgp, continuity, dns, fleet, handover};
use ::fleet::Embedded;
use config::SiteFile;
use std::collections::{BTreeMap, BTreeSet};
use std::net::TcpListener;
use std::os::fd::OwnedFd;
use std::sync::Arc;
use terms::{Family, PeerName};
use tokio::sync::{mpsc, watch};

/// Results of checks that wait for the decision loop. It takes each within microseconds.
const FOUND: usize = 256;

/// Requests that wait for the decision loop.
const COMMANDS: usize = 8;

/// Runs of checks that wait to be drawn; the page takes them ten times a second.
const SAMPLES: usize = 1024;

/// What the tasks are made of beside the site file.
pub(super) struct Supplies {
    /// What the program before knew.
    pub(super) estate: Option<Estate>,
    pub(super) descriptors: Descriptors,
    pub(super) departing: mpsc::Receiver<Departing>,
    pub(super) control: OwnedFd,
    pub(super) api: Option<OwnedFd>,
    pub(super) bgp: Vec<TcpListener>,
    pub(super) doors: bgp::Doors,
    pub(super) links: Links,
    pub(super) dns: services::DnsServices,
    pub(super) presence: watch::Receiver<address::Presence>,
    /// Families whose packets were delivered while no daemon ran.
    pub(super) forwarding: BTreeSet<Family>,
    pub(super) wanted: address::Wanted,
    pub(super) store: Option<Embedded>,
    pub(super) memories: Memories,
    pub(super) orders: Orders,
    pub(super) blackholes: Book,
    pub(super) hearts: Hearts,
    /// What services give away.
    pub(super) offers: handover::Offers,
}

/// The loose ends of the wiring.
pub(super) struct Wires {
    pub(super) site: Site,
    pub(super) stop: Stop,
    pub(super) board: Board,
    pub(super) driver: Option<fleet::Driver<::fleet::Etcd>>,
    /// Looks after moved connections.
    pub(super) continuity: Option<continuity::Drivers>,
    pub(super) collectors: Collectors,
    pub(super) clerk: Clerk,
    pub(super) trigger: Trigger,
    pub(super) metrics: Metrics,
    pub(super) memories: watch::Receiver<Memories>,
    pub(super) samples: mpsc::Receiver<api::Sample>,
    pub(super) changes: mpsc::Sender<Change>,
    pub(super) counted: watch::Receiver<Counted>,
    pub(super) connections: watch::Sender<Connections>,
    /// What was taken over.
    pub(super) taken: Option<Taken>,
}

/// Starts every task of the decisions thread and connects them.
pub(super) fn wire(site_file: &SiteFile, shared: Shared, supplies: Supplies) -> Result<Wires, Error> {
    let Supplies { estate, descriptors, departing, control, api, bgp: listeners, doors, links, .. } =
        supplies;
    let Supplies { dns, presence, forwarding, wanted, store, memories, orders: standing, .. } = supplies;
    let Supplies { blackholes, hearts, offers, .. } = supplies;
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
    let (sessions, kept, taken) = match estate {
        Some(Estate { number, version, still_since, peers, decision, permits, .. }) => {
            let taken = Taken { number, before: version, still_since, sessions: 0 };
            (peers, Some((decision, permits)), Some(taken))
        }
        None => (BTreeMap::new(), None, None),
    };
    let handed_over = HandedOver { sessions, descriptors, taken };
    let taken = start_peers(&mut peers, &site_file.peers, handed_over, &forwarding);
    let services = Services::new(shared.clone(), wanted, dns, hearts, site_file);
    let (counted_zones, inventory) = watch::channel(dns::Inventory::new());
    shared.workshop.spawn(dns::take_stock(services.tallies(), clock, counted_zones));
    let surroundings = Surroundings {
        clock,
        workshop: shared.workshop.clone(),
        tallies: services.tallies(),
        inventory: inventory.clone(),
    };
    let (secondaries, secondaries_shown) = watch::channel(dns::zone_keeping::Views::default());
    dns::zone_keeping::start(services.kept(), secondaries, clock, bus.clone()).map_err(Error::System)?;
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
    let dns_said = fleet::DnsSaid { keyring: shared.dns.keyring.clone(), inventory: inventory.clone() };
    let (fleet, permits, mut driver) =
        fleet::join(site_file, clock, bus.clone(), groups_shown.clone(), loads, dns_said);
    let (moved, continuity) =
        continuity::join(site_file, clock, bus.clone(), groups_shown.clone(), store.clone(), offers);
    let decider = Decider::new(machines, covers, permits, mouth);
    let mut decider = decider.blackholing(blackhole::wanted(&blackholes));
    let mut intents = orders::intents(&standing);
    if let Some((decision, permits)) = kept {
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
        moved: moved.clone(),
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
        secondaries: secondaries_shown,
        moved,
        collectors: collectors.shown(),
        restart,
        inventory,
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
        continuity,
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

/// What the program before left of the sessions.
struct HandedOver {
    sessions: BTreeMap<PeerName, bgp::KeptSession>,
    descriptors: Descriptors,
    taken: Option<Taken>,
}

/// Starts the task of each peer; a session that is up goes on. Answers what was taken over. `forwarding` are the families
/// whose packets were delivered while no daemon ran.
fn start_peers(
    peers: &mut Peers,
    of: &[config::Peer],
    handed_over: HandedOver,
    forwarding: &BTreeSet<Family>,
) -> Option<Taken> {
    // What nobody takes is closed.
    let HandedOver { mut sessions, mut descriptors, taken } = handed_over;
    let mut went_on = 0;
    for peer in of {
        match (sessions.remove(&peer.name), &taken) {
            (Some(session), _) => went_on += usize::from(peers.go_on(peer, session, &mut descriptors)),
            (None, Some(_)) => peers.start(peer),
            (None, None) => peers.start_after_restart(peer, forwarding),
        }
    }
    taken.map(|taken| Taken { sessions: went_on, ..taken })
}

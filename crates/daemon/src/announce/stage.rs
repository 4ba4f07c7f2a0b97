//! A decision loop by itself, for tests of those who ask it: everything around it is a cell that the test holds.

use super::{Command, Ears, Group, Mouth, Regroup, Slot};
use crate::address::Presence;
use crate::blackhole;
use crate::check::Found;
use crate::clock::Clock;
use crate::continuity::Moved;
use crate::events::Bus;
use crate::export::Decision;
use crate::fleet::Fleet;
use crate::load::Loads;
use crate::memory::Memories;
use crate::metrics::Metrics;
use crate::orders;
use crate::status::{Board, Shown};
use crate::traffic::{Connections, Counted};
use crate::watchdog::Heart;
use announce::{CheckId, Condition, Machine, Memory};
use config::SiteFile;
use recording::Track;
use std::any::Any;
use std::sync::Arc;
use terms::{Family, SiteName, Verdict};
use tokio::sync::{mpsc, watch};

/// What is around a decision loop.
pub(crate) struct Stage {
    pub(crate) clock: Clock,
    pub(crate) bus: Bus,
    pub(crate) groups: watch::Receiver<Vec<api::Group>>,
    pub(crate) found: mpsc::Sender<(Slot, Found)>,
    pub(crate) commands: mpsc::Sender<Command>,
    pub(crate) decision: watch::Receiver<Arc<Decision>>,
    pub(crate) shown: watch::Sender<Shown>,
    pub(crate) loads: watch::Receiver<Loads>,
    /// Ends of channels that nobody uses.
    _kept: Vec<Box<dyn Any>>,
}

impl Stage {
    /// The stage, and what the loop is made of.
    pub(crate) fn new() -> (Stage, Ears, Mouth) {
        let (clock, metrics) = (Clock::start(), Metrics::default());
        let bus = Bus::new(clock, metrics.clone());
        let (views, groups) = watch::channel(Vec::new());
        let (found, finding) = mpsc::channel(16);
        let (commands, commanded) = mpsc::channel(8);
        let (decided, decision) = watch::channel(Arc::new(Decision::default()));
        let (shown, showing) = watch::channel(Shown::default());
        let (presence, present) = watch::channel(Presence::default());
        let (connections, connected) = watch::channel(Connections::new());
        let (load, loads) = watch::channel(Loads::default());
        let (regroups, regrouped) = mpsc::channel::<Regroup>(1);
        let (samples, drawn) = mpsc::channel(16);
        let mouth = Mouth {
            clock,
            bus: bus.clone(),
            metrics,
            heart: Heart::of("the test"),
            decision: decided,
            memories: watch::Sender::new(Memories::new()),
            views,
            samples,
            counted: watch::Sender::new(Counted::new()),
        };
        let ears = Ears {
            found: finding,
            presence: present,
            commands: commanded,
            regroups: regrouped,
            connections: connected,
            loads: loads.clone(),
            shown: showing,
        };
        let _kept: Vec<Box<dyn Any>> = vec![Box::new((presence, connections, load, regroups, drawn))];
        (Stage { clock, bus, groups, found, commands, decision, shown, loads, _kept }, ears, mouth)
    }

    /// The groups of a site file at their start, whose services are ready at once.
    pub(crate) fn groups_of(&self, site_file: &SiteFile) -> Vec<Group> {
        let addresses = |of: &config::Group| {
            let services = site_file.services.iter().filter(|service| of.services.contains(&service.name));
            services.flat_map(|service| service.addresses.iter().copied()).collect()
        };
        let group = |(slot, of): (usize, &config::Group)| Group {
            slot: Slot(slot),
            machine: Machine::new(of.settings.clone(), Memory::default(), self.clock.now()),
            track: Track::silent(),
            services: of.services.clone(),
            prefixes: of.prefixes.iter().copied().collect(),
            withheld: Default::default(),
            addresses: addresses(of),
            ready: Condition::met("always"),
            sooner: Vec::new(),
            first_check: 0,
        };
        site_file.groups.iter().enumerate().map(group).collect()
    }

    /// What can be looked at; nothing is ordered.
    pub(crate) fn board(&self, site: SiteName, fleet: Fleet) -> Board {
        Board {
            clock: self.clock,
            site,
            started: self.clock.wall(),
            groups: self.groups.clone(),
            orders: watch::channel(orders::Shown::new()).1,
            shown: self.shown.subscribe(),
            decision: self.decision.clone(),
            blackholes: watch::channel(blackhole::Book::new()).1,
            moved: Moved::unwanted(),
            fleet,
            secondaries: watch::Sender::default().subscribe(),
            collectors: watch::Sender::default().subscribe(),
            restart: watch::channel(None).1,
            inventory: watch::Sender::default().subscribe(),
            bus: self.bus.clone(),
        }
    }

    /// The only check of a group has run.
    pub(crate) async fn check(&self, slot: usize, verdict: Verdict) {
        let now = self.clock.now();
        let (check, family) = (CheckId(0), Some(Family::Ipv4));
        let found = Found { check, verdict, family, asked: now, known: now, seen: None };
        self.found.send((Slot(slot), found)).await.unwrap();
    }
}

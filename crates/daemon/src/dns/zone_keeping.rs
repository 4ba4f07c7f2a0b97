//! Keeps every zone of other servers current, and tells others of ours: one thread for all of them.
//!
//! ```text
//!   site file --> wanted (latest) --> a task per zone from primaries --> its shelf --> every DNS thread
//!                                 --> a task per shelf: who is to be told of a new version (NOTIFY)
//!   a catalog has come --> following --> its shelf has other zones --> other tasks
//! ```

use super::event::Event;
use super::exchange;
use super::following::Following;
use super::secondary::{Keeper, View};
use super::shelf::Shelf;
use super::turns::Turns;
use crate::clock::Clock;
use crate::event::Source;
use crate::events::Bus;
use config::{Server, ZoneTransfers};
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;
use std::collections::BTreeMap;
use std::future::pending;
use std::io;
use std::sync::Arc;
use terms::{DomainName, Reason, ServiceName};
use tokio::sync::{Semaphore, watch};
use tokio::task::{AbortHandle, JoinError, JoinSet};
use tokio::time::sleep;
use transfer::{Membership, SHORTEST};

/// Threads that put zones together and write them, at most: thousands may come at once, and the disk takes no more.
const WRITERS: usize = 32;

/// The zones of every service.
pub(crate) type Wanted = BTreeMap<ServiceName, Shelf>;

/// A zone of a service.
type Key = (ServiceName, DomainName);

/// What is shown of zones that come from other servers, and of catalogs.
#[derive(Clone, Debug, Default)]
pub(crate) struct Views {
    /// Each zone, and the catalog that lists it if it is there for that.
    pub(super) zones: BTreeMap<Key, (watch::Receiver<View>, Option<DomainName>)>,
    pub(crate) catalogs: Vec<api::Catalog>,
}

/// Every zone as the API shows it.
pub(crate) fn shown(views: &Views, clock: Clock) -> Vec<api::Secondary> {
    let zones = views.zones.iter();
    zones
        .map(|((service, name), (view, catalog))| view.borrow().shown(service, name, catalog.clone(), clock))
        .collect()
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ZoneLabels {
    service: String,
    zone: String,
}

/// Adds the metrics of catalogs; none where there is none.
pub(crate) fn register_catalogs(registry: &mut Registry, catalogs: &[api::Catalog]) {
    if catalogs.is_empty() {
        return;
    }
    let followed = Family::<ZoneLabels, Gauge>::default();
    let members = Family::<ZoneLabels, Gauge>::default();
    for catalog in catalogs {
        let labels = ZoneLabels { service: catalog.service.to_string(), zone: catalog.name.to_string() };
        followed.get_or_create(&labels).set(i64::from(catalog.state == api::CatalogState::Followed));
        members.get_or_create(&labels).set(i64::try_from(catalog.members).unwrap_or(i64::MAX));
    }
    registry.register(
        "catalog_followed",
        "1 while the last version of a catalog is followed, else 0",
        followed,
    );
    registry.register("catalog_members", "Zones that are there because a catalog lists them", members);
}

/// Adds the metrics of zones that come from other servers; none where there is no such zone.
pub(crate) fn register(registry: &mut Registry, zones: &[api::Secondary]) {
    if zones.is_empty() {
        return;
    }
    let served = Family::<ZoneLabels, Gauge>::default();
    let expires = Family::<ZoneLabels, Gauge>::default();
    for zone in zones {
        let labels = ZoneLabels { service: zone.service.to_string(), zone: zone.name.to_string() };
        served.get_or_create(&labels).set(i64::from(zone.state == api::SecondaryState::Current));
        if let Some(end) = zone.expires {
            expires.get_or_create(&labels).set(i64::try_from(end.0 / 1000).unwrap_or(i64::MAX));
        }
    }
    registry.register("zone_served", "1 while a zone from primaries is served, 0 while it is not", served);
    registry.register("zone_expires_seconds", "When a zone from primaries expires, Unix time", expires);
}

/// Starts the thread, which ends when nobody wants anything any more.
pub(crate) fn start(
    wanted: watch::Receiver<Wanted>,
    views: watch::Sender<Views>,
    clock: Clock,
    bus: Bus,
) -> io::Result<()> {
    let mut runtime = tokio::runtime::Builder::new_current_thread();
    let runtime = runtime.enable_all().max_blocking_threads(WRITERS).build()?;
    let keeping = Keeping::new(clock, bus, views);
    let run = move || runtime.block_on(keeping.run(wanted));
    std::thread::Builder::new().name("dns-zones".to_owned()).spawn(run)?;
    Ok(())
}

struct Keeping {
    clock: Clock,
    bus: Bus,
    views: watch::Sender<Views>,
    following: BTreeMap<ServiceName, (Following, Option<AbortHandle>)>,
    running: BTreeMap<Key, Running>,
    tasks: JoinSet<()>,
    /// Where those wait who ask for zones of catalogs, by the server that they ask first.
    asking: Turns,
    /// Where those wait who tell of zones.
    telling: Turns,
}

/// The tasks of one zone, and what they were started for.
struct Running {
    transfers: ZoneTransfers,
    /// Another one when the service was away meanwhile.
    shelf: Shelf,
    tasks: Vec<AbortHandle>,
    view: Option<watch::Receiver<View>>,
}

impl Running {
    /// Ends its tasks: none of them does anything more.
    fn end(&self, zone: &DomainName, bus: &Bus) {
        self.tasks.iter().for_each(AbortHandle::abort);
        let is_expired = |view: &watch::Receiver<View>| view.borrow().is_expired();
        if self.view.as_ref().is_some_and(is_expired) {
            bus.tell(&Event::Left, Source::Zone(zone));
        }
    }
}

impl Keeping {
    fn new(clock: Clock, bus: Bus, views: watch::Sender<Views>) -> Keeping {
        let (following, running) = (BTreeMap::new(), BTreeMap::new());
        let (asking, telling) = (Turns::default(), Turns::default());
        Keeping { clock, bus, views, following, running, tasks: JoinSet::new(), asking, telling }
    }

    async fn run(mut self, mut wanted: watch::Receiver<Wanted>) {
        loop {
            let now = wanted.borrow_and_update().clone();
            self.follow(&now);
            self.adapt(&now);
            self.show(&now);
            tokio::select! {
                changed = wanted.changed() => if changed.is_err() { return },
                () = self.ended() => {}
            }
        }
    }

    /// A task has ended, and perhaps many with it. After one that failed by a fault of ours there is a pause: it may fail
    /// again at once.
    async fn ended(&mut self) {
        let Some(first) = self.tasks.join_next().await else { return pending().await };
        let others = std::iter::from_fn(|| self.tasks.try_join_next());
        // All of them are taken: one look at every zone is enough.
        let failed = std::iter::once(first).chain(others).filter_map(Result::err);
        if failed.filter(JoinError::is_panic).count() > 0 {
            sleep(SHORTEST).await;
        }
    }

    /// Looks at the catalogs, and has the zones that they list. Nobody else runs meanwhile: this waits for nothing.
    fn follow(&mut self, wanted: &Wanted) {
        self.following.retain(|service, (following, looking)| {
            let stays = wanted.get(service).is_some_and(|shelf| following.is_of(shelf));
            if let (false, Some(looking)) = (stays, looking) {
                looking.abort();
            }
            stays
        });
        for (service, shelf) in wanted {
            let following = || Following::new(service.clone(), shelf.clone(), self.clock, self.bus.clone());
            let (following, looking) =
                self.following.entry(service.clone()).or_insert_with(|| (following(), None));
            let news = following.look();
            for zone in news.lost() {
                if let Some(running) = self.running.remove(&(service.clone(), zone.clone())) {
                    running.end(zone, &self.bus);
                }
            }
            following.enrol(&news);
            if looking.as_ref().is_none_or(AbortHandle::is_finished) {
                *looking = Some(self.tasks.spawn(following.another_version()));
            }
        }
    }

    fn show(&self, wanted: &Wanted) {
        let memberships: BTreeMap<&ServiceName, Membership> =
            wanted.iter().map(|(service, shelf)| (service, shelf.membership())).collect();
        let shown = |(key, running): (&Key, &Running)| {
            let member = memberships.get(&key.0).and_then(|membership| membership.get(&key.1));
            let catalog = member.map(|member| member.catalog.clone());
            Some((key.clone(), (running.view.clone()?, catalog)))
        };
        let catalogs = self.following.values().flat_map(|(following, _)| following.shown());
        self.views.send_replace(Views {
            zones: self.running.iter().filter_map(shown).collect(),
            catalogs: catalogs.collect(),
        });
    }

    /// Ends what is wanted no more or otherwise, and starts what is wanted and does not run.
    fn adapt(&mut self, wanted: &Wanted) {
        let transfers: BTreeMap<_, _> = wanted
            .iter()
            .flat_map(|(service, shelf)| {
                let zones = shelf.transfers().into_iter();
                zones.map(move |zone| ((service.clone(), zone.zone.clone()), (zone, shelf.clone())))
            })
            .collect();
        self.running.retain(|key, running| {
            let is_same = transfers
                .get(key)
                .is_some_and(|(zone, shelf)| *zone == running.transfers && shelf.is_same(&running.shelf));
            // One ends by itself when its bell was replaced and put back before anybody looked, or by a fault of ours.
            let stays = is_same && !running.tasks.iter().any(AbortHandle::is_finished);
            if !stays {
                running.end(&key.1, &self.bus);
            }
            stays
        });
        for (key, (zone, shelf)) in transfers {
            if !self.running.contains_key(&key) {
                let running = self.begin(&key.1, zone, shelf);
                self.running.insert(key, running);
            }
        }
    }

    fn begin(&mut self, zone: &DomainName, transfers: ZoneTransfers, shelf: Shelf) -> Running {
        let (tasks, view) = (Vec::new(), None);
        let mut running = Running { transfers: transfers.clone(), shelf: shelf.clone(), tasks, view };
        if let Some(reason) = shelf.take_fault(&transfers.zone) {
            self.bus.tell(&Event::JournalLost { reason }, Source::Zone(&transfers.zone));
        }
        if !transfers.notify.is_empty() {
            let servers = transfers.notify.iter().map(|to| (to.clone(), self.telling.of(to.address)));
            let telling =
                tell_of(zone.clone(), servers.collect(), shelf.clone(), self.clock, self.bus.clone());
            running.tasks.push(self.tasks.spawn(telling));
        }
        if let Some(first) = transfers.primaries.first() {
            let turns = match shelf.is_member(zone) {
                true => self.asking.of(first.address),
                false => Arc::new(Semaphore::new(1)),
            };
            let keeper = Keeper::new(transfers, shelf, self.clock, self.bus.clone(), turns);
            running.view = Some(keeper.view());
            running.tasks.push(self.tasks.spawn(keeper.run()));
        }
        running
    }
}

/// Tells others of every version of a zone, from the one on that is served now.
async fn tell_of(
    apex: DomainName,
    servers: Vec<(Server, Arc<Semaphore>)>,
    shelf: Shelf,
    clock: Clock,
    bus: Bus,
) {
    let mut published = shelf.published();
    let mut told = None;
    let mut telling = JoinSet::new();
    loop {
        let served = Arc::clone(&published.borrow_and_update());
        let zone = served.zones.get(&apex).filter(|_| !served.comparing.contains(&apex));
        if let Some(zone) = zone.filter(|zone| told != Some(zone.serial())) {
            told = Some(zone.serial());
            // Whoever has not heard of the version before hears of this one.
            telling.abort_all();
            for (server, turns) in servers.clone() {
                let (zone, bus) = (Arc::clone(zone), bus.clone());
                telling.spawn(async move {
                    let _turn = turns.acquire().await;
                    if let Err(error) = exchange::notify(&server, &zone, clock).await {
                        let event = Event::Untold {
                            serial: zone.serial(),
                            secondary: server.address,
                            reason: Reason::from(error.to_string()),
                        };
                        bus.tell(&event, Source::Zone(zone.apex()));
                    }
                });
            }
        }
        tokio::select! {
            changed = published.changed() => if changed.is_err() { return },
            Some(_) = telling.join_next() => {}
        }
    }
}

#[cfg(test)]
mod tests;

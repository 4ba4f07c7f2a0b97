//! Keeps every zone of other servers current, and tells others of ours: one thread for all of them.
//!
//! ```text
//!   site file --> wanted (latest) --> a task per zone from primaries --> its shelf --> every DNS thread
//!                                 --> a task per shelf: who is to be told of a new version (NOTIFY)
//! ```

use super::event::Event;
use super::exchange;
use super::secondary::{Keeper, View};
use super::shelf::Shelf;
use crate::clock::Clock;
use crate::event::Source;
use crate::events::Bus;
use config::ZoneTransfers;
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;
use std::collections::BTreeMap;
use std::future::pending;
use std::io;
use std::sync::Arc;
use terms::{DomainName, Reason, ServiceName};
use tokio::sync::watch;
use tokio::task::{AbortHandle, JoinSet};
use tokio::time::sleep;
use transfer::SHORTEST;

/// The zones of every service.
pub(crate) type Wanted = BTreeMap<ServiceName, Shelf>;

/// What is shown of each zone that comes from other servers.
pub(crate) type Views = BTreeMap<(ServiceName, DomainName), watch::Receiver<View>>;

/// Every zone as the API shows it.
pub(crate) fn shown(views: &Views, clock: Clock) -> Vec<api::Secondary> {
    let zone = |((service, name), view): (&(ServiceName, DomainName), &watch::Receiver<View>)| {
        view.borrow().shown(service, name, clock)
    };
    views.iter().map(zone).collect()
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ZoneLabels {
    service: String,
    zone: String,
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
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let keeping = Keeping { clock, bus, views, running: BTreeMap::new(), tasks: JoinSet::new() };
    let run = move || runtime.block_on(keeping.run(wanted));
    std::thread::Builder::new().name("dns-zones".to_owned()).spawn(run)?;
    Ok(())
}

struct Keeping {
    clock: Clock,
    bus: Bus,
    views: watch::Sender<Views>,
    running: BTreeMap<(ServiceName, DomainName), Running>,
    tasks: JoinSet<()>,
}

/// The tasks of one zone, and what they were started for.
struct Running {
    transfers: ZoneTransfers,
    tasks: Vec<AbortHandle>,
    view: Option<watch::Receiver<View>>,
}

impl Keeping {
    async fn run(mut self, mut wanted: watch::Receiver<Wanted>) {
        loop {
            let now = wanted.borrow_and_update().clone();
            self.adapt(&now);
            let shown = |(key, running): (&(ServiceName, DomainName), &Running)| {
                Some((key.clone(), running.view.clone()?))
            };
            self.views.send_replace(self.running.iter().filter_map(shown).collect());
            tokio::select! {
                changed = wanted.changed() => if changed.is_err() { return },
                () = self.ended() => {}
            }
        }
    }

    /// A task has ended. After one that failed by a fault of ours there is a pause: it may fail again at once.
    async fn ended(&mut self) {
        match self.tasks.join_next().await {
            Some(Err(error)) if error.is_panic() => sleep(SHORTEST).await,
            Some(_) => {}
            None => pending().await,
        }
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
            let is_same = transfers.get(key).is_some_and(|(zone, _)| *zone == running.transfers);
            // One ends by itself when its bell was replaced and put back before anybody looked, or by a fault of ours.
            let stays = is_same && !running.tasks.iter().any(AbortHandle::is_finished);
            if !stays {
                running.tasks.iter().for_each(AbortHandle::abort);
                let is_expired = |view: &watch::Receiver<View>| view.borrow().is_expired();
                if running.view.as_ref().is_some_and(is_expired) {
                    self.bus.tell(&Event::Left, Source::Zone(&key.1));
                }
            }
            stays
        });
        for (key, (zone, shelf)) in transfers {
            if !self.running.contains_key(&key) {
                let running = self.begin(zone, shelf);
                self.running.insert(key, running);
            }
        }
    }

    fn begin(&mut self, transfers: ZoneTransfers, shelf: Shelf) -> Running {
        let mut running = Running { transfers: transfers.clone(), tasks: Vec::new(), view: None };
        if !transfers.notify.is_empty() {
            let telling = tell_of(transfers.clone(), shelf.clone(), self.clock, self.bus.clone());
            running.tasks.push(self.tasks.spawn(telling));
        }
        if !transfers.primaries.is_empty() {
            let keeper = Keeper::new(transfers, shelf, self.clock, self.bus.clone());
            running.view = Some(keeper.view());
            running.tasks.push(self.tasks.spawn(keeper.run()));
        }
        running
    }
}

/// Tells others of every version of a zone, from the one on that is served now.
async fn tell_of(transfers: ZoneTransfers, shelf: Shelf, clock: Clock, bus: Bus) {
    let mut published = shelf.published();
    let mut told = None;
    let mut telling = JoinSet::new();
    loop {
        let served = Arc::clone(&published.borrow_and_update());
        let zone = served.zones.get(&transfers.zone).filter(|_| !served.comparing.contains(&transfers.zone));
        if let Some(zone) = zone.filter(|zone| told != Some(zone.serial())) {
            told = Some(zone.serial());
            // Whoever has not heard of the version before hears of this one.
            telling.abort_all();
            for server in transfers.notify.clone() {
                let (zone, bus) = (Arc::clone(zone), bus.clone());
                telling.spawn(async move {
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
mod tests {
    use super::super::images::Images;
    use super::super::transfer_tests::secondary;
    use super::*;

    #[tokio::test]
    async fn a_zone_whose_task_has_ended_is_kept_again() {
        let folder = tempfile::tempdir().unwrap();
        let service: ServiceName = "dns".parse().unwrap();
        // Nobody listens there.
        let server = config::Server { address: "127.0.0.1:1".parse().unwrap(), key: None };
        let shelf = Shelf::new(&secondary(vec![server]), Images::new(folder.path(), &service));
        let wanted = Wanted::from([(service, shelf)]);
        let (views, _) = watch::channel(Views::new());
        let (clock, bus) = (Clock::start(), Bus::for_test());
        let mut keeping = Keeping { clock, bus, views, running: BTreeMap::new(), tasks: JoinSet::new() };
        keeping.adapt(&wanted);
        let is_running = |keeping: &Keeping| {
            keeping.running.values().flat_map(|zone| &zone.tasks).all(|task| !task.is_finished())
        };
        keeping.tasks.abort_all();
        while keeping.tasks.join_next().await.is_some() {}
        assert!(!is_running(&keeping));
        keeping.adapt(&wanted);
        assert!(is_running(&keeping) && keeping.tasks.len() == 1);
        // One that fails at its start does not fill a processor.
        let before = keeping.clock.now();
        keeping.tasks.spawn(async { panic!("planted by a test") });
        keeping.ended().await;
        assert!(keeping.clock.now().since(before) >= SHORTEST);
    }
}

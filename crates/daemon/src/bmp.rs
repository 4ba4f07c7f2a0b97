//! The driver of BMP: what each monitoring station ("collector") is told of the peers (RFC 7854, RFC 8671).
//!
//! ```text
//!   thread "decisions"                                        thread "attendants"
//!   peer task ×n ──messages (line: so many octets at most)──> collector task ×n ── TCP ──> collector
//!       ^                                                          │
//!       └───────── which lines there are (latest) <────────────────┘ <── the site file's [[bmp]] (latest)
//! ```
//! A *line* exists as long as one connection does. A peer's task that sees a new line tells it the whole of its session
//! and then everything as it happens. It never waits: a line holds a bounded number of octets, and one that is full is
//! dead from there on. Its collector is hung up on and begins again later with the whole, since news with a gap would be
//! worse than none. Why so: docs/decisions/0011-monitoring.md.

mod collector;
mod event;
mod line;
mod socket;
mod view;

pub(crate) use event::Event;
#[cfg(test)]
pub(crate) use line::Taken;
pub(crate) use line::{Line, Lines};
pub(crate) use view::{Shown, register};

use crate::clock::Clock;
use crate::events::Bus;
use ::bgp::bmp::Closed;
use collector::{Collector, Order};
use config::Site;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;
use terms::CollectorName;
use tokio::sync::{oneshot, watch};
use tokio::task::JoinHandle;

/// Longest time that the collectors get to take what is still to be said at the end.
const GOODBYE: Duration = Duration::from_secs(2);

/// What every collector's task needs.
#[derive(Clone, Debug)]
struct Surroundings {
    clock: Clock,
    bus: Bus,
    /// What this speaker is called (sysName).
    name: Arc<str>,
    lines: watch::Sender<Lines>,
    shown: watch::Sender<Shown>,
}

/// Keeps one task for each collector that the site file names.
#[derive(Debug)]
pub(crate) struct Collectors {
    configured: watch::Receiver<Vec<config::Collector>>,
    surroundings: Surroundings,
    running: BTreeMap<CollectorName, Running>,
}

#[derive(Debug)]
struct Running {
    settings: config::Collector,
    order: oneshot::Sender<Order>,
    task: JoinHandle<()>,
}

impl Collectors {
    /// No collector yet. `configured` says which are wanted; the peers' tasks look at `lines`.
    pub(crate) fn new(
        clock: Clock,
        bus: Bus,
        site: &Site,
        configured: watch::Receiver<Vec<config::Collector>>,
        lines: watch::Sender<Lines>,
    ) -> Self {
        let name = site.host.to_string().into();
        let surroundings = Surroundings { clock, bus, name, lines, shown: watch::Sender::default() };
        Collectors { configured, surroundings, running: BTreeMap::new() }
    }

    /// What they show of themselves, now and from now on.
    pub(crate) fn shown(&self) -> watch::Receiver<Shown> {
        self.surroundings.shown.subscribe()
    }

    /// Works until the order to stop, and then until every collector was told so. The sessions are over by then, so
    /// that nothing more will be said about them.
    pub(crate) async fn run(mut self, stop: oneshot::Receiver<()>) {
        let mut stop = std::pin::pin!(stop);
        loop {
            let configured = self.configured.borrow_and_update().clone();
            self.adjust(configured);
            tokio::select! {
                _ = &mut stop => break,
                Ok(()) = self.configured.changed() => {}
            }
        }
        let running = std::mem::take(&mut self.running);
        let orders = running.into_values().map(|Running { order, task, .. }| {
            // A task that is gone needs no order.
            let _ = order.send(Order { reason: Closed::Administratively, text: "the site stops" });
            task
        });
        let tasks: Vec<JoinHandle<()>> = orders.collect();
        let ended = async {
            for task in tasks {
                let _ = task.await;
            }
        };
        let _ = tokio::time::timeout(GOODBYE, ended).await;
    }

    /// Starts, ends and begins again what another site file says.
    fn adjust(&mut self, configured: Vec<config::Collector>) {
        let wanted = |name: &CollectorName| configured.iter().find(|settings| settings.name == *name);
        let mut before = BTreeMap::new();
        for (name, running) in std::mem::take(&mut self.running) {
            let order = match wanted(&name) {
                Some(settings) if *settings == running.settings => {
                    self.running.insert(name, running);
                    continue;
                }
                Some(_) => Order { reason: Closed::Administratively, text: "its settings changed" },
                None => Order { reason: Closed::Permanently, text: "it is configured no more" },
            };
            let _ = running.order.send(order);
            before.insert(name, running.task);
        }
        for settings in configured {
            let name = settings.name.clone();
            if !self.running.contains_key(&name) {
                let before = before.remove(&name);
                self.running.insert(name, self.start(settings, before));
            }
        }
    }

    /// Starts the task of a collector once the one before it has ended.
    fn start(&self, settings: config::Collector, before: Option<JoinHandle<()>>) -> Running {
        let (order, ordered) = oneshot::channel();
        let collector = Collector::new(settings.clone(), self.surroundings.clone());
        let task = tokio::spawn(async move {
            if let Some(before) = before {
                let _ = before.await;
            }
            collector.run(ordered).await;
        });
        Running { settings, order, task }
    }
}

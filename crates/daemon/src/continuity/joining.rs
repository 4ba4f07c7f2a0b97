//! From the site file to a driver, and to what the rest of the daemon sees of it.

use super::programs::Programs;
use super::{Asked, Driver, Drivers, Question, Unexplained, Wires};
use crate::clock::Clock;
use crate::events::Bus;
use crate::{fleet, handover};
use ::fleet::{Embedded, Etcd};
use announce::permit::Speaker;
use api::{FlowExplanation, Flows, Refusal, Schema};
use config::SiteFile;
use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;
use std::time::Duration;
use terms::{GeoPoint, ServiceName, SiteName};
use tokio::sync::{mpsc, oneshot, watch};

/// Readers that wait for the list of connections.
const WAITING: usize = 8;

/// How long a reader waits.
const PATIENCE: Duration = Duration::from_secs(5);

/// Longest lease: a host that is dead is known to be so after two of them.
const LONGEST_LEASE: Duration = Duration::from_secs(20);

/// What the site file says.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Wanted {
    pub(super) section: config::Continuity,
    /// The addresses whose connections are looked after.
    pub(super) services: BTreeSet<IpAddr>,
    /// Those of each service.
    pub(super) addresses: BTreeMap<ServiceName, BTreeSet<IpAddr>>,
    /// Where this host is.
    pub(super) at: Option<GeoPoint>,
}

impl Wanted {
    /// None where the site file does not say that connections are to be looked after.
    pub(crate) fn of(site_file: &SiteFile) -> Option<Self> {
        let addresses = site_file.services.iter().map(|service| {
            let addresses: BTreeSet<IpAddr> = service.addresses.iter().copied().collect();
            (service.name.clone(), addresses)
        });
        let addresses: BTreeMap<ServiceName, BTreeSet<IpAddr>> = addresses.collect();
        Some(Wanted {
            section: site_file.continuity.clone()?,
            services: addresses.values().flatten().copied().collect(),
            addresses,
            at: site_file.site.place.as_ref().map(|place| place.at),
        })
    }
}

/// What others see of connections that move, and who tells what is wanted.
#[derive(Clone, Debug)]
pub(crate) struct Moved {
    site: SiteName,
    shown: watch::Receiver<Option<api::Continuity>>,
    ask: mpsc::Sender<Question>,
    wanted: watch::Sender<Option<Wanted>>,
    rules: watch::Sender<Option<handover::Rules>>,
    recess: handover::Recess,
}

/// Prepares what the site file says. A site on its own has nobody to forward to, and no driver.
pub(crate) fn join(
    site_file: &SiteFile,
    clock: Clock,
    bus: Bus,
    groups: watch::Receiver<Vec<api::Group>>,
    memory: Option<Embedded>,
    offers: handover::Offers,
) -> (Moved, Option<Drivers>) {
    let (shows, shown) = watch::channel(None);
    let (ask, asked) = mpsc::channel(WAITING);
    let (wants, wanted) = watch::channel(Wanted::of(site_file));
    let (rules, ruled) = watch::channel(handover::Rules::of(site_file));
    let speaker = Speaker { site: site_file.site.name.clone(), host: site_file.site.host.clone() };
    let recess = handover::Recess::default();
    let moved =
        Moved { site: speaker.site.clone(), shown, ask, wanted: wants, rules, recess: recess.clone() };
    let (situation, known) = watch::channel(None);
    let (tally, programs) = (handover::Tally::default(), Programs::new());
    let services = handover::Roster::default();
    let drivers = site_file.fleet.as_ref().map(|fleet| Drivers {
        reception: handover::Reception {
            rules: ruled,
            cooperation: offers.cooperation(),
            recess,
            roster: services.clone(),
            waits: handover::Waits::default(),
            clock,
            bus: bus.clone(),
        },
        handover: handover::Driver {
            clock,
            bus: bus.clone(),
            offers,
            fences: programs.fences(),
            tally: tally.clone(),
            patience: handover::Patience::default(),
            situation: known,
        },
        continuity: Driver {
            store: Etcd::new(fleet::store_settings(fleet)),
            speaker,
            lease: fleet.lease.min(LONGEST_LEASE),
            wires: Wires { clock, bus, wanted, groups, situation, tally, services, shown: shows, asked },
            memory,
            programs,
        },
    });
    (moved, drivers)
}

impl Moved {
    /// Another site file is in force.
    pub(crate) fn follow(&self, site_file: &SiteFile) {
        follow(&self.wanted, Wanted::of(site_file));
        follow(&self.rules, handover::Rules::of(site_file));
    }

    /// Whether services that join give connections away.
    pub(crate) fn recess(&self) -> &handover::Recess {
        &self.recess
    }

    /// How it stands; none where the site file does not want it.
    pub(crate) fn status(&self) -> Option<api::Continuity> {
        self.shown.borrow().clone()
    }

    /// The connections that have moved.
    pub(crate) async fn flows(&self) -> Flows {
        let (answer, answered) = oneshot::channel();
        let asked = self.ask.try_send(Question::Flows(answer)).is_ok();
        match tokio::time::timeout(PATIENCE, answered).await {
            Ok(Ok(flows)) if asked => flows,
            // Nobody looks after any.
            _ => none(self.site.clone(), self.status()),
        }
    }

    /// Where a connection goes, and why.
    pub(crate) async fn explain(&self, asked: Asked) -> Result<FlowExplanation, Unexplained> {
        if self.status().is_none() {
            let words =
                format!("{} does not look after connections: its site file has no [continuity]", self.site);
            let refusal = Refusal::because(words).hint("docs/guides/continuity.md says how to begin");
            return Err(Unexplained::Unknown(refusal));
        }
        let (answer, answered) = oneshot::channel();
        let busy = || {
            let refusal = Refusal::because("too much is asked about connections just now");
            Unexplained::NotNow(refusal.hint("ask again"))
        };
        self.ask.try_send(Question::Explain(asked, answer)).map_err(|_| busy())?;
        let answered = tokio::time::timeout(PATIENCE, answered).await;
        answered.ok().and_then(Result::ok).unwrap_or_else(|| Err(busy()))
    }
}

/// Says what is wanted now, if it is something else than before.
fn follow<T: PartialEq>(wanted: &watch::Sender<T>, next: T) {
    wanted.send_if_modified(|wanted| {
        let changes = *wanted != next;
        *wanted = next;
        changes
    });
}

#[cfg(test)]
impl Moved {
    /// Of a site that looks after no connections.
    pub(crate) fn unwanted() -> Self {
        Moved {
            site: "london".parse().unwrap(),
            shown: watch::channel(None).1,
            ask: mpsc::channel(1).0,
            wanted: watch::channel(None).0,
            rules: watch::channel(None).0,
            recess: handover::Recess::default(),
        }
    }
}

/// No connections.
pub(super) fn none(site: SiteName, continuity: Option<api::Continuity>) -> Flows {
    Flows { schema: Schema, site, continuity, forwarded: Vec::new(), received: Vec::new(), more: 0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_site_that_is_busy_says_something_else_than_one_without_continuity() {
        let asked = Asked { client: "203.0.113.7:40000".parse().unwrap(), service: None };
        let unwanted = Moved::unwanted();
        assert!(matches!(unwanted.explain(asked).await, Err(Unexplained::Unknown(_))));
        let shown: api::Continuity = serde_json::from_value(serde_json::json!({
            "state": "on", "since": 0, "reason": null, "number": 1, "interfaces": [], "owned": 3,
            "relay": null, "owners": [], "packets": {},
        }))
        .unwrap();
        // Nobody takes the question.
        let busy = Moved { shown: watch::channel(Some(shown)).1, ..unwanted };
        assert!(matches!(busy.explain(asked).await, Err(Unexplained::NotNow(_))));
    }
}

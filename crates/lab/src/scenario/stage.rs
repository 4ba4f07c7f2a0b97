//! A running lab as a stage for scenarios.

use crate::clock;
use crate::delivery::Account;
use crate::fault::Fault;
use crate::history::{self, ClientId, Laggard, SiteId};
use crate::hostile::Progress;
use crate::journal::Place;
use crate::observer;
use crate::prober;
use crate::replay::Pictures;
use crate::run_delay::RunDelay;
use crate::running::{Lab, lock};
use crate::scenario::engine::Stage;
use crate::scenario::facts::{Answer, Asked, Facts, Ordered, Walk};
use crate::scenario::record::{Late, Outcome, Record, Sample, Viewpoint};
use crate::scenario::words::ClientName;
use crate::world::Asker;
use api::client::Server;
use api::client::blocking::Client;
use api::{EventList, Picture, PictureKind, Status, route};
use serde::de::DeserializeOwned;
use std::collections::BTreeMap;
use std::net::IpAddr;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;
use terms::{Family, SiteName, Timestamp, WallTime};
use tokio::sync::{broadcast, watch};

/// The place of an answer that may not be there yet.
type Awaited = Arc<Mutex<Option<Answer>>>;

/// A running lab, and how much of its story has been read.
pub struct LabStage {
    lab: Arc<Lab>,
    /// The name of everybody who asks, and the service that a resolver asks.
    askers: Vec<(Arc<str>, Option<Arc<str>>)>,
    samples: Place,
    lateness: Place,
    run_delay: RunDelay,
    /// What operators ordered, and where each answer will be.
    orders: Vec<(SiteName, WallTime, Awaited)>,
    /// What the map would show.
    pictures: watch::Receiver<Arc<Picture>>,
}

impl LabStage {
    /// The stage in this lab, in whose process it must be. Pictures are kept where somebody wants them.
    pub(crate) fn in_lab(lab: Arc<Lab>, kept: Option<Arc<Mutex<Pictures>>>) -> linux::Result<Self> {
        let service = |asker: &Asker| Arc::from(lab.world.services[asker.service].name.as_str());
        let named = |asker: &Asker| (Arc::from(asker.name.as_str()), asker.site.map(|_| service(asker)));
        let askers = lab.world.askers.iter().map(named).collect();
        let run_delay = RunDelay::of(Path::new("/proc"), std::process::id());
        let blank = Picture::empty(PictureKind::Lab, lab.world.name.clone(), clock::wall());
        let (drawn, pictures) = watch::channel(Arc::new(blank));
        // Nobody follows the map live; the channel only keeps the latest.
        let (live, _) = broadcast::channel(1);
        observer::watch(Arc::clone(&lab), drawn, live, kept)?;
        let (samples, lateness) = (Place::default(), Place::default());
        Ok(LabStage { lab, askers, samples, lateness, run_delay, orders: Vec::new(), pictures })
    }

    /// What the daemons of a site say, those that answer.
    fn ask<T: DeserializeOwned>(&self, name: &SiteName, document: &str) -> Vec<T> {
        let place = self.lab.world.sites.iter().position(|site| site.name == *name);
        let sockets = place.map(|place| self.lab.sockets_of(SiteId::at(place))).unwrap_or_default();
        let ask = |socket| Client::of(Server::Daemon, socket).ok()?.get(document).ok();
        sockets.into_iter().filter_map(ask).collect()
    }

    /// What all daemons of a site say of themselves, as if it were one.
    fn status(&self, name: &SiteName) -> Option<Status> {
        self.ask::<Status>(name, route::STATUS).into_iter().reduce(|mut all, another| {
            all.groups.extend(another.groups);
            all.peers.extend(another.peers);
            all.alarms.extend(another.alarms);
            all
        })
    }

    fn services(&self) -> BTreeMap<SiteName, Arc<str>> {
        let world = &self.lab.world;
        let announced = world.sites.iter().filter_map(|site| Some((site, world.services.get(site.service)?)));
        announced.map(|(site, service)| (site.name.clone(), Arc::from(service.name.as_str()))).collect()
    }

    fn walks(&self) -> Vec<Walk> {
        let askers = (0..self.askers.len()).map(ClientId::at);
        let each = askers.flat_map(|asker| Family::ALL.map(|family| (asker, family)));
        let walk = |(asker, family): (ClientId, Family)| {
            Some(Walk { viewpoint: self.viewpoint(asker, family)?, ends: self.lab.walk(asker, family) })
        };
        each.filter_map(walk).collect()
    }

    /// Has an order given at the side, so that others can be given at the same moment.
    fn give(&mut self, site: &SiteName, fault: &Fault) -> Result<String, String> {
        let answer = Arc::new(Mutex::new(None));
        self.orders.push((site.clone(), clock::wall(), Arc::clone(&answer)));
        let (lab, order) = (Arc::clone(&self.lab), fault.clone());
        let give = move || {
            let given = match lab.perform(&order) {
                Ok(said) => Answer::Obeyed(said),
                Err(refusal) => Answer::Refused(refusal.to_string()),
            };
            *lock(&answer) = Some(given);
        };
        let thread = thread::Builder::new().name("operator".to_owned()).spawn(give);
        thread.map(|_| fault.done()).map_err(|error| error.to_string())
    }

    fn orders(&self) -> Vec<Ordered> {
        let order = |(site, at, answer): &(SiteName, WallTime, Arc<Mutex<Option<Answer>>>)| Ordered {
            site: site.clone(),
            at: *at,
            answer: lock(answer).clone(),
        };
        self.orders.iter().map(order).collect()
    }

    fn attacks(&self) -> BTreeMap<SiteName, Progress> {
        let attacks = lock(&self.lab.attacks);
        let named = attacks.iter().filter_map(|(site, attack)| {
            let site = self.lab.world.sites.get(usize::from(site.0))?;
            Some((site.name.clone(), lock(&attack.progress).clone()))
        });
        named.collect()
    }

    /// Somebody who asks, by name; none for one that the world does not know.
    fn viewpoint(&self, asker: ClientId, family: Family) -> Option<Viewpoint> {
        let (client, service) = self.askers.get(usize::from(asker.0))?.clone();
        Some(Viewpoint { client, service, family })
    }

    /// A sample with names instead of places; none for one that the world does not know.
    fn named(&self, sample: &history::Sample) -> Option<(Viewpoint, Sample)> {
        let viewpoint = self.viewpoint(sample.client, sample.family)?;
        let outcome = match sample.outcome {
            history::Outcome::Answered { site, round_trip, cookie } => {
                let site = self.lab.world.sites.get(usize::from(site.0))?.name.clone();
                Outcome::Answered { site, round_trip, cookie }
            }
            history::Outcome::Silent => Outcome::Silent,
        };
        Some((viewpoint, Sample { sent: sample.sent, outcome }))
    }
}

impl Stage for LabStage {
    fn began(&self) -> Timestamp {
        self.lab.began
    }

    fn now(&self) -> Timestamp {
        clock::now()
    }

    fn wall(&self) -> WallTime {
        clock::wall()
    }

    fn patience(&self) -> Duration {
        prober::PATIENCE
    }

    fn wait(&mut self, time: Duration) {
        thread::sleep(time);
    }

    fn carry_out(&mut self, fault: &Fault) -> Result<String, String> {
        match fault.order() {
            Some((site, _)) => self.give(site, fault),
            None => self.lab.perform(fault).map_err(|error| error.to_string()),
        }
    }

    fn observe(&mut self, record: &mut Record) {
        let page = self.lab.history.read(self.samples);
        self.samples = page.next;
        for (viewpoint, sample) in page.entries.iter().filter_map(|sample| self.named(sample)) {
            record.add(viewpoint, sample);
        }
        let page = self.lab.lateness.read(self.lateness);
        self.lateness = page.next;
        for late in page.entries {
            let who = match late.who {
                Laggard::Cables => Late::Cable,
                Laggard::Prober => Late::Prober,
            };
            record.add_lateness(late.at, who, late.by);
        }
        let waited = self.run_delay.since_last();
        record.add_lateness(clock::now(), Late::Process, waited);
    }

    fn facts(&mut self, asked: &Asked) -> Facts {
        let sites: Vec<&SiteName> = match asked.everybody {
            true => self.lab.world.sites.iter().map(|site| &site.name).collect(),
            false => asked.statuses.iter().collect(),
        };
        let status = |site: &SiteName| Some((site.clone(), self.status(site)?));
        let events = |site: &SiteName| {
            let told = self.ask::<EventList>(site, route::EVENTS);
            Some((
                site.clone(),
                told.into_iter().map(|list| list.events).reduce(|all, more| [all, more].concat())?,
            ))
        };
        let fleet = |site: &SiteName| Some((site.clone(), self.ask(site, route::FLEET).into_iter().next()?));
        let flows = |site: &SiteName| Some((site.clone(), self.ask(site, route::FLOWS).into_iter().next()?));
        let missing = |site: &SiteName| Some((site.clone(), self.lab.missing_addresses(site)?));
        let told = |site: &SiteName| Some((site.clone(), self.lab.told_router(site)?));
        let end = |(client, to): &(ClientName, IpAddr)| {
            Some(((client.clone(), *to), self.lab.packet_end(client.as_str(), *to)?))
        };
        Facts {
            statuses: sites.into_iter().filter_map(status).collect(),
            events: asked.events.iter().filter_map(events).collect(),
            fleets: asked.fleets.iter().filter_map(fleet).collect(),
            missing: asked.addresses.iter().filter_map(missing).collect(),
            told_routers: asked.routers.iter().filter_map(told).collect(),
            ends: asked.followed.iter().filter_map(end).collect(),
            orders: self.orders(),
            clients: self.pictures.borrow().clients.clone(),
            attacks: self.attacks(),
            resolved: self.lab.resolve(&asked.resolved),
            walks: if asked.walks { self.walks() } else { Vec::new() },
            flows: asked.flows.iter().filter_map(flows).collect(),
            calls: if asked.calls { self.lab.calls() } else { Vec::new() },
            services: self.services(),
            resets: self.lab.resets(),
            account: if asked.account { self.lab.account() } else { Account::default() },
            fault: WallTime::default(),
        }
    }

    fn announced(&mut self) -> BTreeMap<SiteName, bool> {
        self.lab.announced()
    }
}

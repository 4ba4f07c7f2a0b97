//! A running lab as a stage for scenarios.

use crate::clock;
use crate::fault::Fault;
use crate::history::{self, Laggard, SiteId};
use crate::hostile::Progress;
use crate::journal::Place;
use crate::observer;
use crate::prober;
use crate::run_delay::RunDelay;
use crate::running::{Lab, lock};
use crate::scenario::engine::Stage;
use crate::scenario::functional::Facts;
use crate::scenario::record::{Late, Outcome, Record, Sample, Viewpoint};
use api::client::Server;
use api::client::blocking::Client;
use api::{Picture, PictureKind, Status, route};
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;
use std::thread;
use std::time::Duration;
use terms::{SiteName, Timestamp, WallTime};
use tokio::sync::{broadcast, watch};

/// A running lab, and how much of its story has been read.
pub struct LabStage {
    lab: Arc<Lab>,
    clients: Vec<Arc<str>>,
    samples: Place,
    lateness: Place,
    run_delay: RunDelay,
    /// What the map would show.
    pictures: watch::Receiver<Arc<Picture>>,
}

impl LabStage {
    /// The stage in this lab, in whose process it must be.
    pub fn in_lab(lab: Arc<Lab>) -> linux::Result<Self> {
        let clients = lab.world.clients.iter().map(|client| Arc::from(client.place.key.as_str())).collect();
        let run_delay = RunDelay::of(Path::new("/proc"), std::process::id());
        let blank = Picture::empty(PictureKind::Lab, lab.world.name.clone(), clock::wall());
        let (drawn, pictures) = watch::channel(Arc::new(blank));
        // Nobody follows the map live; the channel only keeps the latest.
        let (live, _) = broadcast::channel(1);
        observer::watch(Arc::clone(&lab), drawn, live)?;
        let (samples, lateness) = (Place::default(), Place::default());
        Ok(LabStage { lab, clients, samples, lateness, run_delay, pictures })
    }

    /// What the daemon of a site says; none if it does not answer.
    fn status(&self, name: &SiteName) -> Option<Status> {
        let socket = {
            let sites = lock(&self.lab.sites);
            let place = self.lab.world.sites.iter().position(|site| site.name == *name)?;
            sites.get(&SiteId(u16::try_from(place).ok()?))?.socket()
        };
        Client::of(Server::Daemon, socket).ok()?.get(route::STATUS).ok()
    }

    fn attacks(&self) -> BTreeMap<SiteName, Progress> {
        let attacks = lock(&self.lab.attacks);
        let named = attacks.iter().filter_map(|(site, attack)| {
            let site = self.lab.world.sites.get(usize::from(site.0))?;
            Some((site.name.clone(), lock(&attack.progress).clone()))
        });
        named.collect()
    }

    /// A sample with names instead of places; none for one that the world does not know.
    fn named(&self, sample: &history::Sample) -> Option<(Viewpoint, Sample)> {
        let client = Arc::clone(self.clients.get(usize::from(sample.client.0))?);
        let outcome = match sample.outcome {
            history::Outcome::Answered { site, round_trip } => {
                let site = self.lab.world.sites.get(usize::from(site.0))?.name.clone();
                Outcome::Answered { site, round_trip }
            }
            history::Outcome::Silent => Outcome::Silent,
        };
        Some((Viewpoint { client, family: sample.family }, Sample { sent: sample.sent, outcome }))
    }
}

impl Stage for LabStage {
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
        self.lab.carry_out(fault).map_err(|error| error.to_string())
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

    fn facts(&mut self, sites: &BTreeSet<SiteName>) -> Facts {
        let statuses = sites.iter().filter_map(|site| Some((site.clone(), self.status(site)?)));
        Facts {
            statuses: statuses.collect(),
            clients: self.pictures.borrow().clients.clone(),
            attacks: self.attacks(),
            fault: WallTime::default(),
        }
    }
}

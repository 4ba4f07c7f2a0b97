//! A running lab as a stage for scenarios.

use crate::clock;
use crate::fault::Fault;
use crate::history::{self, Laggard};
use crate::journal::Place;
use crate::prober;
use crate::run_delay::RunDelay;
use crate::running::Lab;
use crate::scenario::engine::Stage;
use crate::scenario::functional::Facts;
use crate::scenario::record::{Late, Outcome, Record, Sample, Viewpoint};
use std::path::Path;
use std::sync::Arc;
use std::thread;
use std::time::Duration;
use terms::{Timestamp, WallTime};

/// A running lab, and how much of its story has been read.
pub struct LabStage {
    lab: Arc<Lab>,
    clients: Vec<Arc<str>>,
    samples: Place,
    lateness: Place,
    run_delay: RunDelay,
}

impl LabStage {
    /// The stage in this lab, in whose process it must be.
    pub fn in_lab(lab: Arc<Lab>) -> Self {
        let clients = lab.world.clients.iter().map(|client| Arc::from(client.place.key.as_str())).collect();
        let run_delay = RunDelay::of(Path::new("/proc"), std::process::id());
        LabStage { lab, clients, samples: Place::default(), lateness: Place::default(), run_delay }
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

    fn facts(&mut self) -> Facts {
        Facts::default()
    }
}

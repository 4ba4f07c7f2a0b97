//! What can be kept of a world and shown again: everything that was seen in it, as one document.
//!
//! ```text
//!  observer ──> pictures (differences) ─┐
//!  history, story, lateness ────────────┼─> Play ──> History ─┬─> --history  JSON
//!  report of the scenario ──────────────┘                     └─> --html     the page with the document inside
//! ```
//! The page shows a replay from the same pictures, samples and events that it is told live.

mod pictures;
mod writing;

pub(crate) use pictures::Pictures;
pub(crate) use writing::{Form, Output};
pub use writing::{HistoryFiles, WriteError};

use crate::history::{self, Laggard, Late};
use crate::journal::Place;
use crate::observer;
use crate::running::{Lab, lock};
use crate::scenario::report::ScenarioReport;
use crate::scenario::verdict::millis;
use crate::story::milliseconds;
use api::{EventRow, Sample};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use std::collections::BTreeMap;
use std::sync::Mutex;
use terms::Timestamp;

/// Everything that was seen of some worlds.
#[derive(Debug, Serialize, Deserialize)]
pub struct History {
    /// Always 1.
    pub schema: api::Schema,
    /// One world after the other.
    pub plays: Vec<Play>,
}

/// What was seen of one world. Every time in it is ms since the world began.
#[derive(Debug, Serialize, Deserialize)]
pub struct Play {
    /// What it shows: the title of the scenario, or else the name of the world.
    pub title: String,
    /// From when on everything is here. More than 0 in a world that lived for so long that its beginning was forgotten.
    pub from_ms: u64,
    /// When it ended.
    pub until_ms: u64,
    /// What came of the scenario that was played; none where nobody judged.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub report: Option<ScenarioReport>,
    /// Pictures as they changed ([`api::Picture`], without offers). The first is whole; of each further one only the
    /// members that differ from the one before are here, and null for a member that is gone: JSON Merge Patches
    /// (RFC 7396).
    pub pictures: Vec<Box<RawValue>>,
    /// Every question, in the order in which they were sent.
    pub samples: Vec<Sample>,
    /// What happened.
    pub events: Vec<EventRow>,
    /// How late the machine itself was: `[at_ms, who, ms]`, the worst of each in a tenth of a second.
    pub lateness: Vec<(u64, Who, f64)>,
}

/// Who can be late.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Who {
    /// The thread that delays packets.
    Cables,
    /// The thread that asks for the clients.
    Prober,
}

/// Lateness is told for each so many ms.
const LATENESS_SLOT_MS: u64 = 100;

impl Play {
    /// What is known of a running world.
    pub(crate) fn of(
        lab: &Lab,
        pictures: &Mutex<Pictures>,
        until: Timestamp,
        report: Option<ScenarioReport>,
    ) -> Self {
        let told = lab.history.read(Place::default());
        let mut samples: Vec<Sample> = told.entries.iter().map(|sample| row(sample, lab.began)).collect();
        samples.sort_by_key(|sample| sample.at_ms);
        let pictures = lock(pictures);
        let first = if told.missed == 0 { 0 } else { samples.first().map_or(0, |sample| sample.at_ms) };
        Play {
            title: report.as_ref().map_or_else(|| lab.world.name.clone(), |report| report.title.clone()),
            from_ms: first.max(pictures.begins_ms()),
            until_ms: milliseconds(until, lab.began),
            report,
            pictures: pictures.to_vec(),
            samples,
            events: lab.story.rows().read(Place::default()).entries,
            lateness: worst(&lab.lateness.read(Place::default()).entries, lab.began),
        }
    }
}

/// The row of a sample. Digits beyond a hundredth of a millisecond are noise, and take room.
fn row(sample: &history::Sample, began: Timestamp) -> Sample {
    let row = observer::row(sample, began);
    let outcome = match row.outcome {
        api::Outcome::Answered { site, rtt_ms } => {
            api::Outcome::Answered { site, rtt_ms: (rtt_ms * 100.0).round() / 100.0 }
        }
        api::Outcome::Silent => api::Outcome::Silent,
    };
    Sample { outcome, ..row }
}

fn worst(lateness: &[Late], began: Timestamp) -> Vec<(u64, Who, f64)> {
    let mut slots = BTreeMap::new();
    for Late { at, who, by } in lateness {
        let who = match who {
            Laggard::Cables => Who::Cables,
            Laggard::Prober => Who::Prober,
        };
        let slot = milliseconds(*at, began) / LATENESS_SLOT_MS * LATENESS_SLOT_MS;
        let worst = slots.entry((slot, who)).or_insert(*by);
        *worst = (*worst).max(*by);
    }
    slots.into_iter().map(|((slot, who), by)| (slot, who, millis(by))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn the_worst_lateness_of_each_tenth_of_a_second_is_kept() {
        let began = Timestamp::ZERO + Duration::from_secs(5);
        let late = |ms: u64, who, micros: u64| Late {
            at: began + Duration::from_millis(ms),
            who,
            by: Duration::from_micros(micros),
        };
        let kept = worst(
            &[
                late(110, Laggard::Cables, 300),
                late(150, Laggard::Prober, 20),
                late(199, Laggard::Cables, 900),
                late(200, Laggard::Cables, 1),
            ],
            began,
        );
        assert_eq!(kept, [(100, Who::Cables, 0.9), (100, Who::Prober, 0.02), (200, Who::Cables, 0.001)]);
        assert_eq!(serde_json::to_string(&kept[0]).unwrap(), r#"[100,"cables",0.9]"#);
    }
}

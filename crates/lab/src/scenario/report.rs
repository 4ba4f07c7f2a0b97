//! What came of scenarios: one JSON document, and lines for the terminal.

use crate::scenario::file::Scenario;
use crate::scenario::functional::Seen;
use crate::scenario::verdict::{Bound, Measurement, Unit, Verdict, millis};
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// What came of all scenarios of one command: `catchment lab test --json`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Report {
    /// Always 1.
    pub schema: api::Schema,
    /// In the order of the command line.
    pub scenarios: Vec<ScenarioReport>,
}

impl Report {
    /// The verdict of all together.
    pub fn verdict(&self) -> Verdict {
        Verdict::of_all(self.scenarios.iter().map(|scenario| scenario.verdict))
    }
}

/// What came of one scenario.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ScenarioReport {
    /// What it shows.
    pub title: String,
    /// The file, as it was named.
    pub file: String,
    /// The verdict of all its checks.
    pub verdict: Verdict,
    /// What its time limits were multiplied by.
    pub slack: f64,
    /// How long its world lived, ms. All other times of the report count from the beginning of the world, too.
    pub took_ms: u64,
    /// The steps that were played, in order.
    pub steps: Vec<StepReport>,
    /// Its checks, in order.
    pub checks: Vec<CheckReport>,
}

impl ScenarioReport {
    /// What came of a scenario that has ended after so many ms.
    pub fn new(scenario: &Scenario, slack: f64, took_ms: u64, played: Played) -> Self {
        let Played { steps, checks } = played;
        ScenarioReport {
            title: scenario.title.clone(),
            file: scenario.source.name().to_owned(),
            verdict: Verdict::of_all(checks.iter().map(|check| check.verdict)),
            slack,
            took_ms,
            steps,
            checks,
        }
    }
}

/// What was played of a scenario so far.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Played {
    /// The steps that have begun.
    pub steps: Vec<StepReport>,
    /// The checks that have ended.
    pub checks: Vec<CheckReport>,
}

/// A step that was played.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct StepReport {
    /// When it began.
    pub at_ms: u64,
    /// What its author says about it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub say: Option<String>,
    /// What was done, in order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub done: Vec<DoneReport>,
}

/// Something that was done to the world.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct DoneReport {
    /// When it was done.
    pub at_ms: u64,
    /// What, in words.
    pub said: String,
}

/// What came of one check.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CheckReport {
    /// The sentence.
    pub sentence: String,
    /// The step it belongs to, counted from 1; 0 before the first.
    pub step: usize,
    /// When it was judged.
    pub at_ms: u64,
    /// How it ended.
    pub verdict: Verdict,
    /// What was measured, the worst of all viewpoints; for a functional check how long it took until it was so. None
    /// when there was nothing to measure.
    pub measured: Option<f64>,
    /// What it was held against.
    pub limit: Option<f64>,
    /// What the numbers count.
    pub unit: Unit,
    /// How much of the measured value may be the machine's, in the same unit; 0 for a functional check.
    pub lateness: f64,
    /// What was seen, in words.
    pub seen: String,
    /// What was measured of each viewpoint.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub measurements: Vec<Measurement>,
}

impl CheckReport {
    /// The same at its place in the story: in this step, judged then.
    pub fn placed(self, step: usize, at_ms: u64) -> Self {
        CheckReport { step, at_ms, ..self }
    }

    /// A functional check that waited this long, at most `patience`.
    pub fn functional(sentence: String, seen: Seen, waited: Duration, patience: Duration) -> Self {
        let (verdict, seen) = match seen {
            Seen::So(seen) => (Verdict::Pass, seen),
            Seen::NotSo(seen) => (Verdict::Fail, seen),
        };
        CheckReport {
            sentence,
            step: 0,
            at_ms: 0,
            verdict,
            measured: Some(millis(waited)),
            limit: Some(millis(patience)),
            unit: Unit::Milliseconds,
            lateness: 0.0,
            seen,
            measurements: Vec::new(),
        }
    }

    /// A timing check. With nothing to measure it fails: a sentence about nobody is no promise kept.
    pub fn timing(sentence: String, measurements: Vec<Measurement>) -> Self {
        let badness = |m: &Measurement| match m.bound {
            Bound::AtMost => m.measured - m.limit,
            Bound::AtLeast => m.limit - m.measured,
        };
        let worse = |a: &&Measurement, b: &&Measurement| {
            a.verdict.cmp(&b.verdict).then(badness(a).total_cmp(&badness(b)))
        };
        let Some(worst) = measurements.iter().max_by(worse).cloned() else {
            return CheckReport {
                sentence,
                step: 0,
                at_ms: 0,
                verdict: Verdict::Fail,
                measured: None,
                limit: None,
                unit: Unit::Milliseconds,
                lateness: 0.0,
                seen: "there was nobody to measure".to_owned(),
                measurements,
            };
        };
        CheckReport {
            sentence,
            step: 0,
            at_ms: 0,
            verdict: worst.verdict,
            measured: Some(worst.measured),
            limit: Some(worst.limit),
            unit: worst.unit,
            lateness: worst.lateness,
            seen: worst.to_string(),
            measurements,
        }
    }
}

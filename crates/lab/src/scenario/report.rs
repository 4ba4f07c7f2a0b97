//! What came of scenarios: one JSON document, and lines for the terminal.

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
    /// Its checks, in order.
    pub checks: Vec<CheckReport>,
}

impl ScenarioReport {
    /// A scenario with these checks.
    pub fn new(title: &str, file: &str, slack: f64, checks: Vec<CheckReport>) -> Self {
        let verdict = Verdict::of_all(checks.iter().map(|check| check.verdict));
        ScenarioReport { title: title.to_owned(), file: file.to_owned(), verdict, slack, checks }
    }
}

/// What came of one check.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CheckReport {
    /// The sentence.
    pub sentence: String,
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
    /// A functional check that waited this long, at most `patience`.
    pub fn functional(sentence: String, seen: Seen, waited: Duration, patience: Duration) -> Self {
        let (verdict, seen) = match seen {
            Seen::So(seen) => (Verdict::Pass, seen),
            Seen::NotSo(seen) => (Verdict::Fail, seen),
        };
        CheckReport {
            sentence,
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

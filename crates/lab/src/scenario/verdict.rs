//! What was measured, against its limit, and what follows from it.
//!
//! ```text
//! measured <= limit               pass
//! measured - lateness > limit     fail
//! otherwise                       inconclusive
//! ```

use serde::{Deserialize, Serialize};
use std::fmt;
use std::time::Duration;

/// How a check or a scenario ended, from good to bad.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Verdict {
    /// It was so.
    Pass,
    /// The machine was too slow to tell.
    Inconclusive,
    /// It was not so.
    Fail,
}

impl Verdict {
    /// The verdict of many: one failure decides, then one doubt.
    pub fn of_all(verdicts: impl IntoIterator<Item = Verdict>) -> Verdict {
        verdicts.into_iter().max().unwrap_or(Verdict::Pass)
    }

    fn of(measured: f64, bound: Bound, limit: f64, lateness: f64) -> Verdict {
        let excess = match bound {
            Bound::AtMost => measured - limit,
            Bound::AtLeast => limit - measured,
        };
        if excess <= 0.0 {
            Verdict::Pass
        } else if excess > lateness {
            Verdict::Fail
        } else {
            Verdict::Inconclusive
        }
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Verdict::Pass => "pass",
            Verdict::Inconclusive => "inconclusive",
            Verdict::Fail => "fail",
        })
    }
}

/// On which side of its limit a quantity belongs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Bound {
    /// It must not exceed the limit.
    #[serde(rename = "at most")]
    AtMost,
    /// It must reach the limit.
    #[serde(rename = "at least")]
    AtLeast,
}

/// What a number counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Unit {
    /// Milliseconds.
    #[serde(rename = "ms")]
    Milliseconds,
    /// How many times as much as before.
    #[serde(rename = "times")]
    Times,
    /// Questions that nobody answered.
    #[serde(rename = "lost")]
    Lost,
    /// Answers without the cookie that the client had shown.
    #[serde(rename = "other cookies")]
    OtherCookies,
    /// Looks that found it otherwise.
    #[serde(rename = "looks otherwise")]
    Looks,
    /// Sites.
    #[serde(rename = "sites")]
    Sites,
    /// Moves of a client from one site to another.
    #[serde(rename = "switches")]
    Switches,
}

impl fmt::Display for Unit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Unit::Milliseconds => "ms",
            Unit::Times => "times",
            Unit::Lost => "lost",
            Unit::OtherCookies => "other cookies",
            Unit::Looks => "looks otherwise",
            Unit::Sites => "sites",
            Unit::Switches => "switches",
        })
    }
}

/// Milliseconds, to the microsecond: more digits mean nothing here.
pub fn millis(time: Duration) -> f64 {
    (time.as_secs_f64() * 1e6).round() / 1e3
}

/// One thing that was measured: one viewpoint's, or everybody's.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Measurement {
    /// Whose it is; `everybody` for a median over all.
    pub whom: String,
    /// What follows.
    pub verdict: Verdict,
    /// What was measured. If it had not ended yet, it was at least this.
    pub measured: f64,
    /// On which side of the limit it belongs.
    pub bound: Bound,
    /// What it was held against.
    pub limit: f64,
    /// What the numbers count.
    pub unit: Unit,
    /// How much of it may be the machine's, in the same unit.
    pub lateness: f64,
    /// The new path's round trip in ms, where it is measured apart.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub path: Option<f64>,
    /// Whether it was still going on when the window closed.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub unfinished: bool,
}

impl Measurement {
    /// Judges a number of milliseconds.
    pub fn judge(whom: &str, measured: f64, bound: Bound, limit: f64, lateness: f64) -> Self {
        Measurement {
            whom: whom.to_owned(),
            verdict: Verdict::of(measured, bound, limit, lateness),
            measured,
            bound,
            limit,
            unit: Unit::Milliseconds,
            lateness,
            path: None,
            unfinished: false,
        }
    }

    /// Judges a number of things: the machine's lateness changes none.
    pub fn count(whom: &str, measured: usize, bound: Bound, limit: usize, unit: Unit) -> Self {
        // Both are far below what a float cannot count any more.
        Measurement { unit, ..Measurement::judge(whom, measured as f64, bound, limit as f64, 0.0) }
    }

    /// The same, still going on: it may yet become longer, so it is no pass.
    pub fn unfinished(self) -> Self {
        Measurement { unfinished: true, verdict: self.verdict.max(Verdict::Inconclusive), ..self }
    }
}

/// A number with at most one decimal: `241`, `3.4`.
struct Short(f64);

impl fmt::Display for Short {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0 >= 100.0 {
            write!(f, "{:.0}", self.0)
        } else {
            write!(f, "{}", (self.0 * 10.0).round() / 10.0)
        }
    }
}

impl fmt::Display for Measurement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Measurement { whom, measured, limit, unit, lateness, .. } = self;
        let relation = match self.bound {
            Bound::AtMost if measured <= limit => "<=",
            Bound::AtMost => ">",
            Bound::AtLeast if measured >= limit => ">=",
            Bound::AtLeast => "<",
        };
        let so_far = if self.unfinished { "and counting " } else { "" };
        write!(f, "{whom} {} {unit} {so_far}{relation} {} {unit}", Short(*measured), Short(*limit))?;
        if let Some(path) = self.path {
            write!(f, ", plus a path of {} ms", Short(path))?;
        }
        if self.verdict == Verdict::Inconclusive {
            write!(f, ", of which this machine may owe {} {unit}", Short(*lateness))?;
        }
        Ok(())
    }
}

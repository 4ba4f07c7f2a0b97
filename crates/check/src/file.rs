//! Is a file there, is it young enough, does it say what it should?
//!
//! A job that writes a file when it is done says by the file's age that it still runs. The age is read off the wall
//! clock once, when a version of the file is seen for the first time, and counted by the clock that only goes forward
//! from then on: setting the wall clock does not make every file of a site old at once.

use crate::Finding;
use crate::calendar::{since, span};
use serde::{Deserialize, Serialize};
use std::time::Duration;
use terms::{Timestamp, Verdict, WallTime};

/// What a healthy file is like.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Expectation {
    /// How long ago it may have been written at most; none where being there is enough.
    pub max_age: Option<Duration>,
    /// What must stand in its first [`LONGEST`](Expectation::LONGEST) octets, if anything.
    pub contains: Option<String>,
}

/// What there is under the file's name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Facts<'f> {
    /// Nothing.
    Missing,
    /// A directory, a device or another thing that has no content of its own.
    NoFile,
    /// A file.
    File {
        /// When it was written, by the wall clock.
        modified: WallTime,
        /// How it begins; empty where nobody wants to know.
        content: &'f [u8],
    },
}

/// The version of a file that was seen last, and how old it was then.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Version {
    modified: WallTime,
    age: Duration,
    at: Timestamp,
}

impl Expectation {
    /// Most octets of a file that are looked at.
    pub const LONGEST: usize = 64 << 10;

    /// Judges what was found at `now`, which by the wall clock is `wall`. `last` is what the run before left there.
    pub fn judge(
        &self,
        facts: &Facts<'_>,
        last: &mut Option<Version>,
        now: Timestamp,
        wall: WallTime,
    ) -> Finding {
        let (modified, content) = match facts {
            Facts::Missing => return Finding::from(Verdict::definite("the file is missing")),
            Facts::NoFile => return Finding::from(Verdict::definite("it is no file")),
            Facts::File { modified, content } => (*modified, content),
        };
        let version = match *last {
            Some(version) if version.modified == modified => version,
            Some(_) | None => Version { modified, age: since(wall, modified), at: now },
        };
        *last = Some(version);
        let age = version.age.saturating_add(now.since(version.at));
        let verdict = match (self.max_age, &self.contains) {
            (Some(most), _) if age > most => {
                Verdict::definite(format!("written {} ago, more than {}", span(age), span(most)))
            }
            (_, Some(wanted)) if !contains(content, wanted) => {
                Verdict::definite(format!("does not contain \"{wanted}\""))
            }
            _ => Verdict::Pass,
        };
        Finding::new(verdict, &format!("written {} ago", span(age)))
    }
}

fn contains(content: &[u8], wanted: &str) -> bool {
    wanted.is_empty() || content.windows(wanted.len()).any(|part| part == wanted.as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: WallTime = WallTime(1_700_000_000_000);

    fn written(seconds_ago: u64) -> Facts<'static> {
        Facts::File { modified: WallTime(NOW.0 - seconds_ago * 1000), content: b"state = ready\n" }
    }

    fn words(expectation: &Expectation, facts: &Facts<'_>) -> String {
        match expectation.judge(facts, &mut None, Timestamp::ZERO, NOW).verdict {
            Verdict::Pass => "pass".to_owned(),
            Verdict::Fail { kind, reason } => format!("{kind:?}: {reason}"),
            Verdict::Indeterminate { reason } => format!("indeterminate: {reason}"),
        }
    }

    #[test]
    fn a_file_is_there_young_and_right() {
        let young = Expectation { max_age: Some(Duration::from_secs(60)), contains: None };
        let right = Expectation { max_age: None, contains: Some("ready".to_owned()) };
        let wrong = Expectation { contains: Some("steady".to_owned()), ..young.clone() };
        assert_eq!(words(&young, &written(60)), "pass");
        assert_eq!(words(&young, &written(3601)), "Definite: written 60 min ago, more than 60 s");
        assert_eq!(words(&right, &written(3601)), "pass");
        assert_eq!(words(&wrong, &written(1)), "Definite: does not contain \"steady\"");
        assert_eq!(words(&young, &Facts::Missing), "Definite: the file is missing");
        assert_eq!(words(&Expectation::default(), &Facts::NoFile), "Definite: it is no file");
        let tomorrow = Facts::File { modified: WallTime(NOW.0 + 86_400_000), content: b"" };
        assert_eq!(words(&young, &tomorrow), "pass");
    }

    #[test]
    fn a_wall_clock_that_jumps_makes_no_file_old_and_none_young() {
        let young = Expectation { max_age: Some(Duration::from_secs(60)), contains: None };
        let mut last = None;
        let at = |seconds| Timestamp::ZERO + Duration::from_secs(seconds);
        let (ahead, behind) = (WallTime(NOW.0 + 3_600_000), WallTime(NOW.0 - 3_600_000));
        let passes = |facts: &Facts<'_>, last: &mut Option<Version>, seconds, wall| {
            young.judge(facts, last, at(seconds), wall).verdict == Verdict::Pass
        };
        assert!(passes(&written(10), &mut last, 0, NOW));
        assert!(passes(&written(10), &mut last, 40, ahead));
        assert!(!passes(&written(10), &mut last, 51, behind), "it was 10 s old 51 s ago");
        assert!(passes(&written(0), &mut last, 52, NOW), "a new version");
    }
}

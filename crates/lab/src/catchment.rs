//! Who is answered by whom, and when that changes.
//!
//! ```text
//!             3 answers in a row by another site
//!            +--------------------------------+
//!            v                                |
//!  Unknown --> Answered by A -- 5 questions in a row without answer --> Silent
//!                  ^                                                      |
//!                  +----------------- 3 answers in a row -----------------+
//! ```
//! Counting hides single lost packets and flaps; the times that are told are those of the questions themselves.

use crate::history::{Outcome, Sample, SiteId};
use std::time::Duration;
use terms::Timestamp;

const ANSWERS: u32 = 3;
const SILENCES: u32 = 5;

/// What changed for a client; `S` is how a site is called.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change<S = SiteId> {
    /// Its first answer since the world began.
    First {
        /// Who answers.
        site: S,
    },
    /// Another site answers than before.
    Moved {
        /// Who answered before.
        from: S,
        /// Who answers now.
        to: S,
        /// From the last question that the old site answered to the first that the new one answered.
        gap: Duration,
    },
    /// Nobody answers any more.
    Silent {
        /// Who answered before.
        from: S,
    },
    /// Somebody answers again.
    Again {
        /// Who.
        site: S,
        /// From the last question that was answered before to the first that is answered now.
        gap: Duration,
    },
}

impl<S> Change<S> {
    /// The same change with sites called otherwise.
    pub fn map<T>(self, name: impl Fn(S) -> T) -> Change<T> {
        match self {
            Change::First { site } => Change::First { site: name(site) },
            Change::Moved { from, to, gap } => Change::Moved { from: name(from), to: name(to), gap },
            Change::Silent { from } => Change::Silent { from: name(from) },
            Change::Again { site, gap } => Change::Again { site: name(site), gap },
        }
    }
}

/// Watches one client.
#[derive(Clone, Copy, Debug, Default)]
pub struct Tracker {
    state: State,
    /// The last question that was answered by the site of the state.
    last: Timestamp,
    /// Another site that has begun to answer: which, since when, how often.
    candidate: Option<(SiteId, Timestamp, u32)>,
    silences: u32,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum State {
    #[default]
    Unknown,
    Answered(SiteId),
    Silent,
}

impl Tracker {
    /// Who answers; none while nobody does.
    pub fn site(&self) -> Option<SiteId> {
        match self.state {
            State::Answered(site) => Some(site),
            State::Unknown | State::Silent => None,
        }
    }

    /// Takes the next sample of the client in the order of the history, and tells what changed.
    pub fn take(&mut self, sample: &Sample) -> Option<Change> {
        match sample.outcome {
            Outcome::Answered { site, .. } => self.answered(site, sample.sent),
            Outcome::Silent => self.silent(sample.sent),
        }
    }

    fn answered(&mut self, site: SiteId, sent: Timestamp) -> Option<Change> {
        self.silences = 0;
        if self.state == State::Answered(site) {
            self.last = self.last.max(sent);
            self.candidate = None;
            return None;
        }
        let (since, count) = match self.candidate {
            Some((candidate, since, count)) if candidate == site => (since.min(sent), count + 1),
            _ => (sent, 1),
        };
        self.candidate = Some((site, since, count));
        if count < ANSWERS {
            return None;
        }
        let gap = since.since(self.last);
        let change = match self.state {
            State::Unknown => Change::First { site },
            State::Answered(from) => Change::Moved { from, to: site, gap },
            State::Silent => Change::Again { site, gap },
        };
        *self = Tracker { state: State::Answered(site), last: sent, candidate: None, silences: 0 };
        Some(change)
    }

    fn silent(&mut self, sent: Timestamp) -> Option<Change> {
        let State::Answered(from) = self.state else { return None };
        if sent < self.last {
            return None; // a lost packet among answered ones
        }
        self.silences += 1;
        if self.silences < SILENCES {
            return None;
        }
        self.state = State::Silent;
        self.candidate = None;
        Some(Change::Silent { from })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::history::ClientId;
    use crate::history::Cookie;
    use proptest::prelude::*;
    use terms::Family;

    /// Letters are sites that answer, `.` is silence; a question every 20 ms.
    fn changes(seen: &str) -> Vec<Change> {
        let mut tracker = Tracker::default();
        let samples = seen.bytes().enumerate().map(|(beat, letter)| Sample {
            client: ClientId(0),
            family: Family::Ipv4,
            sent: Timestamp::ZERO + Duration::from_millis(20 * beat as u64),
            outcome: match letter {
                b'.' => Outcome::Silent,
                site => Outcome::Answered {
                    site: SiteId(u16::from(site)),
                    round_trip: Duration::ZERO,
                    cookie: Cookie::None,
                },
            },
        });
        samples.filter_map(|sample| tracker.take(&sample)).collect()
    }

    const A: SiteId = SiteId(b'A' as u16);
    const B: SiteId = SiteId(b'B' as u16);

    #[test]
    fn moves_and_silence_are_told_once_with_the_gap_between_questions() {
        let first = Change::First { site: A };
        assert_eq!(changes("...AAAAAA"), [first]);
        let gap = Duration::from_millis(80);
        assert_eq!(changes("AAAA...BBBB"), [first, Change::Moved { from: A, to: B, gap }]);
        let gap = Duration::from_millis(160);
        let again = Change::Again { site: A, gap };
        assert_eq!(changes("AAAA.......AAAA"), [first, Change::Silent { from: A }, again]);
    }

    #[test]
    fn a_lost_packet_and_a_flap_are_not_worth_telling() {
        assert_eq!(changes("AAA.AA....AAABAABBAAA"), [Change::First { site: A }]);
    }

    proptest! {
        #[test]
        fn changes_fit_together(seen in "[AB.]{0,60}") {
            let mut site = None;
            for change in changes(&seen) {
                match change {
                    Change::First { site: now } | Change::Again { site: now, .. } => {
                        prop_assert_eq!(site, None);
                        site = Some(now);
                    }
                    Change::Moved { from, to, .. } => {
                        prop_assert!(site == Some(from) && from != to);
                        site = Some(to);
                    }
                    Change::Silent { from } => prop_assert_eq!(site.take(), Some(from)),
                }
            }
        }
    }
}

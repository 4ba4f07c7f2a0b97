//! What one check has found lately: passes in a row, or what failed since the last pass.
//!
//! - A **pass** ends every fail run.
//! - A **definite fail** counts when it comes at least half an interval after the one counted before, so that two
//!   runs close together are not taken for two observations.
//! - A **timeout** is worth the silence that was *observed*: the time since the timeout directly before it, and
//!   never more than one interval. However long this machine was suspended in between, that is no evidence.
//! - An **indeterminate** result is neither: it counts nothing and clears no fail. It does end a run of passes
//!   (law P1: to be announced takes `rise` passes in a row, with nothing else between them), which can only keep
//!   the group withdrawn a little longer (law P11) and never withdraws it (law P2). A host that cannot run its
//!   checks could not watch the service after announcing it either.

use serde::{Deserialize, Serialize};
use std::time::Duration;
use terms::{FailKind, Timestamp, Verdict};

use crate::CheckSettings;

/// The results of one check, as far as they still matter.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Tally {
    /// What the last run found; nothing before the first.
    pub(crate) last: Option<Verdict>,
    /// How the check stands.
    pub(crate) standing: Standing,
    /// When the check last passed or failed; the start of the machine before it ever did.
    pub(crate) seen_at: Timestamp,
    /// Whether nothing was seen for too long.
    pub(crate) blind: bool,
    /// Whether it failed for good, and has not passed `rise` times in a row since.
    pub(crate) lost: bool,
}

/// How a check stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Standing {
    /// No fail since the last pass.
    Passing {
        /// Passes in a row, with nothing else between them.
        run: u32,
    },
    /// No pass since the first of these fails.
    Failing(Fails),
}

/// What failed since the last pass.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Fails {
    /// When the first of them was seen.
    pub(crate) since: Timestamp,
    /// How many there were, of either kind.
    pub(crate) run: u32,
    /// The definite ones that count.
    pub(crate) definite: u32,
    /// When the last one that counts was seen.
    counted_at: Option<Timestamp>,
    /// Silence observed so far; none before the first timeout.
    pub(crate) silence: Option<Duration>,
    /// When the check timed out, if that is the last thing it did.
    silent_at: Option<Timestamp>,
}

impl Tally {
    pub(crate) fn new(now: Timestamp) -> Self {
        Tally { last: None, standing: Standing::Passing { run: 0 }, seen_at: now, blind: false, lost: false }
    }

    /// Takes a result in.
    pub(crate) fn note(&mut self, verdict: Verdict, check: &CheckSettings, now: Timestamp) {
        self.standing = self.standing.after(&verdict, check.interval, now);
        match self.standing {
            Standing::Failing(fails) => self.lost |= fails.are_final(check),
            Standing::Passing { run } => self.lost &= run < check.rise.get(),
        }
        match verdict {
            Verdict::Pass | Verdict::Fail { .. } => self.seen_at = now,
            Verdict::Indeterminate { .. } => {}
        }
        self.last = Some(verdict);
    }

    /// When the check becomes blind if nothing is seen until then.
    pub(crate) fn blind_at(&self, interval: Duration, blind_after: Duration) -> Timestamp {
        self.seen_at + blind_after.max(interval.saturating_mul(2))
    }
}

impl Standing {
    fn after(self, verdict: &Verdict, interval: Duration, now: Timestamp) -> Standing {
        match (self, verdict) {
            (Standing::Passing { run }, Verdict::Pass) => Standing::Passing { run: run.saturating_add(1) },
            (Standing::Failing(_), Verdict::Pass) => Standing::Passing { run: 1 },
            (Standing::Passing { .. }, Verdict::Fail { kind, .. }) => {
                Standing::Failing(Fails::beginning(now).and(*kind, interval, now))
            }
            (Standing::Failing(fails), Verdict::Fail { kind, .. }) => {
                Standing::Failing(fails.and(*kind, interval, now))
            }
            (Standing::Passing { .. }, Verdict::Indeterminate { .. }) => Standing::Passing { run: 0 },
            (Standing::Failing(fails), Verdict::Indeterminate { .. }) => {
                Standing::Failing(Fails { silent_at: None, ..fails })
            }
        }
    }
}

impl Fails {
    fn beginning(now: Timestamp) -> Self {
        Fails { since: now, run: 0, definite: 0, counted_at: None, silence: None, silent_at: None }
    }

    fn and(self, kind: FailKind, interval: Duration, now: Timestamp) -> Self {
        let next = Fails { run: self.run.saturating_add(1), silent_at: None, ..self };
        match kind {
            FailKind::Definite => match self.counted_at {
                Some(counted) if now.since(counted) < interval / 2 => next,
                Some(_) | None => {
                    Fails { definite: self.definite.saturating_add(1), counted_at: Some(now), ..next }
                }
            },
            FailKind::Timeout => {
                let observed =
                    self.silent_at.map_or(Duration::ZERO, |before| now.since(before).min(interval));
                let silence = self.silence.unwrap_or_default().saturating_add(observed);
                Fails { silence: Some(silence), silent_at: Some(now), ..next }
            }
        }
    }

    /// Whether this is more than a doubt: the service does not work.
    pub(crate) fn are_final(&self, check: &CheckSettings) -> bool {
        self.definite >= check.fall.get() || self.silence.is_some_and(|silence| silence >= check.hang_after)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slow_check_is_not_blind_between_its_runs() {
        let after = |interval| {
            let at =
                Tally::new(Timestamp::ZERO).blind_at(Duration::from_secs(interval), Duration::from_secs(3));
            at.since(Timestamp::ZERO).as_secs()
        };
        assert_eq!([1, 10].map(after), [3, 20]);
    }
}

//! The site's one clock.
//!
//! Cores take a [`Timestamp`]; this module is where it comes from. The source is `CLOCK_MONOTONIC`, not
//! `CLOCK_BOOTTIME`: a suspended machine runs no check and hears no peer, so the time it slept must not count towards
//! anything. With `CLOCK_BOOTTIME` one unanswered query before a suspend would, on waking, look like an hour of
//! unbroken silence and take the site down; a back-off would be served asleep. Neither clock follows the wall clock, so
//! that setting it changes nothing (law P14). The runtime's own timers run on `CLOCK_MONOTONIC` too, so a deadline and
//! the sleep that waits for it agree.

use rustix::time::{ClockId, clock_gettime};
use serde::{Deserialize, Serialize};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};
use terms::{Timestamp, WallTime};

/// Reads both kinds of time. A copy shares the start, so that timestamps of one process compare.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Clock {
    start: Instant,
    /// What it showed at its start.
    shown: Timestamp,
}

/// How a clock stood, for a program that takes over and goes on counting.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Reading {
    /// What the clock showed.
    shown: Timestamp,
    /// What the system's clock showed then.
    system: Duration,
}

impl Clock {
    /// A clock whose timestamps count from now.
    pub(crate) fn start() -> Self {
        Clock { start: Instant::now(), shown: Timestamp::ZERO }
    }

    /// A clock that goes on where another one of this machine stood: what the two show compares.
    pub(crate) fn going_on(from: Reading) -> Self {
        let passed = system().saturating_sub(from.system);
        Clock { start: Instant::now(), shown: from.shown + passed }
    }

    /// How it stands.
    pub(crate) fn reading(&self) -> Reading {
        Reading { shown: self.now(), system: system() }
    }

    /// The present, on the clock that only goes forward.
    pub(crate) fn now(&self) -> Timestamp {
        self.shown + self.start.elapsed()
    }

    /// The present, as people write it. Never compared, never a timer.
    pub(crate) fn wall(&self) -> WallTime {
        let since_1970 = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or(Duration::ZERO);
        WallTime(u64::try_from(since_1970.as_millis()).unwrap_or(u64::MAX))
    }

    /// When `at` was or will be, as people write it, as far as the wall clock has not been set since.
    pub(crate) fn wall_at(&self, at: Timestamp) -> WallTime {
        let (now, wall) = (self.now(), self.wall());
        let millis = |duration: Duration| u64::try_from(duration.as_millis()).unwrap_or(u64::MAX);
        WallTime(wall.0.saturating_add(millis(at.since(now))).saturating_sub(millis(now.since(at))))
    }

    /// Sleeps until `deadline`, for ever where there is none.
    pub(crate) async fn until(&self, deadline: Option<Timestamp>) {
        match deadline {
            Some(deadline) => tokio::time::sleep(deadline.since(self.now())).await,
            None => std::future::pending().await,
        }
    }
}

/// What is left of the time from `when` to `until`, by the clock on the wall. However that was set in the meantime, it
/// is not longer than it was given for.
pub(crate) fn left(when: WallTime, until: WallTime, now: WallTime) -> Duration {
    let given = until.0.saturating_sub(when.0);
    Duration::from_millis(until.0.saturating_sub(now.0).min(given))
}

/// The clock of the system that [`Instant`] reads, too, as a number that another program can use.
fn system() -> Duration {
    let now = clock_gettime(ClockId::Monotonic);
    Duration::new(now.tv_sec.try_into().unwrap_or(0), now.tv_nsec.try_into().unwrap_or(0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clock_that_goes_on_shows_what_the_other_would() {
        let clock = Clock { start: Instant::now(), shown: Timestamp::ZERO + Duration::from_secs(3600) };
        let other = Clock::going_on(clock.reading());
        let (before, shown, after) = (clock.now(), other.now(), clock.now());
        // The two are read one after the other.
        let slack = Duration::from_millis(100);
        assert!(shown + slack >= before && shown <= after + slack, "{before:?} {shown:?} {after:?}");
    }

    #[test]
    fn the_two_times_are_one_instant() {
        let clock = Clock::start();
        let (before, shown, after) = (clock.wall(), clock.wall_at(clock.now()), clock.wall());
        // A millisecond may be lost to rounding.
        assert!(
            before.0.saturating_sub(1) <= shown.0 && shown.0 <= after.0 + 1,
            "{before:?} {shown:?} {after:?}"
        );
        let earlier = clock.wall_at(Timestamp::ZERO);
        assert!(earlier <= after);
    }
}

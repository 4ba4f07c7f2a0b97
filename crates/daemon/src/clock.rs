//! The site's one clock.
//!
//! Cores take a [`Timestamp`]; this module is where it comes from. The source is `CLOCK_MONOTONIC`, not
//! `CLOCK_BOOTTIME`: a suspended machine runs no check and hears no peer, so the time it slept must not count towards
//! anything. With `CLOCK_BOOTTIME` one unanswered query before a suspend would, on waking, look like an hour of
//! unbroken silence and take the site down; a back-off would be served asleep. Neither clock follows the wall clock, so
//! that setting it changes nothing (law P14). The runtime's own timers run on `CLOCK_MONOTONIC` too, so a deadline and
//! the sleep that waits for it agree.

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};
use terms::{Timestamp, WallTime};

/// Reads both kinds of time. A copy shares the start, so that timestamps of one process compare.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Clock {
    start: Instant,
}

impl Clock {
    /// A clock whose timestamps count from now.
    pub(crate) fn start() -> Self {
        Clock { start: Instant::now() }
    }

    /// The present, on the clock that only goes forward.
    pub(crate) fn now(&self) -> Timestamp {
        Timestamp::ZERO + self.start.elapsed()
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

#[cfg(test)]
mod tests {
    use super::*;

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

//! All timers of a session as one table (RFC 4271 sections 8.1.3 and 10).

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};
use serde::{Deserialize, Serialize};
use std::time::Duration;
use terms::Timestamp;

/// What a session waits for. Where several expire at once, the one further up comes first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Timer {
    /// The neighbour was silent for too long.
    Hold,
    /// The neighbour took no octet for too long (RFC 9687).
    SendHold,
    /// The second of two connections got no OPEN.
    RivalOpen,
    /// Time to show that we live.
    Keepalive,
    /// Time for another attempt to connect.
    ConnectRetry,
    /// The pause after a failure is over.
    IdleHold,
    /// The pause after too many prefixes is over.
    LimitPause,
}

impl Timer {
    const ALL: [Timer; 7] = [
        Timer::Hold,
        Timer::SendHold,
        Timer::RivalOpen,
        Timer::Keepalive,
        Timer::ConnectRetry,
        Timer::IdleHold,
        Timer::LimitPause,
    ];
}

/// When each timer expires; those that do not run have no entry.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Timers {
    deadlines: [Option<Timestamp>; Timer::ALL.len()],
}

impl Timers {
    /// Starts or restarts a timer.
    pub(crate) fn start(&mut self, timer: Timer, deadline: Timestamp) {
        self.deadlines[timer as usize] = Some(deadline);
    }

    /// Stops a timer; the answer is when it would have expired.
    pub(crate) fn stop(&mut self, timer: Timer) -> Option<Timestamp> {
        self.deadlines[timer as usize].take()
    }

    /// Whether the timer runs.
    pub(crate) fn is_running(&self, timer: Timer) -> bool {
        self.deadlines[timer as usize].is_some()
    }

    /// Stops all timers.
    pub(crate) fn stop_all(&mut self) {
        self.deadlines = Default::default();
    }

    /// The earliest deadline.
    pub(crate) fn next(&self) -> Option<Timestamp> {
        self.deadlines.iter().flatten().min().copied()
    }

    /// Stops and returns a timer that has expired.
    pub(crate) fn take_expired(&mut self, now: Timestamp) -> Option<Timer> {
        let expired = |timer: &Timer| self.deadlines[*timer as usize].is_some_and(|at| at <= now);
        let timer = Timer::ALL.into_iter().find(expired)?;
        self.stop(timer);
        Some(timer)
    }
}

/// Takes up to a quarter off a duration, so that many speakers that started together do not stay in step
/// (RFC 4271 section 10).
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Jitter(ChaCha8Rng);

impl Jitter {
    pub(crate) fn new(seed: u64) -> Self {
        Jitter(ChaCha8Rng::seed_from_u64(seed))
    }

    pub(crate) fn shorten(&mut self, duration: Duration) -> Duration {
        let fraction = f64::from(self.0.next_u32()) / (f64::from(u32::MAX) + 1.0);
        duration.mul_f64(1.0 - fraction / 4.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_gives_out_what_has_expired_and_nothing_else() {
        let at = |seconds| Timestamp::ZERO + Duration::from_secs(seconds);
        let mut timers = Timers::default();
        timers.start(Timer::Keepalive, at(3));
        timers.start(Timer::Hold, at(3));
        timers.start(Timer::IdleHold, at(9));
        assert_eq!(timers.next(), Some(at(3)));
        assert_eq!(timers.take_expired(at(2)), None);
        assert_eq!(timers.take_expired(at(3)), Some(Timer::Hold));
        assert_eq!(timers.take_expired(at(3)), Some(Timer::Keepalive));
        assert_eq!(timers.take_expired(at(3)), None);
        assert_eq!(timers.next(), Some(at(9)));
    }

    #[test]
    fn every_timer_has_its_own_place_in_the_table() {
        for (place, timer) in Timer::ALL.into_iter().enumerate() {
            assert_eq!(timer as usize, place);
        }
    }

    #[test]
    fn jitter_takes_off_at_most_a_quarter() {
        let second = Duration::from_secs(1);
        let mut jitter = Jitter::new(1);
        let shortened: Vec<Duration> = (0..1000).map(|_| jitter.shorten(second)).collect();
        assert!(shortened.iter().all(|&d| d > second * 3 / 4 && d <= second));
        assert!(
            shortened.iter().any(|&d| d < second * 8 / 10)
                && shortened.iter().any(|&d| d > second * 95 / 100)
        );
    }
}

//! What one site may cost the others.

use std::num::NonZeroU32;
use std::time::Duration;
use terms::Timestamp;

/// How fast a budget may be spent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pace {
    /// The time in which one packet is earned.
    pub interval: Duration,
    /// So many packets at once after a pause; 0: none ever.
    pub burst: u32,
}

impl Pace {
    /// So many packets in a second, of which `burst` may come at once.
    pub fn per_second(packets: NonZeroU32, burst: u32) -> Self {
        Pace { interval: Duration::from_secs(1) / packets.get(), burst }
    }

    /// What may be spent at once, as a time.
    pub fn depth(&self) -> Duration {
        self.interval.saturating_mul(self.burst)
    }
}

/// A leaky bucket as a time (ITU-T I.371, the generic cell rate algorithm): when all that was spent is earned again. One
/// number, so that processors can share it without a lock.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Budget {
    until: Timestamp,
}

impl Budget {
    /// One of which everything up to a time is spent, as the kernel's table says.
    pub fn spent_until(until: Timestamp) -> Self {
        Budget { until }
    }

    /// Spends one packet if there is one.
    pub fn spend(&mut self, pace: &Pace, now: Timestamp) -> bool {
        let until = self.until.max(now) + pace.interval;
        let has_one = until.since(now) <= pace.depth();
        if has_one {
            self.until = until;
        }
        has_one
    }
}

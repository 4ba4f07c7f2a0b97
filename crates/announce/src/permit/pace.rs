//! Pauses between attempts: growing, and different on every host.

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};
use serde::{Deserialize, Serialize};
use std::time::Duration;

use super::input::Pace;

/// The pauses of one machine, from a seed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Pauses {
    random: ChaCha8Rng,
    failures: u32,
}

impl Pauses {
    pub(super) fn new(seed: u64) -> Self {
        Pauses { random: ChaCha8Rng::seed_from_u64(seed), failures: 0 }
    }

    /// An attempt succeeded: the next pause is the first one again.
    pub(super) fn succeeded(&mut self) {
        self.failures = 0;
    }

    /// The pause after one more failure: between half and all of a duration that doubles.
    pub(super) fn after_failure(&mut self, pace: &Pace) -> Duration {
        let factor = 1_u32.checked_shl(self.failures).unwrap_or(u32::MAX);
        self.failures = self.failures.saturating_add(1);
        let most = pace.first_pause.saturating_mul(factor).min(pace.longest_pause);
        most / 2 + self.part_of(most / 2)
    }

    /// A random part of a duration.
    pub(super) fn part_of(&mut self, whole: Duration) -> Duration {
        // A 32-bit fraction: half a nanosecond of every second is lost, which nobody waits for.
        let part = u128::from(self.random.next_u32());
        let nanos = (whole.as_nanos() * part) >> 32;
        Duration::from_nanos(u64::try_from(nanos).unwrap_or(u64::MAX))
    }
}

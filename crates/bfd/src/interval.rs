//! Time between packets, as the wire has it.

use serde::{Deserialize, Serialize};
use std::fmt;
use std::time::Duration;

/// Whole microseconds between packets (RFC 5880 section 4.1).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Interval(u32);

impl Interval {
    /// No packets at all, where a neighbour says what it can take.
    pub const ZERO: Interval = Interval(0);
    /// No session sends faster before it is up (RFC 5880 section 6.8.3).
    pub const SLOW: Interval = Interval(1_000_000);

    /// So many microseconds.
    pub const fn from_micros(micros: u32) -> Self {
        Interval(micros)
    }

    /// Microseconds.
    pub const fn as_micros(self) -> u32 {
        self.0
    }

    /// The same as a duration.
    pub const fn duration(self) -> Duration {
        Duration::from_micros(self.0 as u64)
    }
}

/// Fractions of a microsecond are lost; more than 71 minutes is 71 minutes.
impl From<Duration> for Interval {
    fn from(duration: Duration) -> Self {
        Interval(u32::try_from(duration.as_micros()).unwrap_or(u32::MAX))
    }
}

impl fmt::Display for Interval {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.duration(), f)
    }
}

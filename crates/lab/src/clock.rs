//! The clock that every part of the lab reads.

use rustix::time::{ClockId, clock_gettime};
use std::time::{Duration, SystemTime};
use terms::{Timestamp, WallTime};

/// Nanoseconds since the machine started. It is the same clock in every process of the machine.
pub fn now() -> Timestamp {
    let time = clock_gettime(ClockId::Monotonic);
    let nanos = Duration::try_from(time).map_or(0, |since_start| since_start.as_nanos());
    Timestamp::from_nanos(u64::try_from(nanos).unwrap_or(u64::MAX))
}

/// The time of day, for people.
pub fn wall() -> WallTime {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    WallTime(u64::try_from(since.as_millis()).unwrap_or(u64::MAX))
}

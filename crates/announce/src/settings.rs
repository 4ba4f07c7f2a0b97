//! What an operator decided about one announcement group.

use serde::{Deserialize, Serialize};
use std::fmt;
use std::num::NonZeroU32;
use std::time::Duration;
use terms::{GroupName, ServiceName};

/// Everything the machine of one group must know before it starts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Settings {
    /// The prefixes that go up and down together.
    pub group: GroupName,
    /// Every check of every service behind them; all must pass. A [`CheckId`] is a position in this list.
    pub checks: Vec<CheckSettings>,
    /// How long a group that failed stays withdrawn.
    pub backoff: Backoff,
    /// A check without a pass or a fail for so long (and for at least two of its intervals) raises an alarm.
    pub blind_after: Duration,
}

impl Settings {
    /// How long a check may be without a pass or a fail before an alarm is raised, unless the file says otherwise.
    pub const BLIND_AFTER: Duration = Duration::from_secs(3);
}

/// One health check of one service, as far as the decision is concerned.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CheckSettings {
    /// The service that is asked.
    pub service: ServiceName,
    /// Tells the checks of a service apart, such as `dns example. SOA`.
    pub name: String,
    /// Time from the start of one run to the start of the next.
    pub interval: Duration,
    /// So many definite fails, each at least half an interval after the one before, and the check has failed.
    pub fall: NonZeroU32,
    /// So many passes in a row before the group may be announced.
    pub rise: NonZeroU32,
    /// Timeouts unbroken by a pass for so long, and the check has failed.
    pub hang_after: Duration,
}

impl fmt::Display for CheckSettings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.service, self.name)
    }
}

/// One check of a group: its position in [`Settings::checks`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct CheckId(pub usize);

/// How long a group that failed stays withdrawn: the k-th failure in a row costs `base` × 2^(k-1), at most `cap`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Backoff {
    /// What the first failure costs.
    pub base: Duration,
    /// What no failure exceeds.
    pub cap: Duration,
    /// A group that was announced for so long without failing starts again from `base`.
    pub forgiven_after: Duration,
}

impl Backoff {
    /// For neighbours of one's own and peers.
    pub const DEFAULT: Backoff = Backoff {
        base: Duration::from_secs(5),
        cap: Duration::from_secs(300),
        forgiven_after: Duration::from_secs(600),
    };

    /// Where a neighbour is a transit provider, who may damp a route that flaps (RFC 2439).
    pub const TRANSIT: Backoff = Backoff { base: Duration::from_secs(30), ..Backoff::DEFAULT };

    /// How long the group stays withdrawn after so many failures in a row; zero failures cost nothing.
    pub fn delay(&self, failures: u32) -> Duration {
        let Some(doublings) = failures.checked_sub(1) else { return Duration::ZERO };
        let factor = 1_u32.checked_shl(doublings).unwrap_or(u32::MAX);
        self.base.saturating_mul(factor).min(self.cap)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_delay_doubles_up_to_the_cap_and_never_overflows() {
        let delays = [0, 1, 2, 3, 6, 7, 33, u32::MAX].map(|k| Backoff::DEFAULT.delay(k).as_secs());
        assert_eq!(delays, [0, 5, 10, 20, 160, 300, 300, 300]);
    }
}

//! What an operator decides about one neighbour.

use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use std::time::Duration;
use terms::{Asn, Family, RouterId};

/// What an operator decides about one neighbour.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    /// Our network.
    pub local_asn: Asn,
    /// The neighbour's network; ours for iBGP. A neighbour that says another one is refused.
    pub peer_asn: Asn,
    /// Our BGP identifier.
    pub router_id: RouterId,
    /// Families to offer. The session carries those that both sides offer.
    pub families: BTreeSet<Family>,
    /// The hold time to offer; the smaller of both offers counts.
    pub hold_time: HoldTime,
    /// Wait for the neighbour to connect, never connect to it.
    pub passive: bool,
    /// Time from one attempt to connect to the next. Jitter takes up to a quarter off (RFC 4271 section 10).
    pub connect_retry: Duration,
    /// Pause after a session that failed.
    pub idle_hold: IdleHold,
}

impl Settings {
    /// Both families, hold time 9 s, active, a new attempt to connect every 5 s.
    pub fn new(local_asn: Asn, peer_asn: Asn, router_id: RouterId) -> Self {
        Settings {
            local_asn,
            peer_asn,
            router_id,
            families: BTreeSet::from(Family::ALL),
            hold_time: HoldTime::DEFAULT,
            passive: false,
            connect_retry: Duration::from_secs(5),
            idle_hold: IdleHold::default(),
        }
    }

    /// Whether the neighbour is in our own network.
    pub fn peer_kind(&self) -> PeerKind {
        if self.local_asn == self.peer_asn { PeerKind::Internal } else { PeerKind::External }
    }
}

/// Whether a neighbour is in our own network: decides which attributes are told and what a wrong one means.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum PeerKind {
    /// Same AS number (iBGP).
    Internal,
    /// Another AS number (eBGP).
    External,
}

/// How long the neighbour may be silent, in seconds: 0 (for ever) or 3 to 65535 (RFC 4271 section 4.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "u16", into = "u16")]
pub struct HoldTime(u16);

/// One or two seconds.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a hold time is 0 s (never expires) or 3 s to 65535 s, not {0} s (RFC 4271 section 4.2)")]
pub struct HoldTimeError(pub u16);

impl HoldTime {
    /// 9 s: a neighbour that lost power is noticed within that time.
    pub const DEFAULT: HoldTime = HoldTime(9);
    /// 90 s, which every neighbour accepts (RFC 4271 section 10): offered after one refused a shorter time.
    pub const CONSERVATIVE: HoldTime = HoldTime(90);

    /// Seconds.
    pub fn seconds(self) -> u16 {
        self.0
    }

    /// The time, or none if silence is never held against the neighbour.
    pub fn duration(self) -> Option<Duration> {
        (self.0 > 0).then(|| Duration::from_secs(self.0.into()))
    }

    /// A third of the hold time: how often to send KEEPALIVE (RFC 4271 section 4.4).
    pub fn keepalive(self) -> Option<Duration> {
        self.duration().map(|hold| hold / 3)
    }
}

impl TryFrom<u16> for HoldTime {
    type Error = HoldTimeError;
    fn try_from(seconds: u16) -> Result<Self, HoldTimeError> {
        match seconds {
            1 | 2 => Err(HoldTimeError(seconds)),
            seconds => Ok(HoldTime(seconds)),
        }
    }
}

impl From<HoldTime> for u16 {
    fn from(hold: HoldTime) -> u16 {
        hold.0
    }
}

/// The pause after a session that failed: `base`, twice that after the next failure and so on up to `cap`
/// (IdleHoldTimer and DampPeerOscillations, RFC 4271 section 8.1.1). A session that stayed up for `cap` forgives.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct IdleHold {
    /// Pause after the first failure.
    pub base: Duration,
    /// Longest pause, and how long a session has to last to forgive all failures.
    pub cap: Duration,
}

impl Default for IdleHold {
    /// From 1 s to 60 s.
    fn default() -> Self {
        IdleHold { base: Duration::from_secs(1), cap: Duration::from_secs(60) }
    }
}

impl IdleHold {
    /// The pause after so many failures in a row.
    pub fn pause(self, failures: u32) -> Duration {
        let doublings = failures.saturating_sub(1).min(31);
        self.base.saturating_mul(1 << doublings).min(self.cap)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_and_two_seconds_are_no_hold_time() {
        assert_eq!(HoldTime::try_from(1), Err(HoldTimeError(1)));
        assert_eq!(HoldTime::try_from(2), Err(HoldTimeError(2)));
        assert_eq!(HoldTime::try_from(0).unwrap().duration(), None);
        assert_eq!(HoldTime::DEFAULT.keepalive(), Some(Duration::from_secs(3)));
    }

    #[test]
    fn the_pause_doubles_up_to_the_cap() {
        let pauses: Vec<u64> = (0..9).map(|k| IdleHold::default().pause(k).as_secs()).collect();
        assert_eq!(pauses, [1, 1, 2, 4, 8, 16, 32, 60, 60]);
        assert_eq!(IdleHold::default().pause(u32::MAX).as_secs(), 60);
    }
}

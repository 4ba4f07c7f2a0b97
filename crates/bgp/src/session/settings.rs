//! What an operator decides about one neighbour.

use crate::session::graceful::{Graceful, RestartTime};
use crate::wire::capability::AddPath;
use crate::wire::negotiated::PeerKind;
use crate::wire::open::HoldTime;
use crate::wire::role::Role;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
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
    /// How many prefixes of each family the neighbour may announce; no bound where there is no entry.
    #[serde(default)]
    pub max_prefixes: BTreeMap<Family, u32>,
    /// How many routes it may be told, of all families that are offered; no bound if none.
    #[serde(default)]
    pub max_announced: Option<u32>,
    /// What we are to the neighbour (RFC 9234). Only towards another network.
    #[serde(default)]
    pub role: Option<Role>,
    /// Refuse a neighbour that does not say what it is, where we do.
    #[serde(default)]
    pub role_strict: bool,
    /// Whether prefixes may come with path identifiers, in every family (RFC 7911).
    #[serde(default)]
    pub add_path: AddPath,
    /// Whether IPv4 routes may have an IPv6 next hop (RFC 8950).
    #[serde(default)]
    pub extended_next_hop: bool,
    /// Whether routes may outlive a session, and how long (RFC 4724); not offered if none.
    #[serde(default)]
    pub graceful: Option<Graceful>,
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
            max_prefixes: BTreeMap::new(),
            max_announced: None,
            role: None,
            role_strict: false,
            add_path: AddPath::default(),
            extended_next_hop: false,
            graceful: None,
        }
    }

    /// Whether a session that is up can go on under other settings: what two OPENs agree on cannot change.
    pub fn can_become(&self, next: &Settings) -> bool {
        let Settings {
            local_asn,
            peer_asn,
            router_id,
            families,
            hold_time,
            role,
            role_strict,
            add_path,
            extended_next_hop,
            graceful: _, // in part, see below
            // These are our own affair.
            passive: _,
            connect_retry: _,
            idle_hold: _,
            max_prefixes: _,
            max_announced: _,
        } = self;
        *local_asn == next.local_asn
            && *peer_asn == next.peer_asn
            && *router_id == next.router_id
            && *families == next.families
            && *hold_time == next.hold_time
            && *role == next.role
            && *role_strict == next.role_strict
            && *add_path == next.add_path
            && *extended_next_hop == next.extended_next_hop
            && self.offered_restart() == next.offered_restart()
    }

    /// What is offered of graceful restart; how long we wait ourselves is our own affair.
    fn offered_restart(&self) -> Option<RestartTime> {
        self.graceful.map(|graceful| graceful.restart_time)
    }

    /// Whether the neighbour is in our own network.
    pub fn peer_kind(&self) -> PeerKind {
        PeerKind::between(self.local_asn, self.peer_asn)
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
    fn the_pause_doubles_up_to_the_cap() {
        let pauses: Vec<u64> = (0..9).map(|k| IdleHold::default().pause(k).as_secs()).collect();
        assert_eq!(pauses, [1, 1, 2, 4, 8, 16, 32, 60, 60]);
        assert_eq!(IdleHold::default().pause(u32::MAX).as_secs(), 60);
    }
}

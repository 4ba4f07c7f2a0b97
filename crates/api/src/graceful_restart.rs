//! Graceful restart with a neighbour (RFC 4724, RFC 8538).

use serde::{Deserialize, Serialize};
use terms::{Family, WallTime};
use utoipa::ToSchema;

/// What outlives a session with a neighbour.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct GracefulRestart {
    /// How long the neighbour is asked to keep our routes while we are away, seconds.
    pub restart_time_s: u16,
    /// Whether both sides say by a hard reset that a session is not to be outlived, and keep routes through any other
    /// NOTIFICATION (RFC 8538).
    pub hard_reset: bool,
    /// What the neighbour says; none without a session, or where it does not offer graceful restart.
    pub peer: Option<PeerRestart>,
    /// Since when we have been holding End-of-RIB back because not everything is decided after our restart; none if we
    /// are not.
    pub end_of_rib_deferred_since: Option<WallTime>,
    /// Families of the neighbour whose routes of before its restart are kept.
    pub stale_families: Vec<Family>,
    /// Until when they are at most; none if there are none.
    pub stale_until: Option<WallTime>,
    /// How many routes that is, where routes are kept at all.
    pub stale_routes: u64,
}

/// What a neighbour says about its own restart.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct PeerRestart {
    /// How long it takes at most, seconds.
    pub restart_time_s: u16,
    /// Whether it had just restarted when the session came up.
    pub restarted: bool,
    /// Families that it can keep.
    pub families: Vec<Family>,
    /// Those that it went on forwarding during its last restart.
    pub forwarding: Vec<Family>,
}

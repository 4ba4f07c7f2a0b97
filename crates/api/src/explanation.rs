//! `catchment explain PREFIX --json`: what was told to whom about one prefix, and why.

use crate::{Blackhole, Check, EventRow, GroupState, Output, Schema, Told};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use std::net::IpAddr;
use terms::{
    Attributes, Community, ExtendedCommunity, GroupName, LargeCommunity, Origin, PeerName, Prefix, Reason,
    WallTime,
};
use utoipa::ToSchema;

/// One prefix explained.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Explanation {
    /// Always 1.
    pub schema: Schema,
    /// The prefix that was asked for.
    pub prefix: Prefix,
    /// The announcement group that owns it. That of a covering prefix decides nothing about it.
    pub group: GroupName,
    /// Whether it is a covering prefix: announced for as long as the daemon lives, whatever the checks say.
    #[serde(default)]
    pub cover: bool,
    /// The order, where peers are asked to drop what is sent there; `group` is then that of the addresses.
    #[serde(default)]
    pub blackhole: Option<Blackhole>,
    /// Where the group stands.
    pub state: GroupState,
    /// How strongly it is announced.
    pub output: Output,
    /// Since when; for a covering prefix since it is in the site file of the running daemon.
    pub since: WallTime,
    /// Why.
    pub reason: Reason,
    /// What each peer was told.
    pub peers: Vec<PeerTold>,
    /// What peers told about it and everything that covers it, where that is kept.
    #[serde(default)]
    pub heard: Vec<PeerHeard>,
    /// What each check found last.
    #[serde(default)]
    pub checks: Vec<Check>,
    /// The events that led here, oldest first.
    pub why: Vec<EventRow>,
}

/// What one peer was told about the prefix.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct PeerTold {
    /// The peer.
    pub peer: PeerName,
    /// What it was told last.
    pub told: Told,
    /// When; none if it was told nothing in this session.
    pub when: Option<WallTime>,
    /// The attributes it has; none unless announced.
    pub attributes: Option<Attributes>,
}

/// What one peer that is kept told about the prefix and everything that covers it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct PeerHeard {
    /// The peer.
    pub peer: PeerName,
    /// The longest prefix first, and of each prefix every path.
    pub routes: Vec<HeardRoute>,
}

/// A route that a peer told.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct HeardRoute {
    /// Its prefix.
    pub prefix: Prefix,
    /// Which of several paths it is (RFC 7911); none unless the peer tells several.
    pub path_id: Option<u32>,
    /// When it was told last, in whole seconds.
    pub when: WallTime,
    /// Whether it was told before the peer began again, and not confirmed yet.
    pub stale: bool,
    /// What is strange about it: `graceful-shutdown`, `looped`, `martian`.
    pub marks: Vec<String>,
    /// How it came into BGP.
    pub origin: Origin,
    /// Where packets are to be sent.
    #[schema(value_type = Option<String>)]
    pub next_hop: Option<IpAddr>,
    /// The networks it came through: `64500 3 {4 5}`.
    pub path: String,
    /// MULTI_EXIT_DISC.
    pub med: Option<u32>,
    /// LOCAL_PREF; 0 where the route is about to go (RFC 8326).
    pub local_pref: Option<u32>,
    /// Standard communities (RFC 1997).
    pub communities: BTreeSet<Community>,
    /// Extended communities (RFC 4360).
    pub extended_communities: BTreeSet<ExtendedCommunity>,
    /// Large communities (RFC 8092).
    pub large_communities: BTreeSet<LargeCommunity>,
}

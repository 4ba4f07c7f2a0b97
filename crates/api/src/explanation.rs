//! `catchment explain PREFIX --json`: what was told to whom about one prefix, and why.

use crate::{Check, EventRow, GroupState, Output, Schema, Told};
use serde::{Deserialize, Serialize};
use terms::{Attributes, GroupName, PeerName, Prefix, Reason, WallTime};
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

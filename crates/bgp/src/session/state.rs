//! The six states of RFC 4271 section 8.2.2.

use serde::{Deserialize, Serialize};
use std::fmt;

/// The name of a state.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum StateName {
    /// Not wanted, or pausing after a failure. Connections are refused.
    Idle,
    /// Our attempt to connect is under way.
    Connect,
    /// Waiting for the neighbour to connect, or for the next attempt.
    Active,
    /// Connected; our OPEN is sent, the neighbour's is awaited.
    OpenSent,
    /// Both OPENs agree; the neighbour's KEEPALIVE is awaited.
    OpenConfirm,
    /// Routes are told.
    Established,
}

impl StateName {
    /// Every state, from nothing to everything.
    pub const ALL: [StateName; 6] = [
        StateName::Idle,
        StateName::Connect,
        StateName::Active,
        StateName::OpenSent,
        StateName::OpenConfirm,
        StateName::Established,
    ];
}

impl fmt::Display for StateName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            StateName::Idle => "Idle",
            StateName::Connect => "Connect",
            StateName::Active => "Active",
            StateName::OpenSent => "OpenSent",
            StateName::OpenConfirm => "OpenConfirm",
            StateName::Established => "Established",
        })
    }
}

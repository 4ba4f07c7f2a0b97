//! `catchment restart`: the program on disk takes the place of a running daemon.

use crate::Schema;
use crate::status::words;
use serde::{Deserialize, Serialize};
use std::fmt;
use terms::{Reason, WallTime};
use utoipa::ToSchema;

words! {
    /// What came of an order to restart.
    RestartVerdict {
        /// The program on disk takes over now: [`crate::Status::restart`] will say how it went.
        Begun = "begun",
        /// Nothing was done.
        Refused = "refused",
    }

    /// How a restart ended.
    RestartOutcome {
        /// The program on disk runs.
        Done = "done",
        /// It could not be started; the program of before goes on as if nothing had happened.
        Failed = "failed",
    }
}

/// The answer to an order to restart.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct RestartAnswer {
    /// Always 1.
    pub schema: Schema,
    /// What came of it.
    pub verdict: RestartVerdict,
    /// Which restart of this process it is or would have been, counted from 1.
    pub number: u64,
    /// Why it was refused, a sentence each.
    pub refusals: Vec<String>,
}

/// The last restart of a daemon.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Restart {
    /// Which restart of this process it was, counted from 1. Those that failed count.
    pub number: u64,
    /// When it ended.
    pub when: WallTime,
    /// How it ended.
    pub outcome: RestartOutcome,
    /// The version of the program that was there before.
    pub before: String,
    /// The version of the program that runs.
    pub version: String,
    /// How long everything stood still, ms; none where it failed.
    pub gap_ms: Option<u64>,
    /// BGP sessions that went on; none where it failed.
    pub sessions: Option<u64>,
    /// Why it failed.
    pub reason: Option<Reason>,
}

//! What a driver tells a session, and what the session asks of its driver.

use crate::Packet;
use crate::session::{Event, Settings};
use serde::{Deserialize, Serialize};
use std::time::Duration;
use terms::Reason;

/// What happened. Everything a session ever learns.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Input {
    /// The operator wants the session.
    Start,
    /// The operator does not want it any more. The driver keeps it until [`Output::Gone`], if it can.
    Stop,
    /// The operator decided otherwise; the session goes on.
    Reconfigured(Settings),
    /// We will be silent for that long at most, and the other end is not to take it for a dead path. None: we will not.
    /// [`Session::tolerated_silence`](crate::session::Session::tolerated_silence) tells when it has confirmed it.
    Patience(Option<Duration>),
    /// A packet of the other end: it names this session, or names none and came from the right address.
    Packet(Packet),
    /// The time of [`Session::deadline`](crate::session::Session::deadline) has come.
    Timer,
}

/// What is to be done.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Output {
    /// Send it to the other end.
    Send(Packet),
    /// The path carries packets in both directions.
    PathUp,
    /// It did, and does no more. Never because an operator of either end asked for it.
    PathDown {
        /// What was seen.
        reason: Reason,
    },
    /// Tell people.
    Event(Event),
    /// A stopped session has said so for long enough; it may be forgotten.
    Gone,
}

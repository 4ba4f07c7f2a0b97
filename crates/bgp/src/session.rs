//! One neighbour: the state machine of RFC 4271 section 8.

mod event;
mod input;
mod settings;
mod state;

pub use crate::wire::notification::{Notification, ShutdownText};
pub use event::{Event, Prefixes};
pub use input::{ConnectionId, Direction, Input, Output};
pub use settings::{HoldTime, HoldTimeError, IdleHold, PeerKind, Settings};
pub use state::StateName;

use serde::{Deserialize, Serialize};
use std::collections::VecDeque;
use std::sync::Arc;
use terms::{RouteSet, Timestamp};

/// How many octets of UPDATEs may wait for the kernel at most.
pub const SEND_WINDOW: usize = 64 * 1024;

static NOTHING: RouteSet = RouteSet::new();

/// What was heard from the neighbour since the session object exists. Routes are counted, checked and dropped.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Received {
    /// Announced prefixes in UPDATEs without a fault that matters, each time they were announced.
    pub accepted: u64,
    /// Path attributes that were discarded because of a fault (RFC 7606).
    pub discarded_attributes: u64,
    /// UPDATEs whose routes were treated as withdrawn because of a fault (RFC 7606).
    pub treated_as_withdraw: u64,
}

/// The session with one neighbour.
#[derive(Debug)]
pub struct Session {
    settings: Settings,
    wanted: Arc<RouteSet>,
    received: Received,
    outputs: VecDeque<Output>,
}

impl Session {
    /// A session that is not started. `seed` decides the jitter of its timers.
    pub fn new(settings: Settings, _seed: u64) -> Self {
        Session { settings, wanted: Arc::default(), received: Received::default(), outputs: VecDeque::new() }
    }

    /// Takes one input; `now` never goes back.
    pub fn handle(&mut self, input: Input, _now: Timestamp) {
        if let Input::Wanted(routes) = input {
            self.wanted = routes;
        }
    }

    /// The next thing to do, until there is none.
    pub fn poll_output(&mut self) -> Option<Output> {
        self.outputs.pop_front()
    }

    /// When to call with [`Input::Timer`].
    pub fn deadline(&self) -> Option<Timestamp> {
        None
    }

    /// Where the state machine is.
    pub fn state(&self) -> StateName {
        StateName::Idle
    }

    /// What the neighbour was told on this connection; nothing unless Established.
    pub fn told(&self) -> &RouteSet {
        &NOTHING
    }

    /// What was heard so far.
    pub fn received(&self) -> Received {
        self.received
    }

    /// What the operator decided.
    pub fn settings(&self) -> &Settings {
        &self.settings
    }
}

//! The decision loop: the driver of every announcement group's machine.
//!
//! ```text
//!   check tasks ──what they found──> ┌───────────────┐ ──decision (latest value)──> peer tasks
//!   address keeper ──presence──────> │ decision loop │ ──run this one sooner──────> check tasks
//!   stop ──order────────────────────>│  a Machine    │ ──what to remember─────────> memory keeper
//!   the machines' earliest deadline ─│  per group    │ ──view, samples────────────> API, page
//!                                    └───────────────┘ ──beats────────────────────> watchdog
//! ```
//! One task for all groups: there are few, and a decision is then one value that holds the whole. It never waits for
//! anybody: every way out is a latest value, a queue that is dropped when full, or a counter.

use crate::address::Presence;
use crate::check::Found;
use crate::clock::Clock;
use crate::event::Source;
use crate::events::Bus;
use crate::export::{Decision, GroupLevel};
use crate::memory::Memories;
use crate::metrics::Metrics;
use crate::watchdog::{BEAT_EVERY, Heart};
use announce::{Action, CheckId, Condition, Input, Intent, Level, Machine, Warmth};
use std::collections::BTreeSet;
use std::net::IpAddr;
use std::sync::Arc;
use terms::{GroupName, Prefix, Reason, ServiceName, Timestamp, Verdict, WallTime};
use tokio::sync::{broadcast, mpsc, oneshot, watch};
use tokio::time::{MissedTickBehavior, interval};

/// One announcement group: its machine, and what the machine does not need to know.
#[derive(Debug)]
pub(crate) struct Group {
    pub(crate) machine: Machine,
    pub(crate) services: Vec<ServiceName>,
    pub(crate) prefixes: Arc<[Prefix]>,
    pub(crate) addresses: BTreeSet<IpAddr>,
    /// How the services say that they are ready.
    pub(crate) ready: Condition,
    /// How to have each check run sooner, by [`CheckId`].
    pub(crate) sooner: Vec<mpsc::Sender<Timestamp>>,
    /// The place of its first check when the checks of all groups are counted through.
    pub(crate) first_check: usize,
}

/// What an operator or the end of the daemon wants.
#[derive(Debug)]
pub(crate) struct Withdraw {
    /// Who wants it.
    pub(crate) who: Reason,
    /// Why.
    pub(crate) reason: Reason,
    /// Answered when it is decided: until when something was announced; none if nothing ever was.
    pub(crate) decided: oneshot::Sender<Option<Timestamp>>,
}

/// Where the decision loop hears of the world.
#[derive(Debug)]
pub(crate) struct Ears {
    pub(crate) found: mpsc::Receiver<(usize, Found)>,
    pub(crate) presence: watch::Receiver<Presence>,
    pub(crate) orders: mpsc::Receiver<Withdraw>,
}

/// Where the decision loop tells of itself.
#[derive(Debug)]
pub(crate) struct Mouth {
    pub(crate) clock: Clock,
    pub(crate) bus: Bus,
    pub(crate) metrics: Metrics,
    pub(crate) heart: Heart,
    pub(crate) decision: watch::Sender<Arc<Decision>>,
    pub(crate) memories: watch::Sender<Memories>,
    pub(crate) views: watch::Sender<Vec<View>>,
    pub(crate) samples: broadcast::Sender<api::Live>,
}

//! One neighbour: the state machine of RFC 4271 section 8.
//!
//! ```text
//!        Start, or the pause is over
//!   Idle ──────────────────────────► Connect ◄──── retry ────┐
//!    ▲  └── passive ─────────┐          │  └── refused ──► Active
//!    │                       └──────────┼──────────────────► │
//!    │ pause, growing                   │ connected          │ connected, by either side
//!    │                                  ▼                    ▼
//!    │◄── error, silence, Stop ────── OpenSent ◄─────────────┘      (its end without a word: Active)
//!    │                                  │ OPEN agrees
//!    │◄── error, silence, Stop ────── OpenConfirm
//!    │                                  │ KEEPALIVE
//!    │◄── error, silence, Stop ────── Established: wanted routes are told
//! ```
//! Until the session is up, a second connection may come from the other end: the *rival*. Once the neighbour has said
//! on both who it is, one of them is closed (`collision`). A connection that ends leaves its rival in charge. Where both
//! sides restart gracefully, a session that is up may get a rival too: the neighbour may have begun anew.
//!
//! Two choices differ from the letter of the RFC. An attempt to connect that fails leads to Active and not to Idle,
//! so that a neighbour which comes back can connect at once. And a session pauses in Idle by itself and starts
//! again (AutomaticStart with IdleHoldTimer); only Stop keeps it there.
//!
//! | file | holds |
//! |---|---|
//! | `transition` | the table: state and stimulus give the next state |
//! | `opening`, `ending` | what the table does on the way up and on the way down |
//! | `state` | the states and what they own |
//! | `collision` | two connections at once |
//! | `established` | the session while it is up |
//! | `wanted`, `limits` | how much may be told, and how much may be heard |
//! | `change` | other settings |
//! | `keeping` | what was heard, where it is kept |
//! | `monitored` | what a monitoring station is told |
//! | `leaks` | what should not have been heard, and what is said so that nobody else hears it |
//! | `timers` | the timers and their jitter |
//! | `offer` | what our OPEN says |
//! | `graceful` | routes that outlive a session |

mod change;
mod collision;
mod ending;
mod established;
mod event;
mod graceful;
mod input;
mod keeping;
pub(crate) mod leaks;
mod limits;
mod monitored;
mod offer;
mod opening;
mod settings;
mod state;
mod timers;
mod transition;
mod wanted;

pub use crate::rib_in::{Heard, KeepReceived, Kept, Mark, Marks};
pub use crate::wire::capability::AddPath;
pub use crate::wire::negotiated::{Negotiated, PeerKind};
pub use crate::wire::nlri::NlriError;
pub use crate::wire::notification::{ErrorCode, Notification, ShutdownText, ShutdownTextError};
pub use crate::wire::open::{HoldTime, HoldTimeError};
pub use crate::wire::role::Role;
pub use event::{Event, Prefixes};
pub use graceful::{Graceful, RestartTime, RestartTimeError, StaleEnd};
pub use input::{ConnectionId, Direction, Input, Output, StopKind};
pub use limits::{Announced, LIMIT_PAUSE};
pub use monitored::{Ending, Introduction, Monitored, Monitoring, Opens, Unsaid};
pub use settings::{IdleHold, Settings};
pub use state::StateName;

use graceful::restart::Restart;
use graceful::retention::Retention;
use keeping::Keeping;
use limits::Counted;
use monitored::Notes;
use offer::Offer;
use serde::{Deserialize, Serialize};
use state::{Connection, State};
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::time::Duration;
use terms::{Family, Prefix, RouteSet, Timestamp};
use timers::{Jitter, Timer, Timers};
use transition::Stimulus;
use wanted::Wanted;

/// How many octets of UPDATEs may wait for the kernel at most.
pub const SEND_WINDOW: usize = 64 * 1024;

/// No timer is shorter, so that a session can never keep its driver spinning.
const SHORTEST_TIMER: Duration = Duration::from_millis(1);

static NOTHING: RouteSet = RouteSet::new();
static NO_FAMILY: BTreeSet<Family> = BTreeSet::new();

/// What was heard from the neighbour since the program started. Counting takes no memory, so a prefix that is
/// announced twice counts twice.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Received {
    /// Announcements of a prefix, in UPDATEs that were taken.
    pub accepted: u64,
    /// Path attributes that were discarded because of a fault (RFC 7606).
    pub discarded_attributes: u64,
    /// UPDATEs whose routes were treated as withdrawn because of a fault (RFC 7606).
    pub treated_as_withdraw: u64,
    /// Withdrawals of a prefix, in UPDATEs that were taken.
    pub withdrawn: u64,
    /// Accepted routes that are about to go (GRACEFUL_SHUTDOWN, RFC 8326).
    pub graceful_shutdown: u64,
    /// Announcements that leaked: they were told to somebody who is not to pass them on to us (RFC 9234).
    #[serde(default)]
    pub leaked: u64,
    /// Accepted routes with our own network in their path.
    pub looped: u64,
    /// Accepted routes whose prefix is not for the public Internet (RFC 6890).
    pub martian: u64,
}

/// The session with one neighbour. Saved and read back at any point, it goes on as if nothing had happened: that is
/// how a recording can begin in its middle. It is small whatever the neighbour tells.
#[derive(Debug, Serialize, Deserialize)]
pub struct Session {
    settings: Settings,
    state: State,
    timers: Timers,
    jitter: Jitter,
    offer: Offer,
    /// Sessions that failed in a row.
    failures: u32,
    wanted: Wanted,
    received: Received,
    counted: Counted,
    /// Whether the neighbour announced more than it may, and is not forgiven yet.
    over_limit: bool,
    keeping: Keeping,
    /// Where we are in our own restart.
    #[serde(default)]
    restart: Restart,
    /// What stays while the neighbour restarts.
    #[serde(default)]
    retention: Retention,
    /// What a monitoring station is to be told. It is not saved: whoever goes on with the session says what to note.
    #[serde(skip)]
    notes: Notes,
    outputs: VecDeque<Output>,
    /// The time of the latest input.
    now: Timestamp,
}

impl Session {
    /// A session that is not started. `seed` decides the jitter of its timers.
    pub fn new(settings: Settings, seed: u64) -> Self {
        let keeping = Keeping::new(settings.local_asn, seed);
        Session {
            settings,
            state: State::Idle,
            timers: Timers::default(),
            jitter: Jitter::new(seed),
            offer: Offer::Full,
            failures: 0,
            wanted: Wanted::default(),
            received: Received::default(),
            counted: Counted::default(),
            over_limit: false,
            keeping,
            restart: Restart::default(),
            retention: Retention::default(),
            notes: Notes::default(),
            outputs: VecDeque::new(),
            now: Timestamp::ZERO,
        }
    }

    /// Takes one input. A driver that was held up feeds what has arrived before it feeds [`Input::Timer`], so that
    /// its own delay is not taken for the neighbour's silence.
    pub fn handle(&mut self, input: Input, now: Timestamp) {
        self.now = self.now.max(now);
        self.keeping.tidy();
        self.counted.tidy();
        match input {
            Input::Start => self.step(Stimulus::Start),
            Input::Stop { kind, text } => self.step(Stimulus::Stop(kind.notification(text.as_ref()))),
            Input::PathDown { reason } => self.step(Stimulus::PathDown(reason)),
            Input::Connected { connection, direction } => {
                self.step(Stimulus::Connected(Connection::new(connection, direction)));
            }
            Input::ConnectFailed { reason } => self.step(Stimulus::ConnectFailed(reason)),
            Input::Bytes { connection, bytes } => self.take_octets(connection, &bytes),
            Input::Written { connection, octets } => {
                if let Some(found) = self.find(connection) {
                    found.unsent = found.unsent.saturating_sub(octets);
                    self.step_on(connection, Stimulus::Written);
                }
            }
            Input::Closed { connection } => self.step_on(connection, Stimulus::Closed),
            Input::Wanted(routes) => {
                self.wanted.ask(routes, &self.settings).into_iter().for_each(|event| self.emit(event));
                self.step(Stimulus::Wanted);
            }
            Input::Reconfigured(settings) => self.step(Stimulus::Reconfigured(settings)),
            Input::TellAgain => self.step(Stimulus::TellAgain),
            Input::AskAgain => self.step(Stimulus::AskAgain),
            Input::Counted { family, count } => self.step(Stimulus::Counted(family, count)),
            Input::Restarted { forwarding } => self.restart = Restart::Begun { forwarding, decided: false },
            Input::Decided => self.decided(),
            Input::Timer => {
                while let Some(timer) = self.timers.take_expired(self.now) {
                    self.step(Stimulus::Expired(timer));
                }
                self.watch_graceful();
            }
        }
    }

    /// The next thing to do, until there is none.
    pub fn poll_output(&mut self) -> Option<Output> {
        if let Some(output) = self.outputs.pop_front() {
            return Some(output);
        }
        let State::Established(established) = &mut self.state else {
            return None;
        };
        let output = established.next_output(&mut self.notes)?;
        let (unsent, hold) = (established.connection.unsent, established.negotiated.hold_time);
        self.watch_sending(unsent, hold);
        Some(output)
    }

    /// What the session has found out and is to be told, so that a recording has it: to be fed at once, until there is
    /// none. It does nothing about what it counts before (see [`Input::Counted`]).
    pub fn poll_input(&self) -> Option<Input> {
        self.counted.poll_input()
    }

    /// When to call with [`Input::Timer`]: at once while memory is to be given back, which is done in small steps.
    pub fn deadline(&self) -> Option<Timestamp> {
        if self.keeping.is_untidy() || self.counted.is_untidy() {
            return Some(self.now);
        }
        self.timers.next().into_iter().chain(self.graceful_deadline()).min()
    }

    /// Where the state machine is.
    pub fn state(&self) -> StateName {
        self.state.name()
    }

    /// What the neighbour was told on this connection; nothing unless Established.
    pub fn told(&self) -> &RouteSet {
        match &self.state {
            State::Established(established) => established.rib_out.told(),
            State::Idle | State::Connect | State::Active | State::OpenSent(_) | State::OpenConfirm(_) => {
                &NOTHING
            }
        }
    }

    /// The families that both sides carry; none unless Established.
    pub fn families(&self) -> &BTreeSet<Family> {
        match &self.state {
            State::Established(established) => &established.negotiated.families,
            State::Idle | State::Connect | State::Active | State::OpenSent(_) | State::OpenConfirm(_) => {
                &NO_FAMILY
            }
        }
    }

    /// How many prefixes of the neighbour stand announced, in each family that has a bound; nothing unless
    /// Established.
    pub fn prefixes(&self) -> BTreeMap<Family, usize> {
        self.counted.prefixes()
    }

    /// What the neighbour has announced in the families that have a bound: what a saved session does without. Nothing
    /// unless Established.
    pub fn announced(&self) -> Announced {
        self.negotiated().map(|negotiated| self.counted.announced(negotiated)).unwrap_or_default()
    }

    /// Counts on from what was announced to the session before it was saved.
    pub fn remember(&mut self, announced: &Announced) -> Result<(), NlriError> {
        match &self.state {
            State::Established(established) => self.counted.remember(announced, &established.negotiated),
            State::Idle | State::Connect | State::Active | State::OpenSent(_) | State::OpenConfirm(_) => {
                Ok(())
            }
        }
    }

    /// What both sides of the connection can do; none unless Established.
    pub fn negotiated(&self) -> Option<&Negotiated> {
        match &self.state {
            State::Established(established) => Some(&established.negotiated),
            State::Idle | State::Connect | State::Active | State::OpenSent(_) | State::OpenConfirm(_) => None,
        }
    }

    /// What was heard so far.
    pub fn received(&self) -> Received {
        self.received
    }

    /// Keeps what is heard from now on, or no longer. It is no [`Input`]: it changes nothing that the session does.
    pub fn keep(&mut self, keep: Option<KeepReceived>) {
        self.keeping.keep(keep);
    }

    /// How much of it is kept; none if it is not to be kept.
    pub fn kept(&self) -> Option<Kept> {
        self.keeping.kept()
    }

    /// What was heard about a prefix and everything that covers it, the longest prefix first; none where nothing is
    /// kept.
    pub fn heard_about(&self, prefix: Prefix) -> Option<Vec<Heard>> {
        self.keeping.about(prefix)
    }

    /// What the operator decided.
    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    /// Octets of a stream: each message is one stimulus.
    fn take_octets(&mut self, id: ConnectionId, octets: &[u8]) {
        if let Some(connection) = self.find(id) {
            connection.framer.push(octets);
        }
        // A message may close the connection: what came behind it is lost on purpose.
        while let Some(connection) = self.find(id) {
            match connection.next_message() {
                Ok(Some(message)) => self.step_on(id, Stimulus::Message(message)),
                Ok(None) => break,
                Err(notification) => self.step_on(id, Stimulus::Malformed(notification)),
            }
        }
    }

    /// The connection of that name, if the session still has it.
    fn find(&mut self, id: ConnectionId) -> Option<&mut Connection> {
        if self.is_rival(id) {
            self.state.rival()
        } else {
            self.state.connection().filter(|main| main.id == id)
        }
    }

    fn is_rival(&mut self, id: ConnectionId) -> bool {
        self.state.rival().is_some_and(|rival| rival.id == id)
    }

    /// Something happened on a connection. One that the session has closed has nothing to say.
    fn step_on(&mut self, id: ConnectionId, stimulus: Stimulus) {
        if self.is_rival(id) {
            self.step_rival(stimulus);
        } else if self.find(id).is_some() {
            self.step(stimulus);
        }
    }

    /// Starts a timer: so long from now, less some jitter.
    fn start(&mut self, timer: Timer, duration: Duration) {
        let shortened = self.jitter.shorten(duration).max(SHORTEST_TIMER);
        self.timers.start(timer, self.now + shortened);
    }

    /// Starts a timer that the other side counts on.
    fn start_exactly(&mut self, timer: Timer, duration: Duration) {
        self.timers.start(timer, self.now + duration.max(SHORTEST_TIMER));
    }

    fn emit(&mut self, event: Event) {
        self.outputs.push_back(Output::Event(event));
    }
}

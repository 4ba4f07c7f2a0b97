//! One path to one neighbour: the state machine of RFC 5880 section 6.8.
//!
//! ```text
//!                 Stop, from anywhere                 what the other end says, or its silence
//!                        │                      ┌──────────────────────────────────────┐
//!                        ▼       Start          ▼    it says down                      │
//!                   admin-down ──────────────► down ───────────────► init ── silence, ─┤
//!                        │                      │                     │   admin-down   │
//!                        │ said for as long     │ it says init        │ it says init   │
//!                        ▼ as it may take       ▼                     ▼ or up          │
//!                      gone                     up ◄──────────────────┘                │
//!                                               └── silence, it says down or admin-down┘
//! ```
//! Only the way from up to down tells the driver that the path is lost, and not if the other end's operator asked for
//! it: admin-down says nothing about the path (RFC 5882 section 4.2).
//!
//! Silence is judged against our own delay. A driver that was held up feeds what has arrived before it feeds
//! [`Input::Timer`]. If the time without a packet is over even so, and a timer of this session was late in that time by
//! more than half of the interval between the other end's packets, the silence may be ours: nothing that sleeps hears,
//! and a machine that is paused receives nothing. Then the other end gets one and a half intervals more, once; it would
//! have sent by then.
//!
//! | file | holds |
//! |---|---|
//! | `state` | the states, and the table: state and stimulus give the next state |
//! | `reception` | what a packet does, section 6.8.6 |
//! | `transmission` | what is sent, and when, section 6.8.7 |
//! | `detection` | how long silence may last, section 6.8.4, and whose fault it is |
//! | `pace` | intervals, and how both ends agree on another one: Poll and Final, sections 6.5 and 6.8.3 |

mod detection;
mod event;
mod input;
mod pace;
mod reception;
mod settings;
mod state;
mod transmission;

pub use event::Event;
pub use input::{Input, Output};
pub use settings::Settings;
pub use state::StateName;

use crate::{Diagnostic, Discriminator, Interval};
use detection::Watch;
use pace::{Jitter, Pace, Poll};
use serde::{Deserialize, Serialize};
use state::{Next, Stimulus};
use std::collections::VecDeque;
use std::num::NonZeroU8;
use std::time::Duration;
use terms::{Reason, Timestamp};

/// How late the driver of a session was.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Lateness {
    /// The longest time that a timer waited for its driver.
    pub longest: Duration,
    /// How often silence was not taken for a dead path because of that.
    pub excused: u64,
}

/// What the other end said last. Nothing is known of it before its first packet and after a silence.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
struct Remote {
    discriminator: Discriminator,
    state: StateName,
    demand: bool,
    multiplier: NonZeroU8,
    min_tx: Interval,
    min_rx: Interval,
    heard: Timestamp,
}

/// The session that watches one path. Saved and read back at any point, it goes on as if nothing had happened: that is
/// how a planned restart carries it along.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Session {
    settings: Settings,
    discriminator: Discriminator,
    state: StateName,
    diagnostic: Diagnostic,
    remote: Option<Remote>,
    /// bfd.DesiredMinTxInterval.
    min_tx: Pace,
    /// bfd.RequiredMinRxInterval.
    min_rx: Pace,
    /// bfd.DetectMult.
    multiplier: NonZeroU8,
    /// How long a silence of ours the other end should bear, whatever the settings say.
    patience: Option<Duration>,
    poll: Poll,
    jitter: Jitter,
    /// When the latest packet was sent that was no answer to a poll.
    last_sent: Option<Timestamp>,
    /// The next periodic packet, and the interval that led there.
    next_packet: Option<(Timestamp, Interval)>,
    watch: Watch,
    /// When a stopped session has said so for long enough.
    over: Option<Timestamp>,
    lateness: Lateness,
    outputs: VecDeque<Output>,
    /// The time of the latest input.
    now: Timestamp,
}

impl Session {
    /// A session that is not started. No other session of the driver may have its discriminator; `seed` decides the
    /// jitter of its packets.
    pub fn new(settings: Settings, discriminator: Discriminator, seed: u64) -> Self {
        Session {
            settings,
            discriminator,
            state: StateName::AdminDown,
            diagnostic: Diagnostic::NONE,
            remote: None,
            min_tx: Pace::new(settings.desired_min_tx(StateName::AdminDown)),
            min_rx: Pace::new(settings.interval),
            multiplier: settings.multiplier,
            patience: None,
            poll: Poll::None,
            jitter: Jitter::new(seed),
            last_sent: None,
            next_packet: None,
            watch: Watch::default(),
            over: None,
            lateness: Lateness::default(),
            outputs: VecDeque::new(),
            now: Timestamp::ZERO,
        }
    }

    /// Takes one input. A driver that was held up feeds the packets that have arrived before it feeds
    /// [`Input::Timer`], so that its own delay is not taken for the other end's silence.
    pub fn handle(&mut self, input: Input, now: Timestamp) {
        self.now = self.now.max(now);
        match input {
            Input::Start => self.start(),
            Input::Stop => self.stop(),
            Input::Reconfigured(settings) => {
                self.settings = settings;
                self.propose();
            }
            Input::Patience(patience) => {
                self.patience = patience;
                self.propose();
            }
            Input::Packet(packet) => self.receive(&packet),
            Input::Timer => self.expire(),
        }
    }

    /// The next thing to do, until there is none.
    pub fn poll_output(&mut self) -> Option<Output> {
        self.outputs.pop_front()
    }

    /// When to call with [`Input::Timer`].
    pub fn deadline(&self) -> Option<Timestamp> {
        let packet = self.next_packet.map(|(at, _)| at);
        [packet, self.watch.deadline(), self.over].into_iter().flatten().min()
    }

    /// Where the state machine is.
    pub fn state(&self) -> StateName {
        self.state
    }

    /// Why it went down last.
    pub fn diagnostic(&self) -> Diagnostic {
        self.diagnostic
    }

    /// Our name for the session.
    pub fn discriminator(&self) -> Discriminator {
        self.discriminator
    }

    /// What the operator decided.
    pub fn settings(&self) -> Settings {
        self.settings
    }

    /// How late the driver was.
    pub fn lateness(&self) -> Lateness {
        self.lateness
    }

    /// Time between our packets before jitter; none while there is no need for any.
    pub fn transmit_interval(&self) -> Option<Duration> {
        self.periodic().map(Interval::duration)
    }

    /// How long the other end may be silent; none while it was not heard.
    pub fn detection_time(&self) -> Option<Duration> {
        self.remote.map(|remote| self.bearable(&remote))
    }

    /// How long we may send nothing, from any moment on, before the other end takes the path for lost: its detection
    /// time without the interval that has passed since our latest packet. None unless the session is up and the other
    /// end has confirmed what our packets say.
    pub fn tolerated_silence(&self) -> Option<Duration> {
        let remote = self.remote.filter(|_| self.state == StateName::Up && self.poll == Poll::None)?;
        let interval = self.min_tx.used.max(remote.min_rx).duration();
        Some(interval * u32::from(self.multiplier.get() - 1))
    }

    fn start(&mut self) {
        self.over = None;
        self.step(Stimulus::Start, || "started".into());
    }

    /// The other end is told for as long as it may take to hear it (RFC 5880 section 6.8.16).
    fn stop(&mut self) {
        if self.state == StateName::AdminDown {
            return;
        }
        self.diagnostic = Diagnostic::ADMINISTRATIVELY_DOWN;
        self.step(Stimulus::Stop, || "stopped".into());
        let interval = self.periodic().unwrap_or(Interval::SLOW).duration();
        self.over = Some(self.now + interval * u32::from(self.settings.multiplier.get()));
    }

    fn expire(&mut self) {
        self.measure_lateness();
        if self.over.is_some_and(|over| over <= self.now) {
            self.over = None;
            (self.last_sent, self.next_packet, self.remote) = (None, None, None);
            self.watch.end();
            self.outputs.push_back(Output::Gone);
            return;
        }
        self.judge_silence();
        if self.next_packet.is_some_and(|(at, _)| at <= self.now) {
            self.send(false);
        }
    }

    /// Takes the step that the table names, and answers whether it led to another state. The other end is told at once:
    /// here, unless the answer to its own packet can say it.
    fn step(&mut self, stimulus: Stimulus, reason: impl FnOnce() -> Reason) -> bool {
        let from = self.state;
        let to = match from.next(stimulus) {
            Next::Stay => return false,
            Next::Go(to) => to,
            Next::Fail(diagnostic) => {
                self.diagnostic = diagnostic;
                StateName::Down
            }
        };
        let reason = reason();
        self.state = to;
        if to == StateName::Up {
            self.outputs.push_back(Output::PathUp);
        } else if from == StateName::Up && !stimulus.is_administrative() {
            self.outputs.push_back(Output::PathDown { reason: reason.clone() });
        }
        self.outputs.push_back(Output::Event(Event::StateChanged { from, to, reason }));
        self.propose();
        if !matches!(stimulus, Stimulus::Heard(_)) {
            self.send(false);
        }
        true
    }
}

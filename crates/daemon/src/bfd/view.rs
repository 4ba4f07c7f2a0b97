//! What a session shows of itself.

use ::bfd::session::{Lateness, Session, StateName};
use api::BfdState;
use std::num::NonZeroU8;
use std::time::Duration;
use terms::{Reason, WallTime};

/// What a session shows of itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct View {
    /// Where it is.
    pub(crate) state: StateName,
    /// Since when.
    pub(crate) since: WallTime,
    /// Time between our packets before jitter; none while there are to be none.
    pub(crate) interval: Option<Duration>,
    /// So many missing packets of ours make the other end give up.
    pub(crate) multiplier: NonZeroU8,
    /// How long the other end may be silent; none while it was not heard.
    pub(crate) detection: Option<Duration>,
    /// How long we may send nothing before the other end gives up; none while it has not confirmed what we say.
    tolerated_silence: Option<Duration>,
    /// How late our own thread was.
    pub(crate) lateness: Lateness,
    /// How often the path was lost.
    pub(crate) losses: u64,
    /// What was seen when it was lost last.
    pub(crate) lost: Option<Reason>,
}

impl View {
    /// As `status` tells it.
    pub(crate) fn status(&self) -> api::Bfd {
        let micros = |duration: Duration| u64::try_from(duration.as_micros()).unwrap_or(u64::MAX);
        api::Bfd {
            state: match self.state {
                StateName::AdminDown => BfdState::AdminDown,
                StateName::Down => BfdState::Down,
                StateName::Init => BfdState::Init,
                StateName::Up => BfdState::Up,
            },
            since: self.since,
            interval_us: self.interval.map(micros),
            multiplier: self.multiplier.get(),
            detection_us: self.detection.map(micros),
            losses: self.losses,
            own_lateness_us: micros(self.lateness.longest),
            excused: self.lateness.excused,
        }
    }

    /// Whether the path is not lost by such a silence of ours: one that is not up cannot be.
    pub(crate) fn tolerates(&self, silence: Duration) -> bool {
        self.state != StateName::Up || self.tolerated_silence.is_some_and(|tolerated| tolerated >= silence)
    }

    /// What a session shows that has just begun, or goes on.
    pub(super) fn of(session: &Session, now: WallTime) -> Self {
        View {
            state: session.state(),
            since: now,
            interval: session.transmit_interval(),
            multiplier: session.settings().multiplier,
            detection: session.detection_time(),
            tolerated_silence: session.tolerated_silence(),
            lateness: session.lateness(),
            losses: 0,
            lost: None,
        }
    }

    /// What it shows now.
    pub(super) fn renew(&mut self, session: &Session, now: impl FnOnce() -> WallTime) {
        if self.state != session.state() {
            (self.state, self.since) = (session.state(), now());
        }
        self.interval = session.transmit_interval();
        self.multiplier = session.settings().multiplier;
        self.detection = session.detection_time();
        self.tolerated_silence = session.tolerated_silence();
        self.lateness = session.lateness();
    }
}

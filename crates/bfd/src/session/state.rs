//! The states, and the table of the machine (RFC 5880 sections 6.2 and 6.8.6).

use crate::Diagnostic;
use serde::{Deserialize, Serialize};
use std::fmt;

/// Where one end of a session is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum StateName {
    /// An operator does not want the session.
    AdminDown,
    /// The other end is not heard, or has just gone.
    Down,
    /// The other end is heard; whether it hears us is not known.
    Init,
    /// Both ends hear each other.
    Up,
}

/// What the table reacts to.
#[derive(Clone, Copy, Debug)]
pub(super) enum Stimulus {
    /// Our operator wants the session.
    Start,
    /// Our operator does not want it.
    Stop,
    /// The other end said where it is.
    Heard(StateName),
    /// The other end said nothing for too long.
    Silence,
}

/// What the table answers.
#[derive(Clone, Copy, Debug)]
pub(super) enum Next {
    /// Nothing changes.
    Stay,
    /// To another state.
    Go(StateName),
    /// Down, and why.
    Fail(Diagnostic),
}

impl Stimulus {
    /// Whether an operator of either end asked for it, so that it says nothing about the path.
    pub(super) fn is_administrative(self) -> bool {
        matches!(self, Stimulus::Start | Stimulus::Stop | Stimulus::Heard(StateName::AdminDown))
    }
}

impl StateName {
    /// Every state, in the order of their numbers on the wire.
    pub const ALL: [StateName; 4] = [StateName::AdminDown, StateName::Down, StateName::Init, StateName::Up];

    /// The word in status, events and metrics.
    pub fn word(self) -> &'static str {
        match self {
            StateName::AdminDown => "admin-down",
            StateName::Down => "down",
            StateName::Init => "init",
            StateName::Up => "up",
        }
    }

    /// The state of that number on the wire; of which two bits count.
    pub(crate) fn of_bits(bits: u8) -> Self {
        match bits & 3 {
            0 => StateName::AdminDown,
            1 => StateName::Down,
            2 => StateName::Init,
            _ => StateName::Up,
        }
    }

    /// Its number on the wire.
    pub(crate) fn bits(self) -> u8 {
        match self {
            StateName::AdminDown => 0,
            StateName::Down => 1,
            StateName::Init => 2,
            StateName::Up => 3,
        }
    }

    /// The table.
    pub(super) fn next(self, stimulus: Stimulus) -> Next {
        use Next::{Fail, Go, Stay};
        match (self, stimulus) {
            // Admin-down: whatever is heard is discarded.
            (StateName::AdminDown, Stimulus::Start) => Go(StateName::Down),
            (StateName::AdminDown, Stimulus::Stop | Stimulus::Heard(_) | Stimulus::Silence) => Stay,

            // Down: three messages make a session (RFC 5880 section 6.2).
            (StateName::Down, Stimulus::Stop) => Go(StateName::AdminDown),
            (StateName::Down, Stimulus::Heard(StateName::Down)) => Go(StateName::Init),
            (StateName::Down, Stimulus::Heard(StateName::Init)) => Go(StateName::Up),
            // The other end is up and has not heard yet that we are not; it will go down first.
            (StateName::Down, Stimulus::Heard(StateName::AdminDown | StateName::Up)) => Stay,
            (StateName::Down, Stimulus::Start | Stimulus::Silence) => Stay,

            // Init: does it hear us?
            (StateName::Init, Stimulus::Stop) => Go(StateName::AdminDown),
            (StateName::Init, Stimulus::Heard(StateName::Init | StateName::Up)) => Go(StateName::Up),
            (StateName::Init, Stimulus::Heard(StateName::AdminDown)) => {
                Fail(Diagnostic::NEIGHBOUR_SIGNALLED_DOWN)
            }
            (StateName::Init, Stimulus::Silence) => Fail(Diagnostic::DETECTION_TIME_EXPIRED),
            (StateName::Init, Stimulus::Start | Stimulus::Heard(StateName::Down)) => Stay,

            // Up.
            (StateName::Up, Stimulus::Stop) => Go(StateName::AdminDown),
            (StateName::Up, Stimulus::Heard(StateName::AdminDown | StateName::Down)) => {
                Fail(Diagnostic::NEIGHBOUR_SIGNALLED_DOWN)
            }
            (StateName::Up, Stimulus::Silence) => Fail(Diagnostic::DETECTION_TIME_EXPIRED),
            (StateName::Up, Stimulus::Start | Stimulus::Heard(StateName::Init | StateName::Up)) => Stay,
        }
    }
}

impl fmt::Display for StateName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.word())
    }
}

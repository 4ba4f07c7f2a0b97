//! What the part inside a world is there for.

use crate::isolate::{self, Begun};
use crate::scenario::command as scenario;
use crate::up::{self, UpError};
use serde::{Deserialize, Serialize};

/// What the part that waits hands to the part inside.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) enum Mission {
    /// Serves a world until it is to stop.
    Up(up::Mission),
    /// Plays a scenario.
    Play(scenario::Mission),
}

/// The part inside: begins as process 1 of a world and does what it was started for.
pub fn init() -> Result<(), UpError> {
    let Begun { mission, descriptors, leash } = isolate::begin::<Mission>()?;
    match mission {
        Mission::Up(mission) => up::run_inside(mission, descriptors, leash),
        Mission::Play(mission) => scenario::play(mission, descriptors, leash),
    }
}

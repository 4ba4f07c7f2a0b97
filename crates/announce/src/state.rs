//! The states of an announcement group, and the one table that says how it moves between them.
//!
//! ```text
//!            warm, nothing fails          all checks rise, warm, back-off over
//!   BOOT ───────────────────────> WARM ──────────────────────────────┐
//!                                  ^                                 v
//!                        Normal    │      first fail ┌──────────────────────────────┐
//!                                  │                 │  UP  <───── a pass ─────┐    │
//!                                 OFF                │   └── a fail ──> SUSPECT ┘    │ announced
//!                                  ^                 └──────────────────────────────┘
//!                        Withdraw  │                     │ fall fails, or          ^
//!                                  │                     v hang_after of silence   │
//!                           any state                   DOWN ──────────────────────┘
//!                                                          all checks rise, warm, back-off over
//! ```
//!
//! The table is level-triggered: it asks what holds now ([`Cause`]), not what just happened, so the order in which
//! facts arrive cannot matter. Where later work goes: a level below [`Level::Normal`] is a variant of [`Level`]; a
//! withdrawal that needs leave of the other sites is a state between `Suspect` and `Down`; a drain is a state
//! between `Up` and `Down`. The match below has no wildcard, so each of them must be given every cell.

use serde::{Deserialize, Serialize};
use std::fmt;

use crate::{CheckId, Level};

/// Where a group is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum State {
    /// Started; the service is not known to work yet.
    Boot,
    /// The service works; it has to prove itself before it is announced.
    Warm,
    /// Announced, and every check passes.
    Up,
    /// Announced, and a check has failed, but not for good.
    Suspect,
    /// Withdrawn because a check failed for good.
    Down,
    /// Withdrawn because the operator said so.
    Off,
}

/// What holds now. When several hold, the first one of this list counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Cause {
    /// The operator ordered the group withdrawn.
    Withdrawn,
    /// This check has failed for good: definite fails >= `fall`, or silence >= `hang_after`.
    Failed(CheckId),
    /// This check has failed since it last passed, but not for good.
    Doubtful(CheckId),
    /// No check fails, but the start-up gate is shut.
    Cold,
    /// Warm, but this check has not passed `rise` times in a row, or says nothing any more.
    Rising(CheckId),
    /// Everything is well, but the back-off of the last failure is not over.
    Waiting,
    /// Everything is well.
    Proven,
}

impl State {
    /// Where the group goes from here while `cause` holds; itself when it stays.
    pub(crate) fn next(self, cause: Cause) -> State {
        use Cause::{Cold, Doubtful, Failed, Proven, Rising, Waiting, Withdrawn};
        use State::{Boot, Down, Off, Suspect, Up, Warm};
        match (self, cause) {
            (Boot | Warm | Up | Suspect | Down | Off, Withdrawn) => Off,

            (Boot, Failed(_) | Doubtful(_) | Cold) => Boot,
            (Boot, Rising(_) | Waiting | Proven) => Warm,

            (Warm, Failed(_) | Doubtful(_) | Cold | Rising(_) | Waiting) => Warm,
            (Warm, Proven) => Up,

            (Up | Suspect, Failed(_)) => Down,
            (Up | Suspect, Doubtful(_)) => Suspect,
            (Up | Suspect, Cold | Rising(_) | Waiting | Proven) => Up,

            (Down, Failed(_) | Doubtful(_) | Cold | Rising(_) | Waiting) => Down,
            (Down, Proven) => Up,

            (Off, Failed(_) | Doubtful(_) | Cold | Rising(_) | Waiting | Proven) => Warm,
        }
    }

    /// How strongly a group in this state is announced.
    pub fn level(self) -> Level {
        match self {
            State::Boot | State::Warm | State::Down | State::Off => Level::None,
            State::Up | State::Suspect => Level::Normal,
        }
    }

    /// Its name in lower case, as the API and the metrics say it.
    pub fn name(self) -> &'static str {
        match self {
            State::Boot => "boot",
            State::Warm => "warm",
            State::Up => "up",
            State::Suspect => "suspect",
            State::Down => "down",
            State::Off => "off",
        }
    }
}

impl fmt::Display for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const STATES: [State; 6] = [State::Boot, State::Warm, State::Up, State::Suspect, State::Down, State::Off];
    const CHECK: CheckId = CheckId(0);
    const CAUSES: [Cause; 7] = [
        Cause::Withdrawn,
        Cause::Failed(CHECK),
        Cause::Doubtful(CHECK),
        Cause::Cold,
        Cause::Rising(CHECK),
        Cause::Waiting,
        Cause::Proven,
    ];

    #[test]
    fn the_whole_table() {
        let heads = CAUSES.map(|cause| format!("{cause:?}").replace("(CheckId(0))", ""));
        let mut table = format!("{:9}{:8}", "state", "output");
        table.extend(heads.iter().map(|head| format!("{head:10}")));
        for state in STATES {
            table += &format!("\n{state:9}{:8}", state.level());
            for next in CAUSES.map(|cause| state.next(cause)) {
                table += &format!("{:10}", if next == state { "·" } else { next.name() });
            }
        }
        insta::assert_snapshot!(table);
    }

    #[test]
    fn no_cause_leads_in_a_circle() {
        for cause in CAUSES {
            for start in STATES {
                let end = (0..STATES.len()).fold(start, |state, _| state.next(cause));
                assert_eq!(end.next(cause), end, "{start} under {cause:?}");
            }
        }
    }
}

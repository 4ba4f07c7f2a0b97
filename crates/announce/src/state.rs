//! The states of an announcement group, and the one table that says how it moves between them.
//!
//! ```text
//!                                            every check rises,
//!   NONE      BOOT ──── warm ────> WARM ───── back-off over ─────> UP
//!                                   ^
//!             OFF ───── Normal ─────┘     (to OFF from any state: Withdraw, with the permit or overriding the guard)
//!   - - - - - - - - - - - - - - - - - - - - - - - - - - - - - - - - - - - - - - - - - - -
//!                              a fail: ask for the permit
//!   NORMAL       ┌────────> UP <──────────────────────────────> SUSPECT
//!   or DEPREF    │          │ ^              a pass                │
//!                │   Drain, │ │                            failed, │
//!         Normal │   permit │ └────── every check rises ──┐  no    │
//!                │          v                             │  permit v
//!   GSHUT        └──────── DRAIN                          └──── HELD, alarm
//!                           │                                     │
//!   - - - - - - - - - - - - │ - - - - - - - - - - - - - - - - - - │ - - - - - - - - - - -
//!                           │ T_drain over,                       │ permit,
//!                           v or few are left                     v still failed
//!   NONE                   DOWN <─────────────────────────────────┴─ UP, SUSPECT, DRAIN: failed, permit
//!                           └──── every check rises, back-off over, Normal ────> UP
//! ```
//!
//! The table is level-triggered: it asks what holds now ([`Cause`]), not what just happened, so the order in which
//! facts arrive cannot matter. The match below has no wildcard, so whoever adds a state or a cause gives every cell.
//! What the state means for the neighbours is said by [`output`].

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
    /// Announced, and nothing fails.
    Up,
    /// Announced, and a check has failed, but not for good.
    Suspect,
    /// Failed for good, and still announced, least preferred: the fleet does not permit to withdraw.
    Held,
    /// Announced, least preferred, so that users leave before it is withdrawn: the operator said so.
    Drain,
    /// Withdrawn because a check failed for good, or because it was drained.
    Down,
    /// Withdrawn because the operator said so.
    Off,
}

/// What holds now. When several hold, the first one of this list counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Cause {
    /// The operator ordered that nothing changes.
    Frozen,
    /// The operator ordered the group withdrawn, and it may be.
    Withdrawn,
    /// The operator ordered the group announced whatever the checks say, and the start-up gate is open.
    Forced,
    /// This check has failed for good (definite fails >= `fall`, or silence >= `hang_after`), and the group may be
    /// withdrawn.
    Failed(CheckId),
    /// This check has failed for good, and the group may not be withdrawn.
    Unpermitted(CheckId),
    /// The operator ordered the group drained, and it may be.
    Draining,
    /// The drain is over: time is up, or nobody is left.
    Drained,
    /// This check has failed since it last passed, but not for good.
    Doubtful(CheckId),
    /// Nothing fails, but the start-up gate is shut.
    Cold,
    /// Warm, but this check has not passed `rise` times in a row, or says nothing any more.
    Rising(CheckId),
    /// Everything is well, but there is an order that cannot be carried out yet.
    Ordered,
    /// Everything is well, but the back-off of the last failure is not over.
    Waiting,
    /// Everything is well.
    Proven,
}

impl State {
    /// Where the group goes from here while `cause` holds; itself when it stays.
    pub(crate) fn next(self, cause: Cause) -> State {
        use Cause::{
            Cold, Doubtful, Drained, Draining, Failed, Forced, Frozen, Ordered, Proven, Rising, Unpermitted,
            Waiting, Withdrawn,
        };
        use State::{Boot, Down, Drain, Held, Off, Suspect, Up, Warm};
        match (self, cause) {
            (Boot | Warm | Up | Suspect | Held | Drain | Down | Off, Frozen) => self,
            (Boot | Warm | Up | Suspect | Held | Drain | Down | Off, Withdrawn) => Off,

            (Boot, Failed(_) | Unpermitted(_) | Draining | Drained | Doubtful(_) | Cold) => Boot,
            (Boot, Forced | Rising(_) | Ordered | Waiting | Proven) => Warm,

            (Warm, Forced | Proven) => Up,
            (Warm, Failed(_) | Unpermitted(_) | Draining | Drained | Doubtful(_) | Cold) => Warm,
            (Warm, Rising(_) | Ordered | Waiting) => Warm,

            (Up | Suspect, Failed(_)) => Down,
            (Up | Suspect, Unpermitted(_)) => Held,
            (Up | Suspect, Draining | Drained) => Drain,
            (Up | Suspect, Doubtful(_)) => Suspect,
            (Up | Suspect, Forced | Cold | Rising(_) | Ordered | Waiting | Proven) => Up,

            (Held, Failed(_)) => Down,
            (Held, Draining | Drained) => Drain,
            (Held, Unpermitted(_) | Doubtful(_) | Cold | Rising(_)) => Held,
            (Held, Forced | Ordered | Waiting | Proven) => Up,

            (Drain, Failed(_) | Drained) => Down,
            (Drain, Unpermitted(_)) => Held,
            (Drain, Draining) => Drain,
            (Drain, Doubtful(_)) => Suspect,
            (Drain, Forced | Cold | Rising(_) | Ordered | Waiting | Proven) => Up,

            (Down, Forced | Proven) => Up,
            (Down, Failed(_) | Unpermitted(_) | Draining | Drained | Doubtful(_) | Cold) => Down,
            (Down, Rising(_) | Ordered | Waiting) => Down,

            (Off, Draining | Drained) => Off,
            (Off, Forced | Failed(_) | Unpermitted(_) | Doubtful(_) | Cold) => Warm,
            (Off, Rising(_) | Ordered | Waiting | Proven) => Warm,
        }
    }

    /// How strongly a group in this state is announced when nothing speaks against it.
    fn level(self) -> Level {
        match self {
            State::Boot | State::Warm | State::Down | State::Off => Level::None,
            State::Held | State::Drain => Level::Gshut,
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
            State::Held => "held",
            State::Drain => "drain",
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

/// What bends the level of a state, and never decides about being announced at all.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Modifiers {
    /// The operator ordered that it stays at this.
    pub(crate) frozen: Option<Level>,
    /// Something that other sites share has failed.
    pub(crate) dependency_lost: bool,
    /// Nobody watches the group, and the settings say to prefer it less then.
    pub(crate) unwatched: bool,
}

/// How strongly a group in this state is announced.
pub(crate) fn output(state: State, modifiers: Modifiers) -> Level {
    match modifiers {
        Modifiers { frozen: Some(level), .. } => level,
        Modifiers { dependency_lost: true, .. } | Modifiers { unwatched: true, .. } => {
            state.level().min(Level::Depref)
        }
        Modifiers { frozen: None, dependency_lost: false, unwatched: false } => state.level(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const STATES: [State; 8] = [
        State::Boot,
        State::Warm,
        State::Up,
        State::Suspect,
        State::Held,
        State::Drain,
        State::Down,
        State::Off,
    ];
    const CHECK: CheckId = CheckId(0);
    const CAUSES: [Cause; 13] = [
        Cause::Frozen,
        Cause::Withdrawn,
        Cause::Forced,
        Cause::Failed(CHECK),
        Cause::Unpermitted(CHECK),
        Cause::Draining,
        Cause::Drained,
        Cause::Doubtful(CHECK),
        Cause::Cold,
        Cause::Rising(CHECK),
        Cause::Ordered,
        Cause::Waiting,
        Cause::Proven,
    ];

    #[test]
    fn the_whole_table() {
        let heads = CAUSES.map(|cause| format!("{cause:?}").replace("(CheckId(0))", ""));
        let mut table = format!("{:8}{:8}{:8}", "state", "output", "limited");
        table.extend(heads.iter().map(|head| format!("{head:12}")));
        for state in STATES {
            let limited = output(state, Modifiers { dependency_lost: true, ..Modifiers::default() });
            table += &format!("\n{state:8}{:8}{limited:8}", output(state, Modifiers::default()));
            for next in CAUSES.map(|cause| state.next(cause)) {
                table += &format!("{:12}", if next == state { "·" } else { next.name() });
            }
        }
        let lines: Vec<&str> = table.lines().map(str::trim_end).collect();
        insta::assert_snapshot!(lines.join("\n"));
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

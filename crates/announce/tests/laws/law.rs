//! The laws as judges of what a subject did.

mod level;
mod same;
mod time;

use crate::reading::{Reading, read};
use crate::script::Script;
use crate::subject::{Step, Subject};

/// One law, by its number.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Law {
    P1,
    P2,
    P3,
    P5,
    P6,
    P7,
    P8,
    P9,
    P10,
    P11,
    P12,
    P13,
    P14,
    P15,
}

/// What was done against the law.
pub type Violation = String;

impl Law {
    /// All that one group at one site can keep or break by itself. P4 is a law of the whole fleet.
    pub const ALL: [Law; 14] = [
        Law::P1,
        Law::P2,
        Law::P3,
        Law::P5,
        Law::P6,
        Law::P7,
        Law::P8,
        Law::P9,
        Law::P10,
        Law::P11,
        Law::P12,
        Law::P13,
        Law::P14,
        Law::P15,
    ];

    pub fn judge(self, subject: &Subject, script: &Script) -> Result<(), Violation> {
        match self {
            Law::P1 => each_step(subject, script, level::leaving_none_is_earned),
            Law::P2 => each_step(subject, script, level::only_failures_and_orders_lower),
            Law::P3 => each_step(subject, script, level::a_failed_group_withdraws_at_once),
            Law::P5 => level::what_is_shared_withdraws_nothing(subject, script),
            Law::P6 => time::a_drain_takes_its_time(subject, &subject.run(script)),
            Law::P7 => time::backoff_is_served(subject, &subject.run(script)),
            Law::P8 => same::a_replay_does_the_same(subject, script),
            Law::P9 => same::a_start_announces_nothing(&subject.run(script)),
            Law::P10 => each_step(subject, script, level::a_step_announces_once),
            Law::P11 => level::less_than_a_pass_never_raises(subject, script),
            Law::P12 => same::a_reload_of_the_same_changes_nothing(subject, script),
            Law::P13 => time::peers_are_told_again(subject, &subject.run(script)),
            Law::P14 => time::a_suspend_changes_nothing(subject, script),
            Law::P15 => each_step(subject, script, level::no_permit_no_withdrawal_and_the_well_return),
        }
    }
}

fn law(holds: bool, violation: impl FnOnce() -> Violation) -> Result<(), Violation> {
    if holds { Ok(()) } else { Err(violation()) }
}

/// Judges each step of a run by what holds after it.
fn each_step(
    subject: &Subject,
    script: &Script,
    judge: fn(&Subject, &Step, &Reading) -> Result<(), Violation>,
) -> Result<(), Violation> {
    let trace = subject.run(script);
    let steps = read(subject, &trace);
    steps.iter().enumerate().try_for_each(|(index, (step, reading))| {
        judge(subject, step, reading).map_err(|what| format!("{what} at step {index}: {:?}", step.input))
    })
}

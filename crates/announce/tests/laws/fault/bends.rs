//! What a mistake makes of what a machine is told, does or is.

use announce::{
    Action, Alarm, CheckId, CheckSettings, Condition, Event, Input, Intent, Level, Machine, Readback,
    Settings, Warmth,
};
use serde_json::Value;
use std::sync::atomic::{AtomicU32, Ordering};
use terms::{Timestamp, Verdict};

use crate::script::{INTERVAL, definite, order};

pub(super) fn each_check(mut settings: Settings, bend: fn(&mut CheckSettings)) -> Settings {
    settings.checks.iter_mut().for_each(bend);
    settings
}

pub(super) fn is_unknown(input: &Input) -> bool {
    matches!(input, Input::Check { verdict: Verdict::Indeterminate { .. }, .. })
}

pub(super) fn replace_unknown(input: Input, by: Verdict) -> Input {
    match input {
        Input::Check { check, verdict: Verdict::Indeterminate { .. } } => Input::Check { check, verdict: by },
        other => other,
    }
}

pub(super) fn unknown_passes_twice(input: Input, at: Timestamp) -> Vec<(Timestamp, Input)> {
    let count = if is_unknown(&input) { 2 } else { 1 };
    vec![(at, replace_unknown(input, Verdict::Pass)); count]
}

pub(super) fn open_gate(input: Input) -> Input {
    match input {
        Input::Warmth(_) => {
            let open = || Condition::met("never mind");
            Input::Warmth(Warmth { ready: open(), address: open(), self_query: open() })
        }
        other => other,
    }
}

pub(super) fn when_blind(mut actions: Vec<Action>, level: Level) -> Vec<Action> {
    let is_blind =
        |action: &Action| matches!(action, Action::Event(Event::Raised { alarm: Alarm::Blind(_), .. }));
    if actions.iter().any(is_blind) {
        actions.push(Action::Announce(level));
    }
    actions
}

pub(super) fn announced_when_forced(mut actions: Vec<Action>, level: Level) -> Vec<Action> {
    let is_forced =
        |action: &Action| matches!(action, Action::Event(Event::Raised { alarm: Alarm::Forced, .. }));
    if level == Level::None && actions.iter().any(is_forced) {
        actions.push(Action::Announce(Level::Normal));
    }
    actions
}

pub(super) fn at_least_normal(mut actions: Vec<Action>) -> Vec<Action> {
    for action in &mut actions {
        if *action == Action::Announce(Level::Depref) {
            *action = Action::Announce(Level::Normal);
        }
    }
    actions
}

pub(super) fn in_two_steps(mut actions: Vec<Action>) -> Vec<Action> {
    if let Some(place) = actions.iter().position(|action| *action == Action::Announce(Level::None)) {
        actions.insert(place, Action::Announce(Level::Gshut));
    }
    actions
}

pub(super) fn unless(is_lost: fn(&Input) -> bool, input: Input, at: Timestamp) -> Vec<(Timestamp, Input)> {
    if is_lost(&input) { Vec::new() } else { vec![(at, input)] }
}

pub(super) fn is_freeze(input: &Input) -> bool {
    matches!(input, Input::Intent(Intent::Freeze(_)))
}

pub(super) fn not_overriding(input: Input) -> Input {
    match input {
        Input::Intent(Intent::Withdraw { order, override_guard: _ }) => {
            Input::Intent(Intent::Withdraw { order, override_guard: false })
        }
        other => other,
    }
}

pub(super) fn withdrawn_by_overload(input: Input, at: Timestamp) -> Vec<(Timestamp, Input)> {
    match input {
        Input::Overload(true) => {
            let withdraw = Intent::Withdraw { order: order(), override_guard: true };
            vec![(at, input), (at, Input::Intent(withdraw))]
        }
        other => vec![(at, other)],
    }
}

pub(super) fn all_agree(input: Input) -> Input {
    match input {
        Input::Told(Readback::Differs { .. }) => Input::Told(Readback::Agrees),
        other => other,
    }
}

pub(super) fn new_checks_fail(machine: &mut Machine, settings: Settings, now: Timestamp) {
    let known = machine.settings().checks.len();
    machine.reconfigure(settings, now);
    for new in known..machine.settings().checks.len() {
        for round in 0..4 {
            let input = Input::Check { check: CheckId(new), verdict: definite() };
            machine.handle(input, now + INTERVAL * round);
        }
    }
}

pub(super) fn without(mut actions: Vec<Action>, unwanted: &Action) -> Vec<Action> {
    actions.retain(|action| action != unwanted);
    actions
}

pub(super) fn drawn_by_lot(input: Input, _: Timestamp, at: Timestamp) -> Vec<(Timestamp, Input)> {
    static LOTS: AtomicU32 = AtomicU32::new(0);
    let is_lost = LOTS.fetch_add(1, Ordering::Relaxed).is_multiple_of(7);
    if is_lost { Vec::new() } else { vec![(at, input)] }
}

/// A long gap before a result of a check is filled with what "must have happened" in it.
pub(super) fn gap_filled(
    verdict: Verdict,
    input: Input,
    before: Timestamp,
    at: Timestamp,
) -> Vec<(Timestamp, Input)> {
    let Input::Check { check, .. } = input else { return vec![(at, input)] };
    let missed = (1..20).map(|round| before + INTERVAL * round).take_while(|&missed| missed < at).skip(10);
    let missed = missed.map(|missed| (missed, Input::Check { check, verdict: verdict.clone() }));
    missed.chain([(at, input.clone())]).collect()
}

pub(super) fn with(mut saved: Value, pointer: &str, value: Value) -> Value {
    if let Some(place) = saved.pointer_mut(pointer) {
        *place = value;
    }
    saved
}

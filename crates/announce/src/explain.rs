//! The rows of "why": where the group is, what is missing for it to be announced, and how every check stands.

use terms::Timestamp;

use crate::tally::Standing;
use crate::words::{back_off, no_leave, span, standings};
use crate::{Fold, Intent, Level, Machine, State};

/// The rows, the most important first.
pub(crate) fn explain(machine: &Machine, now: Timestamp) -> Vec<String> {
    let mut rows = vec![format!(
        "{} is {} (announced: {}) for {}: {}",
        machine.settings.group,
        machine.state(),
        machine.level(),
        span(now.since(machine.since())),
        machine.reason()
    )];
    rows.extend(ordered(machine));
    rows.extend(drain(machine, now));
    if machine.level() == Level::None {
        rows.extend(missing(machine, now).into_iter().map(|what| format!("missing: {what}")));
    } else if let Some(at) = machine.damping.forgiven_at(&machine.settings.backoff) {
        let failures = machine.damping.failures();
        rows.push(format!("earlier failures: {failures}, forgotten in {}", span(at.since(now))));
    }
    rows.extend(needed(machine));
    rows.extend(standings(machine, now).map(|words| format!("check: {words}")));
    rows.extend(machine.alarms(now).iter().map(|words| format!("alarm: {words}")));
    rows
}

/// An order that is not carried out yet.
fn ordered(machine: &Machine) -> Option<String> {
    let waits = match machine.intent {
        Intent::Drain(_) | Intent::Withdraw { override_guard: false, .. } => !machine.may_withdraw(),
        Intent::Normal
        | Intent::Withdraw { override_guard: true, .. }
        | Intent::Freeze(_)
        | Intent::ForceAnnounce(_) => false,
    };
    waits.then(|| format!("waits: {}; {}", machine.intent, no_leave(machine)))
}

fn drain(machine: &Machine, now: Timestamp) -> Option<String> {
    let over = match machine.drained_at() {
        Some(at) => format!("over in {}", span(at.since(now))),
        None if machine.state() == State::Drain => {
            format!("not over before the permit is back: {}", no_leave(machine))
        }
        None => return None,
    };
    let allowed = machine.settings.drain.connections;
    let left = machine.connections.map(|left| format!(", {left} connections left, {allowed} may be cut"));
    Some(format!("drain: {over}{}", left.unwrap_or_default()))
}

/// How many services must be well, where that is not every one.
fn needed(machine: &Machine) -> Option<String> {
    match machine.settings.fold {
        Fold::All => None,
        Fold::Any => Some("needed: one service that is well".to_owned()),
        Fold::AtLeast(services) => Some(format!("needed: {services} services that are well")),
    }
}

/// Everything that keeps the group from being announced.
fn missing(machine: &Machine, now: Timestamp) -> Vec<String> {
    let mut missing = Vec::new();
    match &machine.intent {
        Intent::Normal | Intent::ForceAnnounce(_) => {}
        order @ (Intent::Drain(_) | Intent::Withdraw { .. } | Intent::Freeze(_)) => {
            missing.push(format!("leave of the operator: {order}"));
        }
    }
    for (what, condition) in machine.warmth.conditions().into_iter().filter(|(_, condition)| !condition.met) {
        missing.push(format!("{what}: {}", condition.words));
    }
    if let Intent::ForceAnnounce(_) = machine.intent {
        return missing;
    }
    for (_, check, tally) in machine.health.local(&machine.settings) {
        let passes = match tally.standing {
            Standing::Passing { run } => run,
            Standing::Failing(_) => 0,
        };
        if passes < check.rise.get() {
            missing.push(format!("{check}: {passes} of {} passes in a row", check.rise));
        } else if tally.blind {
            missing.push(format!("{check}: a new result"));
        }
    }
    if now < machine.damping.not_before() {
        let failures = machine.damping.failures();
        missing.push(format!("end of back-off {failures}: in {}", span(back_off(machine, now))));
    }
    missing
}

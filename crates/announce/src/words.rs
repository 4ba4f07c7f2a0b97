//! The English of the decision, once: why the group moved, what stands as an alarm, and the rows of `explain`.

use std::time::Duration;
use terms::{Reason, Timestamp, Verdict};

use crate::state::Cause;
use crate::tally::{Fails, Standing, Tally};
use crate::{CheckId, CheckSettings, Intent, Level, Machine, State};

/// Why the group went from `from` to where it is now.
pub(crate) fn reason(machine: &Machine, from: State, cause: Cause, now: Timestamp) -> Reason {
    Reason::from(match (from, cause) {
        (_, Cause::Withdrawn) => ordered(&machine.intent),
        (State::Off, _) => "the order to withdraw was lifted".to_owned(),
        (State::Boot, _) => gate(machine),
        (State::Warm | State::Down, _) => format!("proven: {}", join(standings(machine, now))),
        (State::Up | State::Suspect, Cause::Failed(check)) => {
            format!("{}; back-off {}", standing_of(machine, check, now), span(back_off(machine, now)))
        }
        (State::Up | State::Suspect, Cause::Doubtful(check)) => standing_of(machine, check, now),
        (State::Up | State::Suspect, Cause::Cold | Cause::Rising(_) | Cause::Waiting | Cause::Proven) => {
            "every check passes again".to_owned()
        }
    })
}

/// The sentence of an alarm.
pub(crate) fn blind(check: &CheckSettings, tally: &Tally, now: Timestamp) -> Reason {
    let silent = span(now.since(tally.seen_at));
    Reason::from(match &tally.last {
        Some(Verdict::Indeterminate { reason }) => format!("{check} could not run for {silent}: {reason}"),
        Some(Verdict::Pass | Verdict::Fail { .. }) | None => format!("{check} gave no result for {silent}"),
    })
}

/// The rows of "why": where the group is, what is missing for it to be announced, and how every check stands.
pub(crate) fn explain(machine: &Machine, now: Timestamp) -> Vec<String> {
    let mut rows = vec![format!(
        "{} is {} (announced: {}) for {}: {}",
        machine.settings.group,
        machine.state(),
        machine.level(),
        span(now.since(machine.since())),
        machine.reason()
    )];
    if machine.level() == Level::None {
        rows.extend(missing(machine, now).into_iter().map(|what| format!("missing: {what}")));
    } else if let Some(at) = machine.damping.forgiven_at(&machine.settings.backoff) {
        let failures = machine.damping.memory().failures;
        rows.push(format!("earlier failures: {failures}, forgotten in {}", span(at.since(now))));
    }
    rows.extend(standings(machine, now).map(|words| format!("check: {words}")));
    rows.extend(machine.alarms(now).iter().map(|words| format!("alarm: {words}")));
    rows
}

/// Everything that keeps the group from being announced.
fn missing(machine: &Machine, now: Timestamp) -> Vec<String> {
    let mut missing = Vec::new();
    if let Intent::Withdraw { .. } = machine.intent {
        missing.push(format!("leave of the operator: {}", ordered(&machine.intent)));
    }
    for (what, condition) in machine.warmth.conditions().into_iter().filter(|(_, condition)| !condition.met) {
        missing.push(format!("{what}: {}", condition.words));
    }
    for (_, check, tally) in machine.health.each(&machine.settings) {
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
        let failures = machine.damping.memory().failures;
        missing.push(format!("end of back-off {failures}: in {}", span(back_off(machine, now))));
    }
    missing
}

fn ordered(intent: &Intent) -> String {
    match intent {
        Intent::Normal => "nothing ordered".to_owned(),
        Intent::Withdraw { who, reason } => format!("{who} ordered to withdraw: {reason}"),
    }
}

fn gate(machine: &Machine) -> String {
    join(machine.warmth.conditions().map(|(what, condition)| format!("{what} ({})", condition.words)))
}

fn back_off(machine: &Machine, now: Timestamp) -> Duration {
    machine.damping.not_before().since(now)
}

fn standings(machine: &Machine, now: Timestamp) -> impl Iterator<Item = String> {
    machine.health.each(&machine.settings).map(move |(_, check, tally)| standing(check, tally, now))
}

fn standing_of(machine: &Machine, check: CheckId, now: Timestamp) -> String {
    machine
        .health
        .each(&machine.settings)
        .find(|(id, _, _)| *id == check)
        .map_or_else(String::new, |(_, check, tally)| standing(check, tally, now))
}

/// How one check stands, in one sentence: what was seen, how often, since when.
fn standing(check: &CheckSettings, tally: &Tally, now: Timestamp) -> String {
    let last = match &tally.last {
        None => ", not run yet".to_owned(),
        Some(Verdict::Pass) => String::new(),
        Some(Verdict::Fail { reason, .. }) => format!(": {reason}"),
        Some(Verdict::Indeterminate { reason }) => format!(", the last run could not be made: {reason}"),
    };
    match tally.standing {
        Standing::Passing { run } => format!("{check} passed {run} in a row{last}"),
        Standing::Failing(fails) => format!("{check} failed {}{last}", fails_in_words(&fails, now)),
    }
}

fn fails_in_words(fails: &Fails, now: Timestamp) -> String {
    let count = match fails.run {
        1 => "once".to_owned(),
        run => format!("{run} times in {}", span(now.since(fails.since))),
    };
    let silence = match fails.silence {
        Some(silence) if !silence.is_zero() => format!(", silent for {}", span(silence)),
        Some(_) | None => String::new(),
    };
    format!("{count}{silence}")
}

fn join(words: impl IntoIterator<Item = String>) -> String {
    words.into_iter().collect::<Vec<_>>().join(", ")
}

/// A duration to read at a glance.
fn span(duration: Duration) -> String {
    match duration.as_secs() {
        0 => format!("{} ms", duration.as_millis()),
        1..10 => format!("{:.1} s", duration.as_secs_f64()),
        seconds @ 10..600 => format!("{seconds} s"),
        seconds @ 600..36_000 => format!("{} min", seconds / 60),
        seconds => format!("{} h", seconds / 3600),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_duration_reads_at_a_glance() {
        let read = |millis| span(Duration::from_millis(millis));
        assert_eq!([0, 250, 1_049, 9_900].map(read), ["0 ms", "250 ms", "1.0 s", "9.9 s"]);
        assert_eq!([10_999, 601_000, 36_000_000].map(read), ["10 s", "10 min", "10 h"]);
    }
}

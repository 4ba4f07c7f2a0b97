//! The English of the decision, once: why the group moved, what an alarm says, and how a check stands.

use std::time::Duration;
use terms::{Reason, Timestamp, Verdict};

use crate::health::Finding;
use crate::reconcile::Reconciliation;
use crate::state::Cause;
use crate::tally::{Fails, Standing, Tally};
use crate::{Alarm, CheckId, CheckSettings, Fold, Machine, State};

/// Why the group went from `from`, where it was for so long, to where it is now.
pub(crate) fn reason(
    machine: &Machine,
    from: State,
    lasted: Duration,
    cause: Cause,
    now: Timestamp,
) -> Reason {
    Reason::from(match (from, cause) {
        (_, Cause::Withdrawn | Cause::Forced | Cause::Draining) => machine.intent.to_string(),
        (State::Drain, Cause::Drained) => drained(machine, lasted),
        (_, Cause::Failed(check)) => {
            format!("{}; back-off {}", failure(machine, check, now), span(back_off(machine, now)))
        }
        (_, Cause::Unpermitted(check)) => {
            format!("{}; {}", failure(machine, check, now), no_leave(machine))
        }
        (State::Off, _) => "the order to withdraw was lifted".to_owned(),
        (State::Drain, Cause::Doubtful(check)) => {
            format!("the order to drain was lifted; {}", standing_of(machine, check, now))
        }
        (State::Drain, _) => "the order to drain was lifted".to_owned(),
        (State::Boot, _) => gate(machine),
        (_, Cause::Doubtful(check)) => standing_of(machine, check, now),
        (State::Warm | State::Down | State::Held, _) => format!("proven: {}", join(passing(machine, now))),
        (State::Up | State::Suspect, _) => "every check passes again".to_owned(),
    })
}

/// The sentence of an alarm.
pub(crate) fn alarm(machine: &Machine, alarm: Alarm, now: Timestamp) -> Reason {
    match alarm {
        Alarm::Held => machine.reason().clone(),
        Alarm::Frozen => Reason::from(match machine.health.finding(&machine.settings) {
            Finding::Failed(check) => format!(
                "{}; it stays {}, although {}",
                machine.intent,
                machine.level(),
                failure(machine, check, now)
            ),
            Finding::Doubtful(_) | Finding::Rising(_) | Finding::Proven => {
                format!("{}; it stays {}", machine.intent, machine.level())
            }
        }),
        Alarm::Forced => Reason::from(machine.intent.to_string()),
        Alarm::Overloaded => {
            Reason::from("more load than the site can answer; silence of a check counts as nothing")
        }
        Alarm::Differs => Reason::from(match &machine.peers {
            Reconciliation::Differ { peers, resends, .. } => {
                let names = join(peers.iter().map(ToString::to_string));
                format!("{names} told something else than {}, re-sent {resends} times", machine.level())
            }
            Reconciliation::Unknown | Reconciliation::Agree => String::new(),
        }),
        Alarm::Blind(check) => of_check(machine, check, |check, tally| silence(check, tally, now)),
        Alarm::DependencyLost(check) => of_check(machine, check, |check, tally| standing(check, tally, now)),
    }
}

/// What is well again.
pub(crate) fn cleared(machine: &Machine, alarm: Alarm) -> Reason {
    match alarm {
        Alarm::Held => machine.reason().clone(),
        Alarm::Frozen | Alarm::Forced => Reason::from(machine.intent.to_string()),
        Alarm::Overloaded => Reason::from("the load is what the site can answer"),
        Alarm::Differs => Reason::from(match machine.peers {
            Reconciliation::Agree => "every peer was told what is decided",
            Reconciliation::Unknown | Reconciliation::Differ { .. } => "the decision has changed since",
        }),
        Alarm::Blind(check) => of_check(machine, check, |check, _| format!("{check} reports again")),
        Alarm::DependencyLost(check) => {
            of_check(machine, check, |check, _| format!("{check} passed {} in a row", check.rise))
        }
    }
}

/// What a check that failed for good has seen, and what that means where not every service must be well.
pub(crate) fn failure(machine: &Machine, check: CheckId, now: Timestamp) -> String {
    let standing = standing_of(machine, check, now);
    let needed = match machine.settings.fold {
        Fold::All => return standing,
        Fold::Any => 1,
        Fold::AtLeast(services) => services.get(),
    };
    let services = machine.health.services(&machine.settings);
    let failed = services.iter().filter(|(_, finding)| matches!(finding, Finding::Failed(_))).count();
    format!("{standing}; {failed} of {} services failed, {needed} must be well", services.len())
}

/// Why the group may not be withdrawn.
pub(crate) fn no_leave(machine: &Machine) -> &'static str {
    if machine.settings.never_withdraw {
        "the site file says that it is never withdrawn"
    } else {
        "the fleet has not permitted to withdraw"
    }
}

fn drained(machine: &Machine, lasted: Duration) -> String {
    let lasted = span(lasted);
    match machine.connections {
        Some(left) => format!("drained for {lasted}, {left} connections left"),
        None => format!("drained for {lasted}"),
    }
}

fn gate(machine: &Machine) -> String {
    join(machine.warmth.conditions().map(|(what, condition)| format!("{what} ({})", condition.words)))
}

pub(crate) fn back_off(machine: &Machine, now: Timestamp) -> Duration {
    machine.damping.not_before().since(now)
}

fn silence(check: &CheckSettings, tally: &Tally, now: Timestamp) -> String {
    let silent = span(now.since(tally.seen_at));
    match &tally.last {
        Some(Verdict::Indeterminate { reason }) => format!("{check} could not run for {silent}: {reason}"),
        Some(Verdict::Pass | Verdict::Fail { .. }) | None => format!("{check} gave no result for {silent}"),
    }
}

fn of_check(
    machine: &Machine,
    wanted: CheckId,
    words: impl FnOnce(&CheckSettings, &Tally) -> String,
) -> Reason {
    let mut checks = machine.health.each(&machine.settings);
    Reason::from(
        checks
            .find(|(id, _, _)| *id == wanted)
            .map_or_else(String::new, |(_, check, tally)| words(check, tally)),
    )
}

pub(crate) fn standings(machine: &Machine, now: Timestamp) -> impl Iterator<Item = String> {
    machine.health.each(&machine.settings).map(move |(_, check, tally)| standing(check, tally, now))
}

fn standing_of(machine: &Machine, check: CheckId, now: Timestamp) -> String {
    of_check(machine, check, |check, tally| standing(check, tally, now)).into()
}

/// How the checks stand that speak for the group.
fn passing(machine: &Machine, now: Timestamp) -> impl Iterator<Item = String> {
    let local = machine.health.local(&machine.settings);
    local
        .filter(|(_, check, tally)| matches!(tally.standing, Standing::Passing { run } if run >= check.rise.get()))
        .map(move |(_, check, tally)| standing(check, tally, now))
}

/// How one check stands, in one sentence: what was seen, how often, since when.
fn standing(check: &CheckSettings, tally: &Tally, now: Timestamp) -> String {
    let last = match &tally.last {
        None => return format!("{check} was not run yet"),
        Some(Verdict::Pass) => String::new(),
        Some(Verdict::Fail { reason, .. }) => format!(": {reason}"),
        Some(Verdict::Indeterminate { reason }) => format!(", the last run could not be made: {reason}"),
    };
    match tally.standing {
        Standing::Passing { run: 0 } => format!("{check} found nothing{last}"),
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
pub(crate) fn span(duration: Duration) -> String {
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

//! The laws as judges of what a subject did.

use announce::{Action, Backoff, CheckId, Input, Intent, Level, Memory, State};
use std::time::Duration;
use terms::{FailKind, Timestamp, Verdict};

use crate::script::{INTERVAL, Moment, Script, definite, millis, timeout, unknown};
use crate::subject::{Saving, Step, Subject, Trace};

/// One law, by its number.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Law {
    P1,
    P2,
    P3,
    P7,
    P8,
    P9,
    P11,
    P14,
}

/// What was done against the law.
pub type Violation = String;

impl Law {
    pub const ALL: [Law; 8] = [Law::P1, Law::P2, Law::P3, Law::P7, Law::P8, Law::P9, Law::P11, Law::P14];

    pub fn judge(self, subject: &Subject, script: &Script) -> Result<(), Violation> {
        match self {
            Law::P1 => leaving_none_is_earned(subject, &subject.run(script)),
            Law::P2 => only_failures_and_orders_withdraw(subject, &subject.run(script)),
            Law::P3 => a_failed_check_withdraws_at_once(subject, &subject.run(script)),
            Law::P7 => backoff_is_served(subject, &subject.run(script)),
            Law::P8 => a_replay_does_the_same(subject, script),
            Law::P9 => a_start_announces_nothing(&subject.run(script)),
            Law::P11 => less_than_a_pass_never_raises(subject, script),
            Law::P14 => a_suspend_changes_nothing(subject, script),
        }
    }
}

fn law(holds: bool, violation: impl FnOnce() -> Violation) -> Result<(), Violation> {
    if holds { Ok(()) } else { Err(violation()) }
}

/// Results of one check up to and with a step, the latest first, and when they came.
fn results(history: &[Step], wanted: CheckId) -> impl Iterator<Item = (Timestamp, &Verdict)> {
    history.iter().rev().filter_map(move |step| match &step.input {
        Input::Check { check, verdict } if *check == wanted => Some((step.at, verdict)),
        Input::Check { .. } | Input::Warmth(_) | Input::Intent(_) | Input::Timer => None,
    })
}

fn checks(subject: &Subject) -> impl Iterator<Item = CheckId> {
    (0..subject.settings.checks.len()).map(CheckId)
}

fn is_fail(input: &Input) -> bool {
    matches!(input, Input::Check { verdict: Verdict::Fail { .. }, .. })
}

fn is_order(input: &Input) -> bool {
    matches!(input, Input::Intent(Intent::Withdraw { .. }))
}

fn leaving_none_is_earned(subject: &Subject, trace: &Trace) -> Result<(), Violation> {
    for (index, step) in trace.steps.iter().enumerate() {
        if step.level_before > Level::None || step.level == Level::None {
            continue;
        }
        let history = &trace.steps[..=index];
        for id in checks(subject) {
            let rise = subject.settings.checks[id.0].rise.get() as usize;
            let passes = results(history, id).take_while(|(_, verdict)| **verdict == Verdict::Pass).count();
            law(passes >= rise, || {
                format!("announced at step {index} after {passes} of {rise} passes of {id:?}")
            })?;
        }
        let warmth = history.iter().rev().find_map(|step| match &step.input {
            Input::Warmth(warmth) => Some(warmth),
            _ => None,
        });
        let is_warm =
            warmth.is_some_and(|warmth| warmth.ready.met && warmth.address.met && warmth.self_query.met);
        law(is_warm, || format!("announced cold at step {index}"))?;
        let ordered_off = history.iter().rev().find_map(|step| match &step.input {
            Input::Intent(intent) => Some(*intent != Intent::Normal),
            _ => None,
        });
        law(ordered_off != Some(true), || format!("announced against an order at step {index}"))?;
    }
    Ok(())
}

/// Sharper than P2 says it: a step that withdraws was given an order, or the fail that makes a check fail for good.
fn only_failures_and_orders_withdraw(subject: &Subject, trace: &Trace) -> Result<(), Violation> {
    for (index, step) in trace.steps.iter().enumerate().filter(|(_, step)| step.level < step.level_before) {
        let failed = || checks(subject).any(|id| has_failed(subject, &trace.steps[..=index], id));
        let is_right = is_order(&step.input) || (is_fail(&step.input) && failed());
        law(is_right, || format!("withdrawn at step {index} by {:?}", step.input))?;
    }
    Ok(())
}

/// Whether the results since the last pass are a failure for good: `fall` definite fails, each half an interval
/// after the one before that counts, or silence that was watched for `hang_after`.
fn has_failed(subject: &Subject, history: &[Step], id: CheckId) -> bool {
    let check = &subject.settings.checks[id.0];
    let mut since_pass: Vec<_> =
        results(history, id).take_while(|(_, verdict)| **verdict != Verdict::Pass).collect();
    since_pass.reverse();
    let (mut definite, mut counted) = (0, None::<Timestamp>);
    let (mut timed_out, mut silence, mut before) = (false, Duration::ZERO, None::<Timestamp>);
    for (at, verdict) in since_pass {
        let silent_since = before.take();
        match verdict {
            Verdict::Fail { kind: FailKind::Definite, .. } => {
                if counted.is_none_or(|counted| at.since(counted) >= check.interval / 2) {
                    (definite, counted) = (definite + 1, Some(at));
                }
            }
            Verdict::Fail { kind: FailKind::Timeout, .. } => {
                silence += silent_since.map_or(Duration::ZERO, |since| at.since(since).min(check.interval));
                (timed_out, before) = (true, Some(at));
            }
            Verdict::Pass | Verdict::Indeterminate { .. } => {}
        }
    }
    definite >= check.fall.get() || (timed_out && silence >= check.hang_after)
}

fn a_failed_check_withdraws_at_once(subject: &Subject, trace: &Trace) -> Result<(), Violation> {
    for (index, step) in trace.steps.iter().enumerate().filter(|(_, step)| step.level > Level::None) {
        let failed = checks(subject).find(|&id| has_failed(subject, &trace.steps[..=index], id));
        law(failed.is_none(), || {
            format!("announced at step {index} ({:?}) with {failed:?} failed", step.input)
        })?;
    }
    Ok(())
}

fn backoff_is_served(subject: &Subject, trace: &Trace) -> Result<(), Violation> {
    let Backoff { base, cap, forgiven_after } = subject.settings.backoff;
    let (mut failures, mut earliest, mut up_since) =
        (u64::from(subject.memory.failures), Timestamp::ZERO, Timestamp::ZERO);
    let mut told = Level::None;
    for step in &trace.steps {
        for action in &step.actions {
            if let Action::Announce(level) = action {
                law(*level != told, || format!("told {level} twice"))?;
                told = *level;
            }
        }
        if step.level_before > Level::None && step.at.since(up_since) >= forgiven_after {
            failures = 0;
        }
        if step.level > step.level_before {
            law(step.at >= earliest, || format!("failure {failures} cost too little: {:?}", step.at))?;
            up_since = step.at;
        }
        if step.level < step.level_before && is_fail(&step.input) {
            failures += 1;
            let doublings = u32::try_from(failures - 1).unwrap_or(u32::MAX).min(31);
            earliest = step.at + base.saturating_mul(1 << doublings).min(cap);
            let kept = Action::Remember(Memory { failures: u32::try_from(failures).unwrap_or(u32::MAX) });
            law(step.actions.contains(&kept), || format!("failure {failures} is not to be remembered"))?;
        }
    }
    Ok(())
}

fn a_replay_does_the_same(subject: &Subject, script: &Script) -> Result<(), Violation> {
    let first = subject.run(script);
    law(subject.run(script) == first, || "a second run did something else".to_owned())?;
    law(subject.run_saving(script, Saving::EveryStep) == first, || "saving changed what was done".to_owned())
}

fn a_start_announces_nothing(trace: &Trace) -> Result<(), Violation> {
    law(trace.begins_with.is_empty(), || format!("a start did {:?}", trace.begins_with))
}

fn less_than_a_pass_never_raises(subject: &Subject, script: &Script) -> Result<(), Violation> {
    let mut specimen = subject.start();
    for Moment { at, input, slept } in script {
        if !slept {
            specimen.timers_until(*at, Saving::Never);
        }
        let before = specimen.clone();
        let with_pass = specimen.step(input.clone(), *at, Saving::Never);
        let Input::Check { check, verdict: Verdict::Pass } = *input else { continue };
        for verdict in [definite(), timeout(), unknown()] {
            let without = before.clone().step(Input::Check { check, verdict }, *at, Saving::Never);
            law(without.level <= with_pass.level, || format!("more by {:?} than by a pass", without.input))?;
        }
    }
    Ok(())
}

/// Every round a full interval after the one before, so that a jump cannot make two results further apart in a way
/// that counts. Then one jump where the group is announced; from there to the next failure nothing may differ, but
/// that a group which is withdrawn is not announced while the alarm stands that nobody watches.
fn a_suspend_changes_nothing(subject: &Subject, script: &Script) -> Result<(), Violation> {
    let steady: Script = (1..).zip(script).map(|(round, moment)| steady(round, moment)).collect();
    let awake = subject.run(&steady);
    let announced = awake.steps.iter().filter(|step| step.level > Level::None).filter_map(|step| step.moment);
    announced.step_by(7).take(3).try_for_each(|moment| a_suspend_after(moment, subject, &steady, &awake))
}

fn a_suspend_after(
    jump_after: usize,
    subject: &Subject,
    steady: &Script,
    awake: &Trace,
) -> Result<(), Violation> {
    let mut suspended = steady.clone();
    for (index, moment) in suspended.iter_mut().enumerate().skip(jump_after + 1) {
        moment.at = moment.at + millis(3_600_000);
        moment.slept = index == jump_after + 1;
    }
    let asleep = subject.run(&suspended);
    let in_script = |trace: &Trace| -> Vec<Step> {
        trace.steps.iter().filter(|step| step.moment > Some(jump_after)).cloned().collect()
    };
    for (awake, asleep) in in_script(awake).iter().zip(&in_script(&asleep)) {
        if asleep.alarms == 0 || asleep.level > Level::None {
            let same = (awake.state, awake.level) == (asleep.state, asleep.level);
            law(same, || format!("{} without a suspend, {} with it", awake.state, asleep.state))?;
        }
        law(asleep.level <= awake.level, || "a suspend raised the level".to_owned())?;
        if awake.state == State::Down {
            break;
        }
    }
    Ok(())
}

fn steady(round: u32, moment: &Moment) -> Moment {
    Moment { at: Timestamp::ZERO + INTERVAL * round, input: moment.input.clone(), slept: false }
}

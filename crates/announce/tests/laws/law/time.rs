//! Laws about how long something lasts.

use announce::{Action, Alarm, BlindPolicy, Event, Input, Intent, Level, Memory, Readback, State};
use terms::Timestamp;

use super::{Violation, law};
use crate::reading::read;
use crate::script::{INTERVAL, Moment, Script, World, millis};
use crate::subject::{Step, Subject, Trace};

/// P6.
pub fn a_drain_takes_its_time(subject: &Subject, trace: &Trace) -> Result<(), Violation> {
    let drain = subject.settings.drain;
    let mut since = None::<Timestamp>;
    for (index, (step, reading)) in read(subject, trace).iter().enumerate() {
        let ordered = matches!(reading.intent, Intent::Drain(_));
        let began = since.filter(|_| step.state_before == State::Drain).unwrap_or(step.at);
        let lasted = step.at.since(began);
        let few = reading.connections.is_some_and(|left| left <= drain.connections);
        let is_over = lasted >= drain.at_least || (few && lasted >= drain.convergence);
        let may = reading.permitted && !subject.settings.never_withdraw;

        let is_withdrawn = step.level == Level::None && step.level_before > Level::None;
        law(!(ordered && is_withdrawn && !reading.failed) || is_over, || {
            format!("withdrawn at step {index} after a drain of {lasted:?}")
        })?;
        let drains = ordered && may && !reading.failed && step.level_before > Level::None;
        law(!drains || step.level == if is_over { Level::None } else { Level::Gshut }, || {
            format!("{} at step {index} after a drain of {lasted:?}", step.level)
        })?;
        let is_cancelled = reading.is_normal() && step.state_before == State::Drain && !reading.failed;
        law(!is_cancelled || step.level >= Level::Depref, || {
            format!("{} at step {index}, although the drain was called off", step.level)
        })?;
        since = (step.state == State::Drain).then_some(began);
    }
    Ok(())
}

/// P7.
pub fn backoff_is_served(subject: &Subject, trace: &Trace) -> Result<(), Violation> {
    let mut told = Level::None;
    let mut not_before = Timestamp::ZERO + subject.memory.back_off_left.min(subject.settings.backoff.cap);
    for (step, reading) in read(subject, trace) {
        for action in &step.actions {
            if let Action::Announce(level) = action {
                law(*level != told, || format!("told {level} twice"))?;
                told = *level;
            }
        }
        let returns = step.level > Level::None && step.level_before == Level::None;
        law(!returns || reading.is_forced() || step.at >= not_before, || {
            format!("failure {} cost too little: {:?}", reading.failures, step.at)
        })?;
        not_before = reading.not_before;
        if reading.charged {
            let failures = u32::try_from(reading.failures).unwrap_or(u32::MAX);
            let kept = Action::Remember(Memory { failures, back_off_left: not_before.since(step.at) });
            law(step.actions.contains(&kept), || format!("failure {failures} is not to be remembered"))?;
        }
    }
    Ok(())
}

/// P13.
pub fn peers_are_told_again(subject: &Subject, trace: &Trace) -> Result<(), Violation> {
    let reconcile = subject.settings.reconcile;
    let (mut waits_since, mut resends) = (None::<Timestamp>, 0);
    for (index, (step, reading)) in read(subject, trace).iter().enumerate() {
        let resent = step.actions.contains(&Action::Resend);
        let is_due = waits_since.is_some_and(|since| step.at.since(since) >= reconcile.every);
        law(!resent || is_due, || format!("re-sent at step {index} for nothing"))?;
        let Some(since) = reading.differs_since else {
            (waits_since, resends) = (None, 0);
            continue;
        };
        law(resent || !is_due, || format!("not re-sent at step {index}"))?;
        if resent {
            (waits_since, resends) = (Some(step.at), resends + 1);
        }
        waits_since = waits_since.or(Some(since));
        let is_raised =
            |action: &Action| matches!(action, Action::Event(Event::Raised { alarm: Alarm::Differs, .. }));
        let is_time = resent && resends == reconcile.alarm_after;
        law(!is_time || step.actions.iter().any(is_raised), || format!("no alarm at step {index}"))?;
    }
    Ok(())
}

/// P14. Every round a full interval after the one before, so that a jump cannot make two results further apart in a
/// way that counts, and no drain, which is a matter of time by itself. The peers know every level at once: a group that
/// is announced less preferred tells them something else, and what they say to that is no matter of time (a permit is
/// given back only once they agree). Then one jump where the group is announced and has not failed. For as long as that
/// lasts nothing may differ, but that it is announced less preferred if the settings say so, while the alarm stands
/// that nobody watches. What comes after may: a back-off is over sooner, and who is blind does not return.
pub fn a_suspend_changes_nothing(subject: &Subject, script: &Script) -> Result<(), Violation> {
    let subject = &Subject { world: World { reads_back: true, ..subject.world }, ..subject.clone() };
    let steady: Script = (1..).zip(script).map(|(round, moment)| steady(round, moment)).collect();
    let awake = subject.run(&steady);
    let announced = awake.moments().into_iter().filter(|(_, step)| is_announced_and_well(step));
    announced.step_by(7).take(3).try_for_each(|(moment, _)| a_suspend_after(moment, subject, &steady, &awake))
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
    let bends = subject.settings.blind == BlindPolicy::Deprefer;
    let (awake, asleep) = (awake.moments(), asleep.moments());
    for (awake, asleep) in awake.values().zip(asleep.values()).skip(jump_after + 1) {
        let same = (awake.state, awake.level > Level::None) == (asleep.state, asleep.level > Level::None);
        law(same, || format!("{} without a suspend, {} with it", awake.state, asleep.state))?;
        let is_same_level = awake.level == asleep.level || asleep.blind > 0;
        law(bends || is_same_level, || {
            format!("{} without a suspend, {} with it", awake.level, asleep.level)
        })?;
        law(bends || asleep.level <= awake.level, || "a suspend raised the level".to_owned())?;
        if !is_announced_and_well(awake) {
            break;
        }
    }
    Ok(())
}

fn is_announced_and_well(step: &Step) -> bool {
    step.level > Level::None && step.state != State::Held
}

fn steady(round: u32, moment: &Moment) -> Moment {
    let input = match &moment.input {
        Input::Intent(Intent::Drain(_)) => Input::Intent(Intent::Normal),
        Input::Told(_) => Input::Told(Readback::Agrees),
        other => other.clone(),
    };
    Moment { at: Timestamp::ZERO + INTERVAL * round, input, slept: false }
}

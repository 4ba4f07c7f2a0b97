//! Laws about how strongly a step announces.

use announce::{Action, Input, Intent, Level, Scope};
use terms::Verdict;

use super::{Violation, each_step, law};
use crate::reading::Reading;
use crate::script::{Moment, Script, World, definite, timeout, unknown};
use crate::subject::{Extra, Step, Subject, Trace};

/// P1.
pub fn leaving_none_is_earned(_: &Subject, step: &Step, reading: &Reading) -> Result<(), Violation> {
    if step.level_before > Level::None || step.level == Level::None {
        return Ok(());
    }
    law(reading.warm, || "announced cold".to_owned())?;
    law(reading.is_forced() || reading.risen, || "announced after too few passes".to_owned())?;
    law(reading.is_forced() || reading.is_normal(), || "announced against an order".to_owned())
}

/// P2, sharper than it says it: a step that lowers the level has a reason for exactly that.
pub fn only_failures_and_orders_lower(
    subject: &Subject,
    step: &Step,
    reading: &Reading,
) -> Result<(), Violation> {
    if reading.is_frozen() {
        return law(step.level == step.level_before, || "changed although frozen".to_owned());
    }
    let failed = reading.failed && !reading.is_forced();
    let leaves = matches!(reading.intent, Intent::Drain(_) | Intent::Withdraw { .. });
    let is_right = step.level >= step.level_before
        || match step.level {
            Level::None | Level::Gshut => failed || leaves,
            Level::Depref => reading.dependency_lost || reading.unwatched,
            Level::Normal => false,
        };
    law(is_right, || format!("lowered to {} without a reason", step.level))?;
    law(!reading.is_withdrawn(&subject.settings) || step.level == Level::None, || {
        "announced against an order to withdraw".to_owned()
    })
}

/// P3.
pub fn a_failed_group_withdraws_at_once(
    subject: &Subject,
    step: &Step,
    reading: &Reading,
) -> Result<(), Violation> {
    let decides = !reading.is_frozen() && !reading.is_forced();
    let may = reading.permitted && !subject.settings.never_withdraw;
    law(!(decides && may && reading.failed) || step.level == Level::None, || {
        format!("announced {} although failed and permitted", step.level)
    })
}

/// P5. Also compares with a run in which every shared dependency is always well: whether the group is announced must
/// not differ anywhere.
pub fn what_is_shared_withdraws_nothing(subject: &Subject, script: &Script) -> Result<(), Violation> {
    each_step(subject, script, |_, step, reading| {
        law(!reading.dependency_lost || reading.is_frozen() || step.level <= Level::Depref, || {
            format!("{} although a dependency is lost", step.level)
        })?;
        let by_itself = matches!(step.input, Input::Overload(_) | Input::Timer);
        law(!(by_itself && step.level_before >= Level::Depref) || step.level >= Level::Depref, || {
            format!("lowered to {} by nobody", step.level)
        })
    })?;
    // What the fleet and the peers say would come at other times in the other run.
    let is_own = |moment: &&Moment| !matches!(moment.input, Input::Permit(_) | Input::Told(_));
    let script: Script = script.iter().filter(is_own).cloned().collect();
    let alone = Subject { world: World::KIND, ..subject.clone() };
    let well = script
        .iter()
        .map(|moment| Moment { input: without_dependencies(subject, &moment.input), ..moment.clone() });
    let announced = |trace: &Trace| -> Vec<bool> {
        trace.moments().values().map(|step| step.level > Level::None).collect()
    };
    let differs = announced(&alone.run(&script)) != announced(&alone.run(&well.collect()));
    law(!differs, || "a dependency decided whether the group is announced".to_owned())
}

fn without_dependencies(subject: &Subject, input: &Input) -> Input {
    match input {
        Input::Check { check, .. } if subject.settings.checks[check.0].scope == Scope::Dependency => {
            Input::Check { check: *check, verdict: Verdict::Pass }
        }
        other => other.clone(),
    }
}

/// P10: the level holds for all prefixes of the group, so one action changes all of them.
pub fn a_step_announces_once(_: &Subject, step: &Step, _: &Reading) -> Result<(), Violation> {
    let told = step.actions.iter().filter(|action| matches!(action, Action::Announce(_))).count();
    law(told <= 1, || format!("{told} levels in one step"))?;
    let first_told = step.actions.iter().position(|action| matches!(action, Action::Event(_)));
    let changes = |action: &Action| matches!(action, Action::Announce(_) | Action::Resend);
    let last_change = step.actions.iter().rposition(changes);
    law(last_change.is_none() || first_told.is_none() || last_change < first_told, || {
        "people were told before the peers".to_owned()
    })
}

/// P11.
pub fn less_than_a_pass_never_raises(subject: &Subject, script: &Script) -> Result<(), Violation> {
    let mut specimen = subject.start();
    for Moment { at, input, slept } in script {
        if !slept {
            specimen.timers_until(*at, Extra::Nothing);
        }
        if let Input::Check { check, verdict: Verdict::Pass } = *input {
            let with_pass = specimen.clone().step(input.clone(), *at, Extra::Nothing);
            for verdict in [definite(), timeout(), unknown()] {
                let without = specimen.clone().step(Input::Check { check, verdict }, *at, Extra::Nothing);
                law(without.level <= with_pass.level, || {
                    format!("more by {:?} than by a pass", without.input)
                })?;
            }
        }
        specimen.answered(input.clone(), *at, Extra::Nothing);
    }
    Ok(())
}

/// P15, as far as one site can keep it: without a permit it stays announced; and when it is well and nothing is
/// ordered, it is announced as strongly as its dependencies allow. The back-off is P7's to judge.
pub fn no_permit_no_withdrawal_and_the_well_return(
    subject: &Subject,
    step: &Step,
    reading: &Reading,
) -> Result<(), Violation> {
    let overridden = matches!(reading.intent, Intent::Withdraw { override_guard: true, .. });
    let may = overridden || (reading.permitted && !subject.settings.never_withdraw);
    law(may || step.level > Level::None || step.level_before == Level::None, || {
        "withdrawn without a permit".to_owned()
    })?;
    law(!reading.asked_too_soon, || "asked for the permit before the last one was gone".to_owned())?;
    let is_well = reading.proven && reading.warm && reading.is_normal();
    law(!is_well || step.level != Level::Gshut, || "well, and still least preferred".to_owned())?;
    let expected = if reading.dependency_lost || reading.unwatched { Level::Depref } else { Level::Normal };
    let is_due = is_well && step.at >= reading.not_before;
    law(!is_due || step.level >= expected, || format!("well, and announced {}", step.level))
}

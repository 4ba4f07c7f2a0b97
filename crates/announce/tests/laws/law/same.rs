//! Laws about what changes nothing.

use announce::{CheckSettings, Settings};

use super::{Violation, law};
use crate::script::Script;
use crate::subject::{Extra, Subject, Trace};

/// P8.
pub fn a_replay_does_the_same(subject: &Subject, script: &Script) -> Result<(), Violation> {
    let first = subject.run(script);
    law(subject.run(script) == first, || "a second run did something else".to_owned())?;
    law(subject.run_with(script, Extra::Saving) == first, || "saving changed what was done".to_owned())
}

/// P9.
pub fn a_start_announces_nothing(trace: &Trace) -> Result<(), Violation> {
    law(trace.begins_with.is_empty(), || format!("a start did {:?}", trace.begins_with))
}

/// Other settings are tried at one moment of so many.
const RELOAD_EVERY: usize = 5;

/// P12. And one more check, or the same checks in another order, change no level at once.
pub fn a_reload_of_the_same_changes_nothing(subject: &Subject, script: &Script) -> Result<(), Violation> {
    let first = subject.run(script);
    law(subject.run_with(script, Extra::Reload) == first, || {
        "a reload of the same changed something".to_owned()
    })?;
    let mut specimen = subject.start();
    for (index, moment) in script.iter().enumerate() {
        specimen.answered(moment.input.clone(), moment.at, Extra::Nothing);
        if !index.is_multiple_of(RELOAD_EVERY) {
            continue;
        }
        let (before, after) = specimen.reconfigured(&with_one_more(&subject.settings));
        law(after.level() >= before, || "a check withdrew by being new".to_owned())?;
        let mut turned = subject.settings.clone();
        turned.checks.reverse();
        let (before, after) = specimen.reconfigured(&turned);
        law(after.level() == before, || "another order of the checks changed the level".to_owned())?;
    }
    Ok(())
}

fn with_one_more(settings: &Settings) -> Settings {
    let new = settings.checks.first().map(|check| CheckSettings { name: "new".to_owned(), ..check.clone() });
    let checks = settings.checks.iter().cloned().chain(new).collect();
    Settings { checks, ..settings.clone() }
}

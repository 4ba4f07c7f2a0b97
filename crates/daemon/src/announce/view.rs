//! What the decision loop shows of a group. What each peer was told, and what was ordered, others fill in.

use super::group::{Beside, Group};
use announce::{CheckId, Level, State};
use terms::{Prefix, Timestamp, Verdict};

/// The state in the words of the API.
pub(crate) fn state(state: State) -> api::GroupState {
    match state {
        State::Boot => api::GroupState::Boot,
        State::Warm => api::GroupState::Warm,
        State::Up => api::GroupState::Up,
        State::Suspect => api::GroupState::Suspect,
        State::Held => api::GroupState::Held,
        State::Drain => api::GroupState::Drain,
        State::Down => api::GroupState::Down,
        State::Off => api::GroupState::Off,
    }
}

/// The level in the words of the API.
pub(crate) fn output(level: Level) -> api::Output {
    match level {
        Level::None => api::Output::None,
        Level::Gshut => api::Output::Gshut,
        Level::Depref => api::Output::Depref,
        Level::Normal => api::Output::Normal,
    }
}

/// The result in the words of the API.
pub(super) fn result(verdict: &Verdict) -> api::CheckResult {
    match verdict {
        Verdict::Pass => api::CheckResult::Pass,
        Verdict::Fail { .. } => api::CheckResult::Fail,
        Verdict::Indeterminate { .. } => api::CheckResult::Indeterminate,
    }
}

/// A group that is announced at `level`.
pub(super) fn group(group: &Group, beside: &Beside, level: Level, now: Timestamp) -> api::Group {
    let machine = &group.machine;
    let prefix = |&prefix: &Prefix| api::PrefixStatus { prefix, peers: Vec::new() };
    api::Group {
        name: group.name().clone(),
        services: group.services.clone(),
        state: state(machine.state()),
        output: output(level),
        since: beside.since.1,
        reason: machine.reason().clone(),
        intent: api::Intent::default(),
        alarms: machine.alarms(now),
        prefixes: group.prefixes.iter().map(prefix).collect(),
        checks: (0..)
            .map(CheckId)
            .zip(machine.checks())
            .map(|(id, check)| api::Check {
                service: check.settings.service.clone(),
                name: check.settings.name.clone(),
                last: check.last.map(result),
                run: check.run,
                reason: check.last.and_then(Verdict::reason).cloned(),
                seen: beside.seen.get(&id).cloned(),
            })
            .collect(),
    }
}

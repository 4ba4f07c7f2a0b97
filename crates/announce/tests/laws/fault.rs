//! Mistakes that the laws must notice.

mod bends;

use announce::{Action, Fold, Input, Intent, Level, Machine, Memory, Permit, Scope, Settings};
use bends::*;
use serde_json::{Value, json};
use std::num::NonZeroU32;
use std::time::Duration;
use terms::{Timestamp, Verdict};

use crate::law::Law;
use crate::script::{definite, timeout};

/// One mistake, and the law that must notice it.
pub struct Fault {
    pub what: &'static str,
    pub law: Law,
    pub seams: Seams,
}

/// Where a machine touches the world. A fault replaces one of these.
#[derive(Clone, Copy, Debug)]
pub struct Seams {
    /// The settings it gets.
    pub settings: fn(Settings) -> Settings,
    /// The memory it gets.
    pub memory: fn(Memory) -> Memory,
    /// What is done before it was told anything, after these failures.
    pub start: fn(Memory) -> Vec<Action>,
    /// What it is told, and when, in place of an input at the second time; the first is that of the input before.
    pub input: fn(Input, Timestamp, Timestamp) -> Vec<(Timestamp, Input)>,
    /// What is done in place of its actions, at this level.
    pub actions: fn(Vec<Action>, Level) -> Vec<Action>,
    /// What is saved of it.
    pub saved: fn(Value) -> Value,
    /// How it is given other settings.
    pub reload: fn(&mut Machine, Settings, Timestamp),
}

/// Nothing is bent.
pub const SOUND: Seams = Seams {
    settings: |settings| settings,
    memory: |memory| memory,
    start: |_| Vec::new(),
    input: |input, _, at| vec![(at, input)],
    actions: |actions, _| actions,
    saved: |saved| saved,
    reload: Machine::reconfigure,
};

pub const FAULTS: [Fault; 52] = [
    Fault {
        what: "one pass is taken for enough",
        law: Law::P1,
        seams: Seams {
            settings: |settings| each_check(settings, |check| check.rise = NonZeroU32::MIN),
            ..SOUND
        },
    },
    Fault {
        what: "a check that could not run is taken for a pass",
        law: Law::P1,
        seams: Seams { input: |input, _, at| vec![(at, replace_unknown(input, Verdict::Pass))], ..SOUND },
    },
    Fault {
        what: "a check that could not run is overlooked in a run of passes",
        law: Law::P1,
        seams: Seams {
            input: |input, _, at| if is_unknown(&input) { vec![] } else { vec![(at, input)] },
            ..SOUND
        },
    },
    Fault {
        what: "the start-up gate is not looked at",
        law: Law::P1,
        seams: Seams { input: |input, _, at| vec![(at, open_gate(input))], ..SOUND },
    },
    Fault {
        what: "an order to withdraw is not heard",
        law: Law::P1,
        seams: Seams {
            input: |input, _, at| if let Input::Intent(_) = input { vec![] } else { vec![(at, input)] },
            ..SOUND
        },
    },
    Fault {
        what: "what is forced is announced cold",
        law: Law::P1,
        seams: Seams { actions: |actions, level| announced_when_forced(actions, level), ..SOUND },
    },
    Fault {
        what: "an order to freeze is not heard",
        law: Law::P2,
        seams: Seams { input: |input, _, at| unless(is_freeze, input, at), ..SOUND },
    },
    Fault {
        what: "an order that overrides the guard waits for the permit",
        law: Law::P2,
        seams: Seams { input: |input, _, at| vec![(at, not_overriding(input))], ..SOUND },
    },
    Fault {
        what: "one service that fails is taken for all of them",
        law: Law::P2,
        seams: Seams { settings: |settings| Settings { fold: Fold::All, ..settings }, ..SOUND },
    },
    Fault {
        what: "silence under overload is taken for ill health",
        law: Law::P2,
        seams: Seams {
            input: |input, _, at| unless(|input| matches!(input, Input::Overload(_)), input, at),
            ..SOUND
        },
    },
    Fault {
        what: "a check that could not run is taken for a fail",
        law: Law::P2,
        seams: Seams { input: |input, _, at| vec![(at, replace_unknown(input, definite()))], ..SOUND },
    },
    Fault {
        what: "the alarm that nobody watches withdraws",
        law: Law::P2,
        seams: Seams { actions: |actions, _| when_blind(actions, Level::None), ..SOUND },
    },
    Fault {
        what: "one fail is taken for enough",
        law: Law::P2,
        seams: Seams {
            settings: |settings| each_check(settings, |check| check.fall = NonZeroU32::MIN),
            ..SOUND
        },
    },
    Fault {
        what: "two fails close together are taken for two observations",
        law: Law::P2,
        seams: Seams { settings: |settings| each_check(settings, |check| check.interval /= 5), ..SOUND },
    },
    Fault {
        what: "one fail too many is waited for",
        law: Law::P3,
        seams: Seams {
            settings: |settings| each_check(settings, |check| check.fall = check.fall.saturating_add(1)),
            ..SOUND
        },
    },
    Fault {
        what: "silence is never enough",
        law: Law::P3,
        seams: Seams {
            settings: |settings| each_check(settings, |check| check.hang_after = Duration::MAX),
            ..SOUND
        },
    },
    Fault {
        what: "a withdrawal gets lost",
        law: Law::P3,
        seams: Seams { actions: |actions, _| without(actions, &Action::Announce(Level::None)), ..SOUND },
    },
    Fault {
        what: "a permit that arrives is not heard",
        law: Law::P3,
        seams: Seams {
            input: |input, _, at| unless(|input| matches!(input, Input::Permit(_)), input, at),
            ..SOUND
        },
    },
    Fault {
        what: "one service that is well is taken for enough",
        law: Law::P3,
        seams: Seams { settings: |settings| Settings { fold: Fold::Any, ..settings }, ..SOUND },
    },
    Fault {
        what: "a dependency withdraws",
        law: Law::P5,
        seams: Seams {
            settings: |settings| each_check(settings, |check| check.scope = Scope::Local),
            ..SOUND
        },
    },
    Fault {
        what: "a lost dependency is overlooked",
        law: Law::P5,
        seams: Seams { actions: |actions, _| at_least_normal(actions), ..SOUND },
    },
    Fault {
        what: "overload withdraws",
        law: Law::P5,
        seams: Seams { input: |input, _, at| withdrawn_by_overload(input, at), ..SOUND },
    },
    Fault {
        what: "a group that nobody watches is shut",
        law: Law::P5,
        seams: Seams { actions: |actions, _| when_blind(actions, Level::Gshut), ..SOUND },
    },
    Fault {
        what: "a drain is over as soon as it begins",
        law: Law::P6,
        seams: Seams {
            settings: |mut settings| {
                settings.drain.at_least = Duration::ZERO;
                settings
            },
            ..SOUND
        },
    },
    Fault {
        what: "a drain does not wait until other networks have heard of it",
        law: Law::P6,
        seams: Seams {
            settings: |mut settings| {
                settings.drain.convergence = Duration::ZERO;
                settings
            },
            ..SOUND
        },
    },
    Fault {
        what: "a drain never ends",
        law: Law::P6,
        seams: Seams {
            settings: |mut settings| {
                settings.drain.at_least = Duration::MAX;
                settings
            },
            ..SOUND
        },
    },
    Fault {
        what: "a drain cannot be called off",
        law: Law::P6,
        seams: Seams {
            input: |input, _, at| unless(|input| *input == Input::Intent(Intent::Normal), input, at),
            ..SOUND
        },
    },
    Fault {
        what: "every failure costs the same",
        law: Law::P7,
        seams: Seams {
            settings: |mut settings| {
                settings.backoff.cap = settings.backoff.base;
                settings
            },
            ..SOUND
        },
    },
    Fault {
        what: "failures are forgiven as soon as the group is up",
        law: Law::P7,
        seams: Seams {
            settings: |mut settings| {
                settings.backoff.forgiven_after = Duration::ZERO;
                settings
            },
            ..SOUND
        },
    },
    Fault {
        what: "the failures before the start are not counted",
        law: Law::P7,
        seams: Seams { memory: |memory| Memory { failures: 0, ..memory }, ..SOUND },
    },
    Fault {
        what: "what the back-off before the start still costs is forgotten",
        law: Law::P7,
        seams: Seams { memory: |memory| Memory { back_off_left: Duration::ZERO, ..memory }, ..SOUND },
    },
    Fault {
        what: "the level is told again in every step",
        law: Law::P7,
        seams: Seams {
            actions: |mut actions, level| {
                actions.push(Action::Announce(level));
                actions
            },
            ..SOUND
        },
    },
    Fault {
        what: "something besides the inputs decides",
        law: Law::P8,
        seams: Seams { input: drawn_by_lot, ..SOUND },
    },
    Fault {
        what: "the back-off is not saved",
        law: Law::P8,
        seams: Seams { saved: |saved| with(saved, "/damping/failures", json!(0)), ..SOUND },
    },
    Fault {
        what: "what the results of a check add up to is not saved",
        law: Law::P8,
        seams: Seams {
            saved: |saved| with(saved, "/health/tallies/0/standing", json!({"passing": {"run": 0}})),
            ..SOUND
        },
    },
    Fault {
        what: "actions not yet carried out are not saved",
        law: Law::P8,
        seams: Seams { saved: |saved| with(saved, "/actions", json!([])), ..SOUND },
    },
    Fault {
        what: "what was announced before a restart is announced again at once",
        law: Law::P9,
        seams: Seams { start: |_| vec![Action::Announce(Level::Normal)], ..SOUND },
    },
    Fault {
        what: "the prefixes of a group change one after the other",
        law: Law::P10,
        seams: Seams { actions: |actions, _| in_two_steps(actions), ..SOUND },
    },
    Fault {
        what: "people are told before the peers",
        law: Law::P10,
        seams: Seams {
            actions: |mut actions, _| {
                actions.reverse();
                actions
            },
            ..SOUND
        },
    },
    Fault {
        what: "a reload begins anew",
        law: Law::P12,
        seams: Seams {
            reload: |machine, settings, now| *machine = Machine::new(settings, Memory::default(), now),
            ..SOUND
        },
    },
    Fault {
        what: "a reload forgets what the checks have found",
        law: Law::P12,
        seams: Seams {
            reload: |machine, settings, now| {
                machine.reconfigure(Settings { checks: Vec::new(), ..settings.clone() }, now);
                machine.reconfigure(settings, now);
            },
            ..SOUND
        },
    },
    Fault {
        what: "a new check is taken for one that fails",
        law: Law::P12,
        seams: Seams { reload: new_checks_fail, ..SOUND },
    },
    Fault {
        what: "peers are never told again",
        law: Law::P13,
        seams: Seams { actions: |actions, _| without(actions, &Action::Resend), ..SOUND },
    },
    Fault {
        what: "peers that know something else are not noticed",
        law: Law::P13,
        seams: Seams { input: |input, _, at| vec![(at, all_agree(input))], ..SOUND },
    },
    Fault {
        what: "peers are told again all the time",
        law: Law::P13,
        seams: Seams {
            actions: |mut actions, _| {
                actions.insert(0, Action::Resend);
                actions
            },
            ..SOUND
        },
    },
    Fault {
        what: "the permit is taken for granted",
        law: Law::P15,
        seams: Seams { input: |input, _, at| vec![(at, input), (at, Input::Permit(Permit::Held))], ..SOUND },
    },
    Fault {
        what: "an answer to the request before is taken for one to this",
        law: Law::P15,
        seams: Seams { input: |input, _, at| vec![(at, Input::Permit(Permit::None)), (at, input)], ..SOUND },
    },
    Fault {
        what: "a group that is never to be withdrawn is",
        law: Law::P15,
        seams: Seams { settings: |settings| Settings { never_withdraw: false, ..settings }, ..SOUND },
    },
    Fault {
        what: "a group that is well waits for one pass more",
        law: Law::P15,
        seams: Seams {
            settings: |settings| each_check(settings, |check| check.rise = check.rise.saturating_add(1)),
            ..SOUND
        },
    },
    Fault {
        what: "a check that could not run counts more than a pass",
        law: Law::P11,
        seams: Seams { input: |input, _, at| unknown_passes_twice(input, at), ..SOUND },
    },
    Fault {
        what: "the time of a suspend is taken for silence of the service",
        law: Law::P14,
        seams: Seams { input: |input, before, at| gap_filled(timeout(), input, before, at), ..SOUND },
    },
    Fault {
        what: "a machine that was late is taken for a service that failed",
        law: Law::P14,
        seams: Seams { input: |input, before, at| gap_filled(definite(), input, before, at), ..SOUND },
    },
];

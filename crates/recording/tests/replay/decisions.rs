//! Announcement groups with random inputs.

use announce::{
    Backoff, CheckId, CheckSettings, Condition, Input, Intent, Machine, Memory, Order, Permit, Readback,
    Scope, Settings, Warmth,
};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;
use recording::Recorder;
use std::num::NonZeroU32;
use std::time::Duration;
use terms::{FailKind, Reason, Timestamp, Verdict};

use crate::process::{Process, redone};

/// A group with one check.
pub fn machine() -> Machine {
    let check = CheckSettings {
        service: "dns".parse().unwrap(),
        name: "soa".to_owned(),
        interval: Duration::from_millis(100),
        fall: NonZeroU32::new(2).unwrap(),
        rise: NonZeroU32::new(3).unwrap(),
        hang_after: Duration::from_secs(1),
        scope: Scope::Local,
    };
    let backoff = Backoff { base: Duration::from_millis(500), ..Backoff::DEFAULT };
    let settings = Settings { backoff, ..Settings::new("anycast".parse().unwrap(), vec![check]) };
    Machine::new(settings, Memory::default(), Timestamp::ZERO)
}

/// All that it takes for a group to come up, and what comes after.
pub fn inputs() -> Vec<Input> {
    let condition = || Condition::met("ok");
    let warmth = Warmth { ready: condition(), address: condition(), self_query: condition() };
    let pass = || Input::Check { check: CheckId(0), verdict: Verdict::Pass };
    vec![Input::Warmth(warmth), pass(), pass(), pass()]
}

fn any_input() -> impl Strategy<Value = Input> {
    let reason = || Reason::from("\u{1b}[31mnot \"this\"\n");
    let check = |verdict| Input::Check { check: CheckId(0), verdict };
    let condition = move |met| Condition { met, words: reason() };
    let warmth =
        move |met| Warmth { ready: condition(true), address: condition(met), self_query: condition(true) };
    let order = move || Order { who: reason(), reason: reason() };
    let intents = [
        Intent::Normal,
        Intent::Drain(order()),
        Intent::Withdraw { order: order(), override_guard: true },
        Intent::Freeze(order()),
        Intent::ForceAnnounce(order()),
    ];
    let told = [Readback::Agrees, Readback::Differs { peers: vec!["transit-a".parse().unwrap()] }];
    prop_oneof![
        12 => Just(check(Verdict::Pass)),
        3 => Just(check(Verdict::Fail { kind: FailKind::Definite, reason: reason() })),
        1 => Just(check(Verdict::Indeterminate { reason: reason() })),
        2 => any::<bool>().prop_map(move |met| Input::Warmth(warmth(met))),
        2 => select(intents.to_vec()).prop_map(Input::Intent),
        2 => select(vec![Permit::None, Permit::Asked, Permit::Held]).prop_map(Input::Permit),
        1 => select(told.to_vec()).prop_map(Input::Told),
        1 => any::<bool>().prop_map(Input::Overload),
        1 => (0_u32..3).prop_map(Input::Connections),
        1 => Just(Input::Timer),
    ]
}

fn run(script: Vec<(usize, Input, u64)>, limit: u64) -> crate::process::Remains {
    let mut process = Process::start(limit);
    let mut groups = ["a", "b", "c"].map(|name| process.instance(name, machine()));
    let mut at = Timestamp::ZERO;
    for (index, input, gap) in script {
        at = at + Duration::from_millis(gap);
        process.tell(&mut groups[index], input, at);
    }
    process.end()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    #[test]
    fn a_replay_decides_what_was_decided(script in vec((0_usize..3, any_input(), 0_u64..400), 0..300)) {
        let remains = run(script, Recorder::LIMIT);
        prop_assert_eq!(redone(&remains.text()), remains.done);
    }

    /// Every file replays by itself; the latest holds what was done last.
    #[test]
    fn a_file_that_starts_in_the_middle_replays_too(
        script in vec((0_usize..3, any_input(), 0_u64..400), 100..300),
        limit in 1_000_u64..40_000,
    ) {
        let remains = run(script, limit);
        let latest = redone(&remains.text());
        prop_assert!(remains.done.ends_with(&latest), "{} of {}", latest.len(), remains.done.len());
        if let Some(before) = remains.text_before() {
            redone(&before);
        }
    }
}

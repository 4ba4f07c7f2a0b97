//! What the checks find.

use announce::{CheckId, Fold, Input, Memory, Settings};
use std::time::Duration;
use terms::{Timestamp, Verdict};

use crate::story::{DNS, Story, WEB, local, refused, settings, silent, unknown};

#[test]
fn a_site_starts() {
    let mut story = Story::begin(Memory::default());
    story.rounds(1, &silent(), &Verdict::Pass);
    story.explain();
    story.rounds(2, &Verdict::Pass, &Verdict::Pass);
    story.warm();
    story.explain();
    story.rounds(1, &Verdict::Pass, &Verdict::Pass);
    story.explain();
    insta::assert_snapshot!(story.log);
}

#[test]
fn a_service_is_killed_and_comes_back() {
    let mut story = Story::up();
    story.rounds(1, &refused(), &Verdict::Pass);
    story.millis += 50;
    story.check(DNS, &refused());
    story.rounds(1, &refused(), &Verdict::Pass);
    story.explain();
    story.rounds(3, &Verdict::Pass, &Verdict::Pass);
    story.explain();
    story.wait(4_700);
    story.explain();
    story.rounds(1, &refused(), &refused());
    story.rounds(1, &refused(), &refused());
    story.rounds(100, &Verdict::Pass, &Verdict::Pass);
    story.wait(600_000);
    insta::assert_snapshot!(story.log);
}

#[test]
fn a_service_hangs() {
    let mut story = Story::up();
    story.rounds(9, &silent(), &Verdict::Pass);
    story.rounds(1, &Verdict::Pass, &Verdict::Pass);
    story.rounds(11, &silent(), &Verdict::Pass);
    insta::assert_snapshot!(story.log);
}

#[test]
fn a_virtual_machine_is_paused() {
    let mut story = Story::up();
    story.rounds(2, &silent(), &silent());
    story.millis += 60_000;
    story.check(DNS, &silent());
    story.explain();
    story.check(WEB, &silent());
    story.rounds(1, &Verdict::Pass, &Verdict::Pass);
    insta::assert_snapshot!(story.log);
}

#[test]
fn silence_that_nobody_could_hear_does_not_count() {
    let mut story = Story::up();
    for _ in 0..20 {
        story.rounds(1, &silent(), &Verdict::Pass);
        story.rounds(1, &unknown(), &Verdict::Pass);
    }
    story.explain();
    insta::assert_snapshot!(story.log);
}

#[test]
fn nobody_watches() {
    let mut story = Story::up();
    story.rounds(29, &unknown(), &Verdict::Pass);
    story.wait(100);
    story.explain();
    story.rounds(1, &Verdict::Pass, &Verdict::Pass);
    story.wait(5_000);
    story.rounds(1, &Verdict::Pass, &Verdict::Pass);
    insta::assert_snapshot!(story.log);
}

#[test]
fn a_restart_remembers_what_failed_and_announces_nothing() {
    let mut story = Story::begin(Memory { failures: 3, back_off_left: Duration::from_millis(900) });
    story.warm();
    story.rounds(3, &Verdict::Pass, &Verdict::Pass);
    story.explain();
    story.rounds(6, &Verdict::Pass, &Verdict::Pass);
    story.explain();
    story.rounds(2, &refused(), &Verdict::Pass);
    insta::assert_snapshot!(story.log);
}

#[test]
fn a_result_of_a_check_that_nobody_knows_changes_nothing() {
    let mut story = Story::up();
    let before = story.machine.clone();
    story.check(CheckId(99), &refused());
    assert_eq!((story.log.as_str(), story.machine), ("", before));
}

#[test]
fn a_time_before_an_earlier_one_is_taken_for_that_one() {
    let mut story = Story::up();
    let (mut late, now) = (story.machine.clone(), story.now());
    late.handle(Input::Check { check: DNS, verdict: refused() }, Timestamp::ZERO);
    story.machine.handle(Input::Check { check: DNS, verdict: refused() }, now);
    assert_eq!(late, story.machine);
}

#[test]
fn one_of_two_services_is_enough() {
    let mut story = Story::up_with(Settings { fold: Fold::Any, ..settings() });
    story.rounds(3, &refused(), &Verdict::Pass);
    story.explain();
    story.rounds(2, &refused(), &refused());
    story.explain();
    story.rounds(3, &Verdict::Pass, &refused());
    story.millis += 5_000;
    story.rounds(1, &Verdict::Pass, &refused());
    insta::assert_snapshot!(story.log);
}

#[test]
fn two_of_three_services_must_be_well() {
    let fold = Fold::AtLeast(2.try_into().unwrap());
    let mail = CheckId(2);
    let checks = [settings().checks, vec![local("mail", "smtp")]].concat();
    let mut story = Story::of(Settings { fold, checks, ..settings() }, Memory::default());
    story.warm();
    story.rounds(3, &Verdict::Pass, &Verdict::Pass);
    for _ in 0..2 {
        story.rounds(1, &Verdict::Pass, &Verdict::Pass);
        story.check(mail, &refused());
    }
    story.explain();
    for _ in 0..2 {
        story.rounds(1, &Verdict::Pass, &refused());
        story.check(mail, &refused());
    }
    story.explain();
    insta::assert_snapshot!(story.log);
}

/// What a restart waits for: no longer than until it is clear whether the group will be announced.
#[test]
fn a_group_is_starting_until_it_has_decided() {
    let mut story = Story::begin(Memory::default());
    assert!(story.machine.is_starting(), "nothing is known yet");
    story.warm();
    story.rounds(2, &Verdict::Pass, &Verdict::Pass);
    assert!(story.machine.is_starting(), "it has to prove itself");
    story.rounds(1, &Verdict::Pass, &Verdict::Pass);
    assert!(!story.machine.is_starting(), "up");
    story.rounds(5, &refused(), &Verdict::Pass);
    assert!(!story.machine.is_starting(), "down, and on its way up again: it was decided before");

    let mut broken = Story::begin(Memory::default());
    broken.rounds(1, &refused(), &Verdict::Pass);
    assert!(broken.machine.is_starting(), "one failure says nothing");
    broken.rounds(1, &refused(), &Verdict::Pass);
    assert!(!broken.machine.is_starting(), "failed for good");
    broken.warm();
    broken.rounds(1, &Verdict::Pass, &Verdict::Pass);
    assert!(broken.machine.is_starting(), "it rises");

    let mut damped = Story::begin(Memory { failures: 3, back_off_left: Duration::from_secs(60) });
    damped.warm();
    damped.rounds(3, &Verdict::Pass, &Verdict::Pass);
    assert!(!damped.machine.is_starting(), "held down by its back-off");

    let mut ordered = Story::begin(Memory::default());
    ordered.order(announce::Intent::Freeze(crate::story::alice("a look")));
    assert!(!ordered.machine.is_starting(), "frozen at nothing");
}

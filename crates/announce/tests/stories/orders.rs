//! What operators order.

use announce::{Input, Intent, Settings};
use terms::Verdict;

use crate::story::{Story, alice, refused, settings};

fn drain() -> Intent {
    Intent::Drain(alice("new line card"))
}

fn withdraw(override_guard: bool) -> Intent {
    Intent::Withdraw { order: alice("new line card"), override_guard }
}

#[test]
fn an_operator_withdraws_and_resumes() {
    let mut story = Story::up();
    story.order(withdraw(false));
    story.explain();
    story.rounds(3, &Verdict::Pass, &Verdict::Pass);
    story.order(Intent::Normal);
    story.rounds(1, &Verdict::Pass, &Verdict::Pass);
    insta::assert_snapshot!(story.log);
}

#[test]
fn a_drain_ends_when_few_are_left_and_is_resumed() {
    let mut story = Story::up();
    story.tell(Input::Connections(4));
    story.order(drain());
    story.rounds(160, &Verdict::Pass, &Verdict::Pass);
    story.explain();
    story.tell(Input::Connections(0));
    story.explain();
    story.rounds(5, &refused(), &Verdict::Pass);
    story.rounds(3, &Verdict::Pass, &Verdict::Pass);
    story.order(Intent::Normal);
    story.rounds(1, &Verdict::Pass, &Verdict::Pass);
    insta::assert_snapshot!(story.log);
}

#[test]
fn a_drain_ends_when_its_time_is_over() {
    let mut story = Story::up();
    story.tell(Input::Connections(4));
    story.order(drain());
    for _ in 0..30 {
        story.rounds(9, &Verdict::Pass, &Verdict::Pass);
        story.wait(100);
    }
    insta::assert_snapshot!(story.log);
}

#[test]
fn a_drain_is_called_off() {
    let mut story = Story::up();
    story.order(drain());
    story.rounds(10, &Verdict::Pass, &Verdict::Pass);
    story.order(Intent::Normal);
    insta::assert_snapshot!(story.log);
}

#[test]
fn a_service_fails_during_a_drain() {
    let mut story = Story::up();
    story.order(drain());
    story.rounds(2, &refused(), &Verdict::Pass);
    story.explain();
    insta::assert_snapshot!(story.log);
}

#[test]
fn an_order_is_refused_by_the_fleet() {
    let mut story = Story::up().without_answers();
    story.order(drain());
    story.explain();
    story.rounds(50, &Verdict::Pass, &Verdict::Pass);
    story.order(Intent::Normal);
    story.order(withdraw(false));
    story.rounds(50, &Verdict::Pass, &Verdict::Pass);
    story.order(Intent::Normal);
    insta::assert_snapshot!(story.log);
}

#[test]
fn an_order_overrides_the_guard() {
    let mut story = Story::up().without_answers();
    story.order(withdraw(true));
    story.explain();
    story.rounds(1, &Verdict::Pass, &Verdict::Pass);
    story.order(Intent::Normal);
    story.rounds(1, &Verdict::Pass, &Verdict::Pass);
    insta::assert_snapshot!(story.log);
}

#[test]
fn a_service_fails_while_the_group_is_frozen() {
    let mut story = Story::up();
    story.order(Intent::Freeze(alice("the checks are being rebuilt")));
    story.rounds(3, &refused(), &Verdict::Pass);
    story.explain();
    story.order(Intent::Normal);
    insta::assert_snapshot!(story.log);
}

#[test]
fn a_group_is_announced_by_force() {
    let mut story = Story::of(settings(), announce::Memory::default());
    story.order(Intent::ForceAnnounce(alice("the check is wrong")));
    story.rounds(2, &refused(), &Verdict::Pass);
    story.explain();
    story.warm();
    story.rounds(2, &refused(), &Verdict::Pass);
    story.explain();
    story.order(Intent::Normal);
    insta::assert_snapshot!(story.log);
}

#[test]
fn a_group_that_is_never_withdrawn() {
    let mut story = Story::up_with(Settings { never_withdraw: true, ..settings() });
    story.order(drain());
    story.explain();
    story.order(Intent::Normal);
    story.rounds(2, &refused(), &Verdict::Pass);
    story.explain();
    story.rounds(3, &Verdict::Pass, &Verdict::Pass);
    story.order(withdraw(true));
    insta::assert_snapshot!(story.log);
}

/// A dry run is a clone that is given the order.
#[test]
fn a_dry_run_changes_nothing() {
    let story = Story::up();
    let mut dry = story.clone();
    dry.order(withdraw(false));
    assert!(dry.log.contains("announce none"), "{}", dry.log);
    assert_eq!(story.machine, Story::up().machine);
}

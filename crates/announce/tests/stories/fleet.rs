//! What the fleet permits, and what the peers know.

use announce::{Input, Permit, Readback};
use terms::Verdict;

use crate::story::{Story, refused};

#[test]
fn a_group_that_is_held_recovers() {
    let mut story = Story::up().without_answers();
    story.rounds(1, &refused(), &Verdict::Pass);
    story.tell(Input::Permit(Permit::Asked));
    story.rounds(3, &refused(), &Verdict::Pass);
    story.explain();
    story.rounds(3, &Verdict::Pass, &Verdict::Pass);
    insta::assert_snapshot!(story.log);
}

#[test]
fn a_permit_arrives_late() {
    let mut story = Story::up().without_answers();
    story.rounds(3, &refused(), &Verdict::Pass);
    story.tell(Input::Permit(Permit::Held));
    story.explain();
    insta::assert_snapshot!(story.log);
}

#[test]
fn a_permit_that_a_start_finds_is_used_and_given_back() {
    let mut story = Story::begin(announce::Memory::default()).without_answers();
    story.tell(Input::Permit(Permit::Held));
    story.warm();
    story.rounds(3, &Verdict::Pass, &Verdict::Pass);
    story.rounds(2, &refused(), &Verdict::Pass);
    story.tell(Input::Permit(Permit::Held));
    insta::assert_snapshot!(story.log);
}

#[test]
fn the_permit_is_released_when_the_peers_know_the_level() {
    let mut story = Story::up();
    story.rounds(2, &refused(), &Verdict::Pass);
    story.tell(Input::Told(Readback::Agrees));
    story.millis += 5_000;
    story.rounds(3, &Verdict::Pass, &Verdict::Pass);
    insta::assert_snapshot!(story.log);
}

#[test]
fn peers_know_something_else() {
    let mut story = Story::up();
    let differs = || Input::Told(Readback::Differs { peers: vec!["transit-a".parse().unwrap()] });
    story.tell(differs());
    for _ in 0..4 {
        story.rounds(9, &Verdict::Pass, &Verdict::Pass);
        story.wait(100);
        story.tell(differs());
    }
    story.explain();
    story.tell(Input::Told(Readback::Agrees));
    insta::assert_snapshot!(story.log);
}

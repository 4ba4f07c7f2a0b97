//! What bends the level, and never decides about being announced.

use announce::{BlindPolicy, CheckId, CheckSettings, Input, Scope, Settings};
use terms::Verdict;

use crate::story::{Story, local, refused, settings, silent, unknown};

#[test]
fn a_shared_dependency_is_lost() {
    let backbone = CheckSettings { scope: Scope::Dependency, ..local("dns", "backbone") };
    let mut settings = settings();
    settings.checks.push(backbone);
    let mut story = Story::up_with(settings);
    for _ in 0..3 {
        story.rounds(1, &Verdict::Pass, &Verdict::Pass);
        story.check(CheckId(2), &refused());
    }
    story.explain();
    for _ in 0..3 {
        story.rounds(1, &Verdict::Pass, &Verdict::Pass);
        story.check(CheckId(2), &Verdict::Pass);
    }
    insta::assert_snapshot!(story.log);
}

#[test]
fn nobody_watches_and_the_group_is_preferred_less() {
    let mut story = Story::up_with(Settings { blind: BlindPolicy::Deprefer, ..settings() });
    story.rounds(29, &unknown(), &unknown());
    story.wait(100);
    story.explain();
    story.rounds(1, &Verdict::Pass, &unknown());
    insta::assert_snapshot!(story.log);
}

#[test]
fn a_flood_is_absorbed() {
    let mut story = Story::up();
    story.tell(Input::Overload(true));
    story.rounds(20, &silent(), &silent());
    story.explain();
    story.tell(Input::Overload(false));
    story.rounds(12, &silent(), &Verdict::Pass);
    insta::assert_snapshot!(story.log);
}

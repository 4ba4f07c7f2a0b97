//! Other settings while the group is announced.

use announce::{CheckId, Input, Settings};
use terms::Verdict;

use crate::story::{DNS, Story, WEB, local, refused, settings, unknown};

impl Story {
    fn reload(&mut self, settings: Settings) {
        self.machine.reconfigure(settings, self.now());
        // What it wants is told with the next input, as a driver does.
        self.tell(Input::Timer);
    }
}

#[test]
fn a_check_that_moves_keeps_what_it_found_and_a_new_one_withdraws_nothing() {
    let mut story = Story::up();
    story.rounds(1, &refused(), &Verdict::Pass);
    let mut turned = settings();
    turned.checks.reverse();
    turned.checks.insert(0, local("mail", "smtp"));
    story.reload(turned);
    story.explain();
    story.millis += 100;
    story.check(CheckId(2), &refused());
    story.explain();
    insta::assert_snapshot!(story.log);
}

#[test]
fn the_alarm_of_a_check_that_goes_away_is_over() {
    let mut story = Story::up();
    story.rounds(30, &unknown(), &Verdict::Pass);
    story.reload(Settings { checks: vec![local("web", "front-page")], ..settings() });
    story.explain();
    insta::assert_snapshot!(story.log);
}

#[test]
fn a_reload_of_the_same_tells_nothing() {
    let mut story = Story::up();
    story.check(DNS, &Verdict::Pass);
    story.check(WEB, &refused());
    let before = story.clone();
    story.machine.reconfigure(settings(), story.now());
    assert_eq!(story.machine, before.machine);
}

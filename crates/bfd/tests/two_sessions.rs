//! Two sessions over a link that loses, repeats and reorders: they never break a rule of the wire, they agree once the
//! link is good, and they notice in time when it is not.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

#[path = "support/bench.rs"]
mod bench;
#[path = "support/world.rs"]
mod world;

use bench::{millis, settings};
use bfd::session::{Input, Settings, StateName};
use proptest::prelude::*;
use std::time::Duration;
use world::{Link, World};

#[derive(Clone, Copy, Debug)]
enum Step {
    Start(usize),
    Stop(usize),
    Reconfigure(usize, Settings),
    Link(usize, Link),
    Wait(u64),
}

/// A tenth of the interval is longer than a good link takes, or multiplier 1 would lose what is only late.
fn any_settings() -> impl Strategy<Value = Settings> {
    (60..1000u64, 1..6u8).prop_map(|(interval, multiplier)| settings(interval, multiplier))
}

fn step() -> impl Strategy<Value = Step> {
    let end = 0..2usize;
    let link = prop_oneof![Just(Link::Bad), Just(Link::Cut), (1..40u64).prop_map(Link::Good)];
    prop_oneof![
        2 => end.clone().prop_map(Step::Start),
        1 => end.clone().prop_map(Step::Stop),
        1 => (end.clone(), any_settings()).prop_map(|(end, settings)| Step::Reconfigure(end, settings)),
        3 => (end, link).prop_map(|(end, link)| Step::Link(end, link)),
        4 => (0..3000u64).prop_map(Step::Wait),
    ]
}

fn take(world: &mut World, step: Step) {
    match step {
        Step::Start(end) => world.feed(end, Input::Start),
        Step::Stop(end) => world.feed(end, Input::Stop),
        Step::Reconfigure(end, settings) => world.feed(end, Input::Reconfigured(settings)),
        Step::Link(end, link) => world.links[end] = link,
        Step::Wait(duration) => world.run(millis(duration)),
    }
}

/// Both up, and all polls answered.
fn both_up(settings: [Settings; 2], dice: u64) -> World {
    let mut world = World::new(settings, dice);
    (0..2).for_each(|end| world.feed(end, Input::Start));
    world.run(Duration::from_secs(10));
    assert_eq!(world.states(), [StateName::Up; 2]);
    world
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 40, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_mishaps_end_in_agreement(
        both in (any_settings(), any_settings()),
        steps in proptest::collection::vec(step(), 0..40),
        dice: u64,
    ) {
        let mut world = World::new([both.0, both.1], dice);
        steps.into_iter().for_each(|step| take(&mut world, step));
        // Multiplier 1 is lost with one packet, so what is late on the link is waited for first.
        world.links = [Link::Good(5); 2];
        world.run(millis(400));
        (0..2).for_each(|end| world.feed(end, Input::Start));
        world.run(Duration::from_secs(20));
        prop_assert_eq!(world.states(), [StateName::Up; 2]);
        let lost = world.lost;
        world.run(Duration::from_secs(20));
        prop_assert_eq!((world.states(), world.lost), ([StateName::Up; 2], lost));
        let [first, second] = &world.ends;
        let slower = first.settings().interval.max(second.settings().interval).duration();
        prop_assert_eq!([first.transmit_interval(), second.transmit_interval()], [Some(slower); 2]);
    }

    #[test]
    fn a_cut_is_noticed_within_the_detection_time(
        both in (any_settings(), any_settings()),
        directions in 1..4usize,
        dice: u64,
    ) {
        let mut world = both_up([both.0, both.1], dice);
        for end in 0..2 {
            if directions >> end & 1 == 1 {
                world.links[end] = Link::Cut;
            }
        }
        // What was on its way counts as heard.
        let travel = millis(6);
        let longest = world.ends.iter().filter_map(|end| end.detection_time()).max().unwrap();
        world.run(travel + longest + travel);
        prop_assert_eq!(world.lost, [1; 2], "{:?}", world.states());
    }

    #[test]
    fn an_operators_order_is_no_loss(both in (any_settings(), any_settings()), end in 0..2usize, dice: u64) {
        let mut world = both_up([both.0, both.1], dice);
        world.feed(end, Input::Stop);
        world.run(Duration::from_secs(30));
        prop_assert_eq!(world.lost, [0; 2]);
        prop_assert_eq!(world.states()[1 - end], StateName::Down);
        world.feed(end, Input::Start);
        world.run(Duration::from_secs(30));
        prop_assert_eq!((world.states(), world.lost), ([StateName::Up; 2], [0; 2]));
    }

    #[test]
    fn another_pace_loses_nothing(
        both in (any_settings(), any_settings()),
        changes in proptest::collection::vec((0..2usize, any_settings(), 0..3000u64), 1..6),
        dice: u64,
    ) {
        let mut world = both_up([both.0, both.1], dice);
        for (end, settings, pause) in changes {
            // What has been announced to the other end is what it judges by, so the multiplier stays.
            let multiplier = world.ends[end].settings().multiplier;
            world.feed(end, Input::Reconfigured(Settings { multiplier, ..settings }));
            world.run(millis(pause));
        }
        world.run(Duration::from_secs(30));
        prop_assert_eq!((world.states(), world.lost), ([StateName::Up; 2], [0; 2]));
    }

    #[test]
    fn a_silence_that_was_announced_loses_nothing(
        both in (any_settings(), any_settings()),
        silences in proptest::collection::vec((1..6000u64, 0..3000u64), 1..4),
        dice: u64,
    ) {
        let mut world = both_up([both.0, both.1], dice);
        for (silence, pause) in silences {
            let silence = millis(silence);
            world.feed(0, Input::Patience(Some(silence)));
            let mut waited = 0;
            while world.ends[0].tolerated_silence().is_none_or(|tolerated| tolerated < silence) {
                world.run(millis(10));
                waited += 1;
                prop_assert!(waited < 1000, "{:?}", world.ends[0]);
            }
            // A packet may be on its way for 5 ms, and the one before it was not.
            world.asleep[0] = world.now + silence.saturating_sub(millis(6));
            world.run(silence);
            world.feed(0, Input::Patience(None));
            world.run(millis(pause));
        }
        world.run(Duration::from_secs(30));
        prop_assert_eq!((world.states(), world.lost), ([StateName::Up; 2], [0; 2]));
        let [first, second] = &world.ends;
        let slower = first.settings().interval.max(second.settings().interval).duration();
        prop_assert_eq!([first.transmit_interval(), second.transmit_interval()], [Some(slower); 2]);
        let missing = u32::from(second.settings().multiplier.get() - 1);
        prop_assert_eq!(second.tolerated_silence(), Some(slower * missing));
    }
}

//! The table, and what holds whatever happens.

use super::table::{State, Stimulus};
use super::*;
use proptest::prelude::*;

fn authority(serial: u32) -> Authority {
    Authority { serial, refresh: 100, retry: 10, expire: 1000 }
}

fn at(seconds: u64) -> Timestamp {
    Timestamp::ZERO + Duration::from_secs(seconds)
}

fn outputs(zone: &mut Secondary) -> Vec<Output> {
    std::iter::from_fn(|| zone.poll_output()).collect()
}

#[test]
fn table() {
    let states = [
        State::Waiting { until: Timestamp::ZERO },
        State::Asking { primary: 1, again: None },
        State::FetchingChanges { primary: 1, again: None },
        State::FetchingWhole { primary: 1, again: None },
    ];
    let stimuli = [
        Stimulus::Due,
        Stimulus::Notified(2),
        Stimulus::Newer { has_version: true },
        Stimulus::Newer { has_version: false },
        Stimulus::Same,
        Stimulus::Fetched,
        Stimulus::Failed { more_primaries: true },
        Stimulus::Failed { more_primaries: false },
    ];
    let mut table = String::new();
    for state in states {
        for stimulus in stimuli {
            let next = state.next(stimulus);
            table += &format!("{:<16} {:<32} {next:?}\n", state.name(), format!("{stimulus:?}"));
        }
    }
    insta::assert_snapshot!(table);
}

#[test]
fn a_zone_comes_is_kept_current_and_changes() {
    let mut zone = Secondary::new(1, Held::Nothing, at(0));
    assert_eq!((outputs(&mut zone), zone.deadline()), (vec![], Some(at(0))));
    zone.handle(Input::Timer, at(0));
    assert_eq!(outputs(&mut zone), [Output::Ask(0)]);
    zone.handle(Input::Answered(authority(1)), at(1));
    assert_eq!(outputs(&mut zone), [Output::FetchWhole(0)]);
    zone.handle(Input::Fetched(authority(1)), at(5));
    assert_eq!((zone.state(), zone.deadline()), (StateName::Waiting, Some(at(105))));
    zone.handle(Input::Timer, at(105));
    zone.handle(Input::Answered(authority(1)), at(106));
    assert_eq!(zone.held(), Held::Current { authority: authority(1), expires: at(1106) });
    zone.handle(Input::Notified(0), at(110));
    zone.handle(Input::Answered(authority(2)), at(111));
    assert_eq!(outputs(&mut zone), [Output::Ask(0), Output::Ask(0), Output::FetchChanges(0)]);
    zone.handle(Input::Failed, at(112));
    assert_eq!(outputs(&mut zone), [Output::FetchWhole(0)], "the changes are of no use, so all of it");
    zone.handle(Input::Fetched(authority(2)), at(113));
    assert_eq!(zone.held().authority(), Some(authority(2)));
}

#[test]
fn every_primary_is_asked_before_a_pause() {
    let mut zone = Secondary::new(3, Held::Current { authority: authority(1), expires: at(1000) }, at(0));
    zone.handle(Input::Timer, at(0));
    for _ in 0..3 {
        zone.handle(Input::Failed, at(1));
    }
    assert_eq!(outputs(&mut zone), [Output::Ask(0), Output::Ask(1), Output::Ask(2)]);
    assert_eq!(zone.deadline(), Some(at(11)), "the zone's own retry");
    let mut nothing = Secondary::new(1, Held::Nothing, at(0));
    let mut pauses = Vec::new();
    let mut now = at(0);
    for _ in 0..12 {
        nothing.handle(Input::Timer, now);
        nothing.handle(Input::Failed, now);
        pauses.push(nothing.deadline().unwrap().since(now).as_secs());
        now = nothing.deadline().unwrap();
    }
    assert_eq!(pauses, [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 600, 600]);
}

#[test]
fn a_primary_that_lags_behind_confirms_nothing_and_the_next_one_is_asked() {
    let held = Held::Current { authority: authority(5), expires: at(1000) };
    let mut zone = Secondary::new(2, held, at(0));
    zone.handle(Input::Timer, at(0));
    zone.handle(Input::Answered(authority(4)), at(1));
    assert_eq!(outputs(&mut zone), [Output::Ask(0), Output::Ask(1)]);
    assert_eq!(zone.held(), held);
    zone.handle(Input::Answered(authority(6)), at(2));
    assert_eq!(outputs(&mut zone), [Output::FetchChanges(1)]);
    zone.handle(Input::Fetched(authority(6)), at(3));
    zone.handle(Input::Notified(1), at(4));
    zone.handle(Input::Answered(authority(6 + (1 << 31))), at(5));
    assert_eq!(zone.held(), Held::confirmed(authority(6), at(3)), "nobody can say which of them is newer");
    assert_eq!(zone.deadline(), Some(at(15)), "the zone's own retry");
}

#[test]
fn a_zone_that_nobody_confirms_expires_and_comes_back() {
    let held = Held::Current { authority: authority(1), expires: at(1000) };
    let mut zone = Secondary::new(1, held, at(0));
    zone.handle(Input::Timer, at(0));
    while zone.deadline().unwrap() < at(1000) {
        zone.handle(Input::Failed, zone.deadline().unwrap());
        zone.handle(Input::Timer, zone.deadline().unwrap());
    }
    assert!(!outputs(&mut zone).contains(&Output::Expire));
    zone.handle(Input::Timer, at(1000));
    assert!(outputs(&mut zone).contains(&Output::Expire));
    zone.handle(Input::Notified(0), at(1001));
    zone.handle(Input::Answered(authority(1)), at(1002));
    assert!(outputs(&mut zone).contains(&Output::Revive), "the same version is right again");
    let old = Secondary::new(1, held, at(5000)).poll_output();
    assert_eq!(old, Some(Output::Expire), "kept for too long by an earlier process");
}

#[test]
fn a_zone_that_may_not_be_served_at_all_is_served_until_it_can_be_asked_for_again() {
    let odd = Authority { serial: 1, refresh: 0, retry: 0, expire: 0 };
    let mut zone = Secondary::new(1, Held::Nothing, at(0));
    zone.handle(Input::Timer, at(0));
    for now in 0..20 {
        zone.handle(Input::Timer, at(now));
        zone.handle(Input::Answered(odd), at(now));
        zone.handle(Input::Fetched(odd), at(now));
        assert!(!outputs(&mut zone).contains(&Output::Expire), "at {now}");
    }
    zone.handle(Input::Timer, at(22));
    assert!(outputs(&mut zone).contains(&Output::Expire), "nobody has confirmed it");
}

#[test]
fn a_zone_whose_pauses_are_longer_than_its_time_does_not_expire_unasked() {
    let odd = Authority { serial: 1, refresh: 5000, retry: 5000, expire: 1000 };
    let mut zone = Secondary::new(1, Held::Nothing, at(0));
    zone.handle(Input::Timer, at(0));
    zone.handle(Input::Answered(odd), at(0));
    zone.handle(Input::Fetched(odd), at(0));
    assert_eq!(zone.deadline(), Some(at(500)), "not the refresh time");
    zone.handle(Input::Timer, at(500));
    zone.handle(Input::Failed, at(500));
    assert_eq!(zone.deadline(), Some(at(1000)), "not the retry time");
}

#[test]
fn news_while_it_is_busy_are_not_forgotten() {
    let held = Held::Current { authority: authority(1), expires: at(1000) };
    let mut zone = Secondary::new(2, held, at(0));
    zone.handle(Input::Timer, at(0));
    zone.handle(Input::Answered(authority(2)), at(1));
    zone.handle(Input::Notified(1), at(2));
    zone.handle(Input::Fetched(authority(2)), at(3));
    assert_eq!(outputs(&mut zone), [Output::Ask(0), Output::FetchChanges(0), Output::Ask(1)]);
    zone.handle(Input::Answered(authority(2)), at(4));
    assert_eq!((outputs(&mut zone), zone.state()), (vec![], StateName::Waiting), "once");
}

#[derive(Clone, Copy, Debug)]
enum Step {
    Pass(u64),
    Notify(usize),
    Answer(u32),
    Fetch(u32),
    Unchanged,
    Fail,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        (0u64..400).prop_map(Step::Pass),
        (0usize..3).prop_map(Step::Notify),
        (0u32..4).prop_map(Step::Answer),
        (0u32..4).prop_map(Step::Fetch),
        Just(Step::Unchanged),
        Just(Step::Fail),
    ];
    prop::collection::vec(step, 0..80)
}

proptest! {
    #[test]
    fn whatever_happens(primaries in 1usize..4, steps in steps()) {
        let mut zone = Secondary::new(primaries, Held::Nothing, at(0));
        let (mut now, mut expired) = (at(0), false);
        for step in steps {
            match step {
                Step::Pass(seconds) => {
                    // The driver's timers: each deadline on the way.
                    let end = now + Duration::from_secs(seconds);
                    while let Some(deadline) = zone.deadline().filter(|&deadline| deadline <= end) {
                        now = now.max(deadline);
                        let before = zone.deadline();
                        zone.handle(Input::Timer, now);
                        prop_assert!(zone.deadline() != before || zone.deadline().is_none(), "a timer does something");
                    }
                    now = end;
                }
                Step::Notify(primary) => zone.handle(Input::Notified(primary), now),
                Step::Answer(serial) => zone.handle(Input::Answered(authority(serial)), now),
                Step::Fetch(serial) if zone.state() == StateName::FetchingWhole => {
                    zone.handle(Input::Fetched(authority(serial)), now);
                }
                Step::Fetch(_) => {}
                Step::Unchanged if zone.state() == StateName::FetchingChanges => {
                    zone.handle(Input::Unchanged, now);
                }
                Step::Unchanged => {}
                Step::Fail => zone.handle(Input::Failed, now),
            }
            for output in outputs(&mut zone) {
                match output {
                    Output::Ask(primary) | Output::FetchChanges(primary) | Output::FetchWhole(primary) => {
                        prop_assert!(primary < primaries, "somebody who is there");
                    }
                    Output::Expire => prop_assert!(!std::mem::replace(&mut expired, true), "expired once"),
                    Output::Revive => prop_assert!(std::mem::replace(&mut expired, false), "revived once"),
                }
            }
            let is_expired = matches!(zone.held(), Held::Expired { .. });
            prop_assert_eq!(is_expired, expired, "the driver knows");
            let is_over = zone.held().expires().is_some_and(|end| end <= now);
            prop_assert!(!is_over || is_expired, "nothing is served for longer than its time");
            prop_assert!(zone.state() != StateName::Waiting || zone.deadline().is_some(), "it never waits for ever");
        }
    }
}

//! Other settings for a session that exists.

use crate::bench::{Bench, FIRST, settings, their_open};
use crate::refusal;
use bgp::session::{
    AddPath, Direction, ErrorCode, Graceful, HoldTime, IdleHold, Input, Output, Role, Settings, StateName,
};
use std::collections::BTreeMap;
use std::time::Duration;
use terms::Family;

/// Every setting, changed alone: whether a session can go on.
fn changes() -> Vec<(&'static str, bool, Settings)> {
    let second = Duration::from_secs(1);
    let add_path = AddPath { receive: true, send: false };
    vec![
        ("local AS", false, Settings { local_asn: "64999".parse().unwrap(), ..settings() }),
        ("neighbour's AS", false, Settings { peer_asn: "64999".parse().unwrap(), ..settings() }),
        ("router id", false, Settings { router_id: "10.9.9.9".parse().unwrap(), ..settings() }),
        ("families", false, Settings { families: [Family::Ipv4].into(), ..settings() }),
        ("hold time", false, Settings { hold_time: HoldTime::CONSERVATIVE, ..settings() }),
        ("role", false, Settings { role: Some(Role::Customer), ..settings() }),
        ("strict role", false, Settings { role_strict: true, ..settings() }),
        ("add path", false, Settings { add_path, ..settings() }),
        ("next hop", false, Settings { extended_next_hop: true, ..settings() }),
        ("graceful restart", false, Settings { graceful: Some(Graceful::default()), ..settings() }),
        ("passive", true, Settings { passive: true, ..settings() }),
        ("connect retry", true, Settings { connect_retry: second, ..settings() }),
        ("idle hold", true, Settings { idle_hold: IdleHold { base: second, cap: second }, ..settings() }),
        ("prefixes", true, Settings { max_prefixes: BTreeMap::from([(Family::Ipv4, 9)]), ..settings() }),
        ("announced", true, Settings { max_announced: Some(9), ..settings() }),
    ]
}

#[test]
fn what_is_our_own_affair_changes_and_anything_else_begins_the_session_again() {
    for (what, goes_on, next) in changes() {
        assert_eq!(settings().can_become(&next), goes_on, "{what}");
        for state in [StateName::OpenSent, StateName::OpenConfirm, StateName::Established] {
            let mut bench = Bench::in_state(state, settings());
            let outputs = bench.feed(Input::Reconfigured(Box::new(next.clone())));
            assert_eq!(bench.session.settings(), &next, "{what} in {state}");
            if goes_on {
                assert_eq!(bench.session.state(), state, "{what}");
                continue;
            }
            assert_eq!(refusal(&outputs).error, ErrorCode::CONFIGURATION_CHANGE, "{what} in {state}");
            let pause = bench.session.deadline().unwrap().since(bench.now);
            assert!(pause <= settings().idle_hold.base);
            assert!(bench.pass(pause).contains(&Output::Connect), "{what}");
        }
    }
}

/// What the OPEN said stays; how long we wait ourselves may change.
#[test]
fn graceful_restart_changes_in_part() {
    let with = |graceful| Settings { graceful: Some(graceful), ..settings() };
    let (before, second) = (Graceful::default(), Duration::from_secs(1));
    let restart_time = 7.try_into().unwrap();
    assert!(!with(before).can_become(&settings()));
    assert!(!with(before).can_become(&with(Graceful { restart_time, ..before })));
    assert!(with(before).can_become(&with(Graceful { stale_time: second, ..before })));
    assert!(with(before).can_become(&with(Graceful { end_of_rib_within: second, ..before })));
}

#[test]
fn equal_settings_change_nothing_anywhere() {
    for state in StateName::ALL {
        let mut bench = Bench::in_state(state, settings());
        let deadline = bench.session.deadline();
        assert_eq!(bench.feed(Input::Reconfigured(Box::new(settings()))), [], "{state}");
        assert_eq!((bench.session.state(), bench.session.deadline()), (state, deadline));
    }
}

#[test]
fn who_calls_can_change_before_anybody_has() {
    let passive = Settings { passive: true, ..settings() };
    let mut bench = Bench::in_state(StateName::Connect, settings());
    bench.feed(Input::Reconfigured(Box::new(passive.clone())));
    assert_eq!((bench.session.state(), bench.session.deadline()), (StateName::Active, None));
    let outputs = bench.feed(Input::Reconfigured(Box::new(settings())));
    assert!(outputs.contains(&Output::Connect));
    // The attempt that was under way may still succeed.
    bench.feed(Input::Reconfigured(Box::new(passive)));
    bench.connected(FIRST, Direction::Outbound);
    assert_eq!(bench.session.state(), StateName::OpenSent);
}

#[test]
fn a_strict_role_refuses_a_neighbour_that_says_none() {
    let mut bench = Bench::new(Settings { role: Some(Role::Customer), role_strict: true, ..settings() });
    bench.feed(Input::Start);
    bench.connected(FIRST, Direction::Outbound);
    let outputs = bench.say(FIRST, &their_open().encode());
    assert_eq!(refusal(&outputs).error, ErrorCode::ROLE_MISMATCH);
}

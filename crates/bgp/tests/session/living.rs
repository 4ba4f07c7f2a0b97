//! A session that is up: what keeps it up, what ends it, what is heard in it.

use crate::bench::{Bench, FIRST, describe, events, routes, sent, settings, their_open};
use crate::{SECOND_OF_TIME, announcement, negotiated, refusal, updates};
use bgp::session::{Direction, ErrorCode, HoldTime, IdleHold, Input, Settings, StateName};
use bgp::wire::message::{KEEPALIVE, MARKER};
use bgp::wire::open::Open;
use bgp::wire::update::Update;
use std::time::Duration;
use terms::Family;

#[test]
fn what_is_no_message_ends_the_session() {
    let header = |length: u16, kind: u8| [&MARKER[..], &length.to_be_bytes(), &[kind]].concat();
    let rows: Vec<(&str, Vec<u8>, ErrorCode)> = vec![
        ("marker", vec![0xff, 0xff, 0], ErrorCode::NOT_SYNCHRONIZED),
        ("length 18", header(18, 4), ErrorCode::BAD_MESSAGE_LENGTH),
        ("length 4097", header(4097, 2), ErrorCode::BAD_MESSAGE_LENGTH),
        ("KEEPALIVE with a body", [header(20, 4), vec![0]].concat(), ErrorCode::BAD_MESSAGE_LENGTH),
        ("UPDATE of 22 octets", [header(22, 2), vec![0; 3]].concat(), ErrorCode::BAD_MESSAGE_LENGTH),
        ("type 6", header(19, 6), ErrorCode::BAD_MESSAGE_TYPE),
        ("type 0", header(19, 0), ErrorCode::BAD_MESSAGE_TYPE),
    ];
    for state in [StateName::OpenSent, StateName::OpenConfirm, StateName::Established] {
        for (name, octets, error) in &rows {
            let mut bench = Bench::in_state(state, settings());
            assert_eq!(refusal(&bench.say(FIRST, octets)).error, *error, "{name} in {state}");
            assert_eq!(bench.session.state(), StateName::Idle, "{name} in {state}");
        }
    }
}

#[test]
fn octets_may_dribble() {
    let mut bench = Bench::in_state(StateName::OpenSent, settings());
    for octet in [their_open().encode(), KEEPALIVE.to_vec()].concat() {
        bench.say(FIRST, &[octet]);
    }
    assert_eq!(bench.session.state(), StateName::Established);
}

#[test]
fn a_flawed_update_that_must_end_the_session_does() {
    let mut bench = Bench::in_state(StateName::Established, settings());
    // NLRI /33
    let flawed = [&MARKER[..], &[0, 24, 2, 0, 0, 0, 0, 33]].concat();
    assert_eq!(refusal(&bench.say(FIRST, &flawed)).error, ErrorCode::INVALID_NETWORK_FIELD);
    assert_eq!(bench.session.state(), StateName::Idle);
}

#[test]
fn tolerated_faults_are_counted_and_told_once_in_a_while() {
    let mut bench = Bench::in_state(StateName::Established, settings());
    // no ORIGIN, no AS_PATH, no NEXT_HOP: 192.0.2.0/24
    let flawed = [&MARKER[..], &[0, 27, 2, 0, 0, 0, 0, 24, 192, 0, 2]].concat();
    let outputs = bench.say(FIRST, &flawed.repeat(100));
    assert_eq!(events(&outputs).len(), 1, "{}", describe(&outputs));
    assert_eq!(bench.session.received().treated_as_withdraw, 100);
    assert_eq!(bench.session.received().accepted, 0);
    assert_eq!(bench.session.state(), StateName::Established);

    let later = events(&bench.live(Duration::from_secs(15)));
    assert_eq!(
        later,
        ["faulty UPDATEs tolerated (99 treated as withdraw, 0 attributes discarded): NEXT_HOP: missing"]
    );
}

#[test]
fn routes_are_counted_and_dropped() {
    let mut bench = Bench::in_state(StateName::Established, settings());
    let announced = routes(&["192.0.2.0/24", "198.51.100.0/24"]);
    let message = announcement(&announced.into_keys().collect::<Vec<_>>());
    bench.say(FIRST, &message.repeat(3));
    assert_eq!(bench.session.received().accepted, 6);
    // What came before the session was lost still counts.
    bench.feed(Input::Closed { connection: FIRST });
    assert_eq!(bench.session.received().accepted, 6);
}

#[test]
fn silence_ends_the_session_after_the_hold_time_and_not_before() {
    let mut bench = Bench::in_state(StateName::Established, settings());
    bench.pass(9 * SECOND_OF_TIME - Duration::from_nanos(1));
    assert_eq!(bench.session.state(), StateName::Established);
    let outputs = bench.pass(Duration::from_nanos(1));
    assert_eq!(refusal(&outputs).error, ErrorCode::HOLD_TIMER_EXPIRED);
    assert_eq!(bench.session.state(), StateName::Idle);
}

#[test]
fn any_message_keeps_the_session_and_keepalives_go_out_in_thirds() {
    let mut bench = Bench::in_state(StateName::Established, settings());
    let outputs = bench.live(Duration::from_secs(90));
    assert_eq!(bench.session.state(), StateName::Established);
    // Every 3 s less up to a quarter.
    assert!((30..=40).contains(&sent(&outputs).len()), "{}", sent(&outputs).len());
}

#[test]
fn hold_time_zero_never_expires() {
    let mut bench = Bench::in_state(StateName::OpenSent, settings());
    let for_ever = Open { hold_time: HoldTime::try_from(0).unwrap(), ..their_open() };
    bench.say(FIRST, &for_ever.encode());
    bench.say(FIRST, &KEEPALIVE);
    assert_eq!(bench.session.state(), StateName::Established);
    assert_eq!(bench.session.deadline(), None);
}

#[test]
fn the_pause_grows_with_failures_and_a_long_session_forgives() {
    let quick = IdleHold { base: SECOND_OF_TIME, cap: Duration::from_secs(8) };
    let mut bench = Bench::in_state(StateName::Established, Settings { idle_hold: quick, ..settings() });
    let pause = |bench: &mut Bench| {
        bench.feed(Input::Closed { connection: FIRST });
        let pause = bench.session.deadline().unwrap().since(bench.now);
        bench.pass(pause);
        bench.connected(FIRST, Direction::Outbound);
        bench.say(FIRST, &their_open().encode());
        bench.say(FIRST, &KEEPALIVE);
        assert_eq!(bench.session.state(), StateName::Established);
        pause.as_secs_f64()
    };
    // Jitter takes up to a quarter off.
    for wanted in [1.0, 2.0, 4.0, 8.0, 8.0] {
        let pause = pause(&mut bench);
        assert!(pause <= wanted && pause >= wanted * 0.75, "{pause} for {wanted}");
    }
    bench.live(Duration::from_secs(8));
    assert!(pause(&mut bench) <= 1.0);
}

#[test]
fn end_of_rib_follows_the_first_routes_and_is_noticed() {
    let mut bench = Bench::in_state(StateName::OpenConfirm, settings());
    bench.want(&["198.18.0.0/24"]);
    let sent = updates(&bench.say(FIRST, &KEEPALIVE));
    let markers: Vec<Option<Family>> = sent.iter().map(Update::is_end_of_rib).collect();
    assert_eq!(markers, [None, Some(Family::Ipv4), Some(Family::Ipv6)]);
    let end = Update::end_of_rib(Family::Ipv6).encode(&negotiated()).unwrap();
    let outputs = bench.say(FIRST, &end.repeat(2));
    assert_eq!(events(&outputs), ["the neighbour has told all its ipv6 routes"]);
}

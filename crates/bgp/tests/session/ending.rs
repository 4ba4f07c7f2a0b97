//! The way down: what the neighbour is told, and when a session begins again.

use crate::bench::{Bench, FIRST, SECOND, describe, events, settings, their_open};
use crate::{many, refusal};
use bgp::session::{Direction, ErrorCode, Input, Notification, Output, StateName, StopKind};
use bgp::wire::message::KEEPALIVE;
use std::sync::Arc;
use std::time::Duration;

#[test]
fn shutdown_texts_go_both_ways() {
    let mut bench = Bench::in_state(StateName::Established, settings());
    let outputs = bench.feed(Input::Stop {
        kind: StopKind::Shutdown,
        text: Some("maintenance until 04:00 — sorry".parse().unwrap()),
    });
    assert_eq!(refusal(&outputs).shutdown_text().unwrap().as_str(), "maintenance until 04:00 — sorry");

    let mut bench = Bench::in_state(StateName::Established, settings());
    let notification =
        Notification::new(ErrorCode::ADMINISTRATIVE_SHUTDOWN, b"\x0bgone\x1b[2Jbye!".as_slice());
    let outputs = bench.say(FIRST, &notification.encode());
    let told = events(&outputs);
    assert!(told[0].ends_with("Cease: Administrative Shutdown (6/2) \"gone?[2Jbye\""), "{told:?}");
}

#[test]
fn a_shutdown_text_that_is_none_is_not_shown() {
    let with = |data: &[u8]| Notification::new(ErrorCode::ADMINISTRATIVE_SHUTDOWN, data).shutdown_text();
    assert_eq!(with(&[]), None);
    assert_eq!(with(&[0]), None);
    assert_eq!(with(&[9, b'x']), None);
    assert_eq!(with(&[1, 0xff]), None);
    assert_eq!(Notification::new(ErrorCode::HARD_RESET, [1, b'x']).shutdown_text(), None);
}

/// RFC 4486 section 4, RFC 9003 section 2: which decision it was, and the text where there is room for one.
#[test]
fn each_kind_of_stop_is_told_apart() {
    let told = |kind| {
        let mut bench = Bench::in_state(StateName::Established, settings());
        let notification = refusal(&bench.feed(Input::Stop { kind, text: Some("why".parse().unwrap()) }));
        (notification.error, notification.data)
    };
    let text = b"\x03why".to_vec();
    assert_eq!(told(StopKind::Shutdown), (ErrorCode::ADMINISTRATIVE_SHUTDOWN, text.clone()));
    assert_eq!(told(StopKind::Reset), (ErrorCode::ADMINISTRATIVE_RESET, text));
    assert_eq!(told(StopKind::Deconfigured), (ErrorCode::PEER_DECONFIGURED, vec![]));
    assert_eq!(told(StopKind::Reconfigured), (ErrorCode::CONFIGURATION_CHANGE, vec![]));
}

/// RFC 4486 section 4; in a pause of our own nobody is made to wait longer than the pause.
#[test]
fn a_call_to_a_session_that_is_not_wanted_is_rejected_and_one_in_a_pause_closed() {
    let mut unwanted = Bench::new(settings());
    assert_eq!(refusal(&unwanted.connected(FIRST, Direction::Inbound)).error, ErrorCode::CONNECTION_REJECTED);
    let mut pausing = Bench::in_state(StateName::Established, settings());
    pausing.feed(Input::Closed { connection: FIRST });
    assert_eq!(pausing.connected(SECOND, Direction::Inbound), [Output::Close { connection: SECOND }]);
}

/// RFC 9384: the neighbour is told, and however often the path goes, the pause stays the shortest.
#[test]
fn a_path_that_is_gone_ends_the_session_and_piles_up_no_pauses() {
    let mut bench = Bench::in_state(StateName::Established, settings());
    for _ in 0..8 {
        let outputs = bench.feed(Input::PathDown { reason: "BFD heard nothing for 150 ms".into() });
        assert_eq!(refusal(&outputs).error, ErrorCode::BFD_DOWN);
        assert!(
            events(&outputs)
                .contains(&"Established -> Idle: the path is gone: BFD heard nothing for 150 ms".to_owned())
        );
        let pause = bench.session.deadline().unwrap().since(bench.now);
        assert!(pause <= settings().idle_hold.base, "{pause:?}");
        assert!(bench.pass(pause).contains(&Output::Connect));
        bench.connected(FIRST, Direction::Outbound);
        bench.say(FIRST, &[their_open().encode(), KEEPALIVE.to_vec()].concat());
        assert_eq!(bench.session.state(), StateName::Established);
    }
}

#[test]
fn a_stop_is_final_until_a_start() {
    let mut bench = Bench::in_state(StateName::Established, settings());
    bench.feed(Input::Stop { kind: StopKind::Shutdown, text: None });
    assert_eq!(bench.session.deadline(), None);
    assert!(bench.session.told().is_empty());
    bench.feed(Input::Start);
    assert_eq!(bench.session.state(), StateName::Connect);
}

/// RFC 9687.
#[test]
fn a_neighbour_that_takes_nothing_is_given_up() {
    let mut bench = Bench::in_state(StateName::Established, settings());
    bench.reads = false;
    bench.want(&["198.18.0.0/24"]);
    let outputs = bench.live(Duration::from_secs(470));
    assert_eq!(bench.session.state(), StateName::Established, "{}", describe(&outputs));
    let outputs = bench.live(Duration::from_secs(30));
    let told = events(&outputs);
    assert!(told.iter().any(|event| event.contains("Send Hold Timer Expired")), "{told:?}");
    // It does take octets, however slowly: the session stays.
    let mut bench = Bench::in_state(StateName::Established, settings());
    bench.reads = false;
    bench.feed(Input::Wanted(Arc::new(many(5000, 5000))));
    for _ in 0..100 {
        bench.live(Duration::from_secs(60));
        bench.feed(Input::Written { connection: FIRST, octets: 1 });
    }
    assert_eq!(bench.session.state(), StateName::Established);
}

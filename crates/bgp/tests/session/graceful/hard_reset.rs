//! Which ends of a session are meant: the neighbour is told to send its users elsewhere at once.

use super::{graceful, open_with, promise, up};
use crate::bench::{Bench, FIRST, SECOND, events, sent};
use crate::{announcement, refusal};
use bgp::session::{
    Direction, ErrorCode, HoldTime, Input, Notification, Output, Settings, StateName, StopKind,
};
use bgp::wire::capability::GracefulRestart;
use bgp::wire::message::{KEEPALIVE, Message};
use terms::Family;

/// Everything that ends a session on purpose, and what it is about.
fn meant() -> Vec<(Input, ErrorCode)> {
    let stop = |kind| Input::Stop { kind, text: Some("bye".parse().unwrap()) };
    let other = Settings { hold_time: HoldTime::CONSERVATIVE, ..graceful() };
    let off = Settings { graceful: None, ..graceful() };
    vec![
        (stop(StopKind::Shutdown), ErrorCode::ADMINISTRATIVE_SHUTDOWN),
        (stop(StopKind::Reset), ErrorCode::ADMINISTRATIVE_RESET),
        (stop(StopKind::Deconfigured), ErrorCode::PEER_DECONFIGURED),
        (stop(StopKind::Reconfigured), ErrorCode::CONFIGURATION_CHANGE),
        (Input::PathDown { reason: "silent".into() }, ErrorCode::BFD_DOWN),
        (Input::Reconfigured(Box::new(other)), ErrorCode::CONFIGURATION_CHANGE),
        (Input::Reconfigured(Box::new(off)), ErrorCode::CONFIGURATION_CHANGE),
    ]
}

/// RFC 8538 section 3; the text of RFC 9003 goes along.
#[test]
fn whatever_is_meant_is_a_hard_reset_where_both_sides_know_it() {
    for (input, about) in meant() {
        let mut bench = up(graceful(), Some(promise()));
        let said = refusal(&bench.feed(input.clone()));
        assert_eq!((said.error, said.wrapped().unwrap().error), (ErrorCode::HARD_RESET, about));
        let carries_text = [ErrorCode::ADMINISTRATIVE_SHUTDOWN, ErrorCode::ADMINISTRATIVE_RESET];
        assert_eq!(said.shutdown_text().is_some(), carries_text.contains(&about), "{about}");
        assert_eq!(bench.session.stale_until(), None, "{about}");

        // Both OPENs were read: the neighbour may keep routes of before.
        let mut confirmed = Bench::new(graceful());
        confirmed.feed(Input::Start);
        confirmed.connected(FIRST, Direction::Inbound);
        confirmed.say(FIRST, &open_with(Some(promise())).encode());
        assert_eq!(confirmed.session.state(), StateName::OpenConfirm);
        assert_eq!(refusal(&confirmed.feed(input.clone())).error, ErrorCode::HARD_RESET);

        let without = GracefulRestart { notification: false, ..promise() };
        for theirs in [Some(without), None] {
            let mut bench = up(graceful(), theirs);
            assert_eq!(refusal(&bench.feed(input.clone())).error, about, "any NOTIFICATION does (RFC 4724)");
        }
    }
}

/// It pauses for an hour: nobody comes back in a restart time.
#[test]
fn too_many_prefixes_are_a_hard_reset() {
    let bound = Settings { max_prefixes: [(Family::Ipv4, 0)].into(), ..graceful() };
    let mut bench = up(bound, Some(promise()));
    let said = refusal(&bench.say(FIRST, &announcement(&["192.0.2.0/24".parse().unwrap()])));
    assert_eq!(
        (said.error, said.wrapped().unwrap().error),
        (ErrorCode::HARD_RESET, ErrorCode::MAXIMUM_PREFIXES)
    );
    assert_eq!(bench.session.stale_until(), None);
}

#[test]
fn a_fault_is_not_meant_and_stays_a_plain_notification() {
    let mut bench = up(graceful(), Some(promise()));
    let said = refusal(&bench.say(FIRST, &open_with(None).encode()));
    assert_eq!(said.error, ErrorCode::UNEXPECTED_IN_ESTABLISHED);
    assert!(bench.session.stale_until().is_some(), "RFC 8538 section 4: both sides keep");
    let mut bench = up(graceful(), Some(promise()));
    let said = refusal(&bench.pass(super::seconds(9)));
    assert_eq!(said.error, ErrorCode::HOLD_TIMER_EXPIRED);
    assert!(bench.session.stale_until().is_some());
}

/// The neighbour that calls anew has not said on that connection what it knows.
#[test]
fn a_newcomer_is_told_plainly() {
    let mut bench = up(graceful(), Some(promise()));
    bench.connected(SECOND, Direction::Inbound);
    let outputs = bench.feed(Input::Stop { kind: StopKind::Shutdown, text: None });
    let said: Vec<ErrorCode> = sent(&outputs)
        .into_iter()
        .filter_map(|message| if let Message::Notification(said) = message { Some(said.error) } else { None })
        .collect();
    assert_eq!(said, [ErrorCode::HARD_RESET, ErrorCode::ADMINISTRATIVE_SHUTDOWN]);
    assert_eq!(outputs.iter().filter(|output| matches!(output, Output::Close { .. })).count(), 2);
}

#[test]
fn what_a_hard_reset_is_about_is_shown_and_counts() {
    let mut bench = up(graceful(), Some(promise()));
    let shutdown = Notification::decided(ErrorCode::ADMINISTRATIVE_SHUTDOWN, Some(&"bye".parse().unwrap()));
    let outputs = bench.say(FIRST, &Notification::hard_reset(&shutdown).encode());
    let told = events(&outputs);
    assert!(told[0].ends_with("Hard Reset (6/9), Cease: Administrative Shutdown (6/2) \"bye\""), "{told:?}");
    let said = outputs.iter().find_map(|output| match output {
        Output::Event(event) if event.to_string() == told[0] => Some(terms::Event::severity(event)),
        _ => None,
    });
    assert_eq!(said, Some(terms::Severity::Notice), "as a shutdown, not as a fault");
    assert_eq!((bench.session.state(), bench.session.stale_until()), (StateName::Idle, None));
    bench.say(FIRST, &KEEPALIVE);
}

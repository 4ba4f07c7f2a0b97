//! We restart.

use super::{come_up, graceful, offered, promise, seconds, up};
use crate::bench::{Bench, FIRST, SECOND, THIRD, events, settings};
use crate::updates;
use bgp::session::{Direction, Input, Output, Settings, StateName};
use bgp::wire::capability::GracefulRestart;
use bgp::wire::message::KEEPALIVE;
use bgp::wire::update::Update;
use std::collections::BTreeMap;
use terms::Family;

/// A program that has begun, and delivered packets of IPv4 all the time.
fn begun(settings: Settings) -> Bench {
    let mut bench = Bench::new(settings);
    bench.feed(Input::Restarted { forwarding: [Family::Ipv4].into() });
    bench.feed(Input::Start);
    bench
}

fn ends_of_rib(outputs: &[Output]) -> Vec<Family> {
    updates(outputs).iter().filter_map(Update::is_end_of_rib).collect()
}

#[test]
fn it_is_not_offered_unless_the_operator_wants_it() {
    assert_eq!(offered(&begun(settings()).connected(FIRST, Direction::Inbound)), None);
}

/// RFC 4724 section 4.1, and 4.2 for a session that is lost while the program lives.
#[test]
fn opens_say_that_we_restarted_until_a_session_came_up() {
    let mut bench = begun(graceful());
    let families = BTreeMap::from([(Family::Ipv4, true), (Family::Ipv6, false)]);
    let first = GracefulRestart { restarting: true, notification: true, time: 120, families };
    assert_eq!(offered(&bench.connected(FIRST, Direction::Inbound)), Some(first.clone()));
    // This attempt comes to nothing, the next one is as good as the first.
    bench.feed(Input::Closed { connection: FIRST });
    assert_eq!(offered(&bench.connected(SECOND, Direction::Inbound)), Some(first.clone()));
    bench.feed(Input::Closed { connection: SECOND });
    come_up(&mut bench, SECOND, Some(promise()));
    assert_eq!(bench.session.state(), StateName::Established);
    bench.feed(Input::Closed { connection: SECOND });
    let families = Family::ALL.map(|family| (family, true)).into();
    let later = GracefulRestart { restarting: false, families, ..first };
    assert_eq!(offered(&bench.connected(THIRD, Direction::Inbound)), Some(later));
}

#[test]
fn a_session_of_a_program_that_lives_on_has_not_restarted() {
    let mut bench = Bench::new(graceful());
    bench.feed(Input::Start);
    let said = offered(&bench.connected(FIRST, Direction::Inbound)).unwrap();
    assert!(!said.restarting && said.families.values().all(|&forwarding| forwarding), "{said:?}");
}

#[test]
fn end_of_rib_waits_until_everything_is_decided() {
    let mut bench = begun(graceful());
    let outputs = come_up(&mut bench, FIRST, Some(promise()));
    assert_eq!(ends_of_rib(&outputs), []);
    assert!(events(&outputs).iter().any(|told| told.contains("until all is decided, 30 s at most")));
    assert_eq!(bench.session.end_of_rib_deferred(), Some(bench.now));
    // Routes are told as each of them is decided.
    bench.pass(seconds(2));
    let outputs = bench.want(&["198.18.0.0/24"]);
    assert_eq!((updates(&outputs).len(), ends_of_rib(&outputs)), (1, vec![]));
    assert!(bench.session.awaits_decision());
    let outputs = bench.feed(Input::Decided);
    assert_eq!(ends_of_rib(&outputs), Family::ALL);
    assert!(!bench.session.awaits_decision());
    assert_eq!(bench.session.end_of_rib_deferred(), None);
    assert_eq!(bench.feed(Input::Decided), [], "said twice, done once");
}

/// What is decided in one moment is told before End-of-RIB.
#[test]
fn end_of_rib_comes_behind_the_routes() {
    let mut bench = begun(graceful());
    come_up(&mut bench, FIRST, Some(promise()));
    bench.reads = false;
    bench.feed(Input::Wanted(std::sync::Arc::new(crate::many(5000, 5000))));
    let blocked = bench.feed(Input::Decided);
    assert_eq!(ends_of_rib(&blocked), []);
    bench.reads = true;
    let rest = bench.feed(Input::Written { connection: FIRST, octets: 80_000 });
    let told = updates(&rest);
    assert_eq!(ends_of_rib(&rest), Family::ALL);
    assert!(told.iter().rev().take(2).all(|update| update.is_end_of_rib().is_some()));
    assert_eq!(bench.session.told().len(), 5000);
}

#[test]
fn end_of_rib_waits_no_longer_than_it_may() {
    let mut bench = begun(graceful());
    come_up(&mut bench, FIRST, Some(promise()));
    assert_eq!(ends_of_rib(&bench.live(seconds(29))), []);
    let outputs = bench.live(seconds(2));
    assert_eq!(ends_of_rib(&outputs), Family::ALL);
    assert!(events(&outputs).iter().any(|told| told.contains("the time is over")));
    assert_eq!(bench.feed(Input::Decided), []);
}

/// The time runs from the first session on: a neighbour that flaps does not keep the past alive.
#[test]
fn a_session_that_flaps_gets_the_time_that_is_left() {
    let mut bench = begun(graceful());
    come_up(&mut bench, FIRST, Some(promise()));
    bench.live(seconds(20));
    bench.feed(Input::Closed { connection: FIRST });
    come_up(&mut bench, SECOND, Some(promise()));
    assert_eq!(ends_of_rib(&bench.pass(seconds(5))), []);
    bench.say(SECOND, &KEEPALIVE);
    assert_eq!(ends_of_rib(&bench.pass(seconds(5))), Family::ALL);
    // Away for longer than that, it gets End-of-RIB when it comes.
    let mut bench = begun(graceful());
    come_up(&mut bench, FIRST, Some(promise()));
    bench.feed(Input::Closed { connection: FIRST });
    bench.now = bench.now + seconds(31);
    assert_eq!(ends_of_rib(&come_up(&mut bench, SECOND, Some(promise()))), Family::ALL);
}

#[test]
fn what_is_decided_before_the_session_is_up_or_in_a_pause_waits_for_nothing() {
    let mut bench = begun(graceful());
    bench.feed(Input::Decided);
    assert_eq!(ends_of_rib(&come_up(&mut bench, FIRST, Some(promise()))), Family::ALL);
    let mut bench = begun(graceful());
    come_up(&mut bench, FIRST, Some(promise()));
    bench.feed(Input::Closed { connection: FIRST });
    assert_eq!(bench.feed(Input::Decided), []);
    assert_eq!(ends_of_rib(&come_up(&mut bench, SECOND, Some(promise()))), Family::ALL);
}

/// A neighbour that keeps nothing has nothing to forget. And nobody ever waits for the neighbour's own End-of-RIB.
#[test]
fn nothing_waits_where_the_neighbour_does_not_know_it() {
    let mut bench = begun(graceful());
    assert_eq!(ends_of_rib(&come_up(&mut bench, FIRST, None)), Family::ALL);
    assert!(!bench.session.awaits_decision());
    let mut bench = up(graceful(), Some(GracefulRestart { restarting: true, ..promise() }));
    assert_eq!(updates(&bench.want(&["198.18.0.0/24"])).len(), 1);
}

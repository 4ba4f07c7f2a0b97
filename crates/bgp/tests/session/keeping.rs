//! What a session keeps of what it hears, where it is to be kept.

use crate::bench::{Bench, FIRST, events, routes, settings};
use crate::{SECOND_OF_TIME, announcement};
use bgp::session::{Input, KeepReceived, Session, StateName};
use bgp::wire::message::MARKER;
use bgp::wire::negotiated::{Negotiated, PeerKind};
use bgp::wire::update::Update;
use terms::{Family, Prefix};

fn keeping(max_memory: usize) -> Bench {
    let mut bench = Bench::in_state(StateName::Established, settings());
    bench.session.keep(Some(KeepReceived { max_memory }));
    bench
}

fn prefixes(texts: &[&str]) -> Vec<Prefix> {
    routes(texts).into_keys().collect()
}

fn heard(session: &Session, prefix: &str) -> Vec<String> {
    let about = session.heard_about(prefix.parse().unwrap()).expect("it keeps");
    about.into_iter().map(|heard| heard.prefix.to_string()).collect()
}

#[test]
fn the_latest_word_about_a_prefix_is_kept_with_all_that_covers_it() {
    let mut bench = keeping(1 << 20);
    bench.say(FIRST, &announcement(&prefixes(&["192.0.2.0/24", "192.0.0.0/16", "198.51.100.0/24"])));
    assert_eq!(heard(&bench.session, "192.0.2.0/25"), ["192.0.2.0/24", "192.0.0.0/16"]);
    let plain = Negotiated::plain(PeerKind::External);
    let gone = Update::withdraw(Family::Ipv4, prefixes(&["192.0.2.0/24"]));
    bench.say(FIRST, &gone.encode(&plain).unwrap());
    assert_eq!(heard(&bench.session, "192.0.2.0/25"), ["192.0.0.0/16"]);
    assert_eq!((bench.session.received().accepted, bench.session.received().withdrawn), (3, 1));
}

#[test]
fn a_fault_that_withdraws_a_route_takes_it_away() {
    let mut bench = keeping(1 << 20);
    bench.say(FIRST, &announcement(&prefixes(&["192.0.2.0/24"])));
    // no ORIGIN, no AS_PATH, no NEXT_HOP: 192.0.2.0/24
    bench.say(FIRST, &[&MARKER[..], &[0, 27, 2, 0, 0, 0, 0, 24, 192, 0, 2]].concat());
    assert_eq!(bench.session.state(), StateName::Established);
    assert!(heard(&bench.session, "192.0.2.0/24").is_empty());
}

#[test]
fn the_end_of_the_session_forgets_all_and_gives_the_memory_back_step_by_step() {
    let mut bench = keeping(1 << 20);
    bench.say(FIRST, &announcement(&prefixes(&["192.0.2.0/24"])));
    bench.feed(Input::Closed { connection: FIRST });
    assert!(heard(&bench.session, "192.0.2.0/24").is_empty());
    bench.pass(SECOND_OF_TIME);
    assert_eq!(bench.session.kept().unwrap().octets, 0);
}

/// A timer that is due at once with every UPDATE would halve how fast a neighbour can tell its table.
#[test]
fn a_timer_is_due_at_once_only_while_there_is_memory_to_give_back() {
    let mut bench = keeping(1 << 20);
    bench.say(FIRST, &announcement(&prefixes(&["192.0.2.0/24"])));
    assert!(bench.session.deadline() > Some(bench.now), "{:?}", bench.session.deadline());
    bench.feed(Input::Closed { connection: FIRST });
    assert_eq!(bench.session.deadline(), Some(bench.now));
    bench.feed(Input::Timer);
    assert!(bench.session.deadline() > Some(bench.now), "{:?}", bench.session.deadline());
}

#[test]
fn a_full_memory_costs_routes_and_never_the_session() {
    let mut bench = keeping(0);
    let outputs = bench.say(FIRST, &announcement(&prefixes(&["192.0.2.0/24", "198.51.100.0/24"])));
    assert_eq!(bench.session.state(), StateName::Established, "{:?}", events(&outputs));
    let kept = bench.session.kept().unwrap();
    assert_eq!((kept.ipv4, kept.left_out, kept.octets), (0, 2, 0));
}

/// What is kept changes nothing that a session does, so a recording does without it.
#[test]
fn kept_routes_are_not_saved() {
    let mut bench = keeping(1 << 20);
    let empty = serde_json::to_string(&bench.session).unwrap().len();
    for third in 0..200 {
        let prefix = Prefix::containing([100, 64, third, 0].into(), 24).unwrap();
        bench.say(FIRST, &announcement(&[prefix]));
    }
    assert_eq!(bench.session.kept().unwrap().ipv4, 200);
    let full = serde_json::to_string(&bench.session).unwrap();
    assert!(full.len() < empty + 100, "{} after {empty} octets", full.len());
    let mut read: Session = serde_json::from_str(&full).unwrap();
    assert_eq!(read.kept(), None);
    read.keep(Some(KeepReceived::default()));
    assert!(heard(&read, "100.64.1.0/24").is_empty());
}

//! How much may be heard, and how much may be told.

use crate::bench::{Bench, FIRST, SECOND, events, routes, settings, their_open};
use crate::{announcement, negotiated, refusal, updates};
use bgp::session::{
    Direction, ErrorCode, Input, LIMIT_PAUSE, Notification, Output, Session, Settings, StateName, StopKind,
};
use bgp::wire::message::KEEPALIVE;
use bgp::wire::route_refresh::RouteRefresh;
use bgp::wire::update::Update;
use std::collections::BTreeMap;
use std::sync::Arc;
use terms::{Family, Prefix};

fn at_most(ipv4: u32) -> Settings {
    Settings { max_prefixes: BTreeMap::from([(Family::Ipv4, ipv4)]), ..settings() }
}

/// 10.0.`from`.0/24 and so many more.
fn prefixes(from: u8, count: u8) -> Vec<Prefix> {
    (from..from + count).map(|third| format!("10.0.{third}.0/24").parse().unwrap()).collect()
}

fn withdrawal(prefixes: Vec<Prefix>) -> Vec<u8> {
    Update::withdraw(Family::Ipv4, prefixes).encode(&negotiated()).unwrap()
}

#[test]
fn one_prefix_too_many_ends_the_session_for_long_and_says_which_bound() {
    let mut bench = Bench::in_state(StateName::Established, at_most(10));
    bench.say(FIRST, &announcement(&prefixes(0, 10)));
    assert_eq!(bench.session.state(), StateName::Established);
    let outputs = bench.say(FIRST, &announcement(&prefixes(10, 1)));
    // RFC 4486 section 4: AFI, SAFI, bound.
    let cease = Notification::new(ErrorCode::MAXIMUM_PREFIXES, [0, 1, 1, 0, 0, 0, 10]);
    assert_eq!(refusal(&outputs), cease);
    assert!(
        events(&outputs).iter().any(|event| event
            == "the neighbour announced more than 10 ipv4 prefixes: the session pauses for 60 min, \
                or until the bound changes"),
        "{:?}",
        events(&outputs)
    );
    // Whoever calls in the pause is told that it is no use.
    let outputs = bench.connected(SECOND, Direction::Inbound);
    assert_eq!(refusal(&outputs).error, ErrorCode::CONNECTION_REJECTED);
    assert_eq!(bench.session.deadline().unwrap().since(bench.now), LIMIT_PAUSE);
    let outputs = bench.pass(LIMIT_PAUSE);
    assert!(outputs.contains(&Output::Connect));
    assert_eq!(events(&outputs)[0], "the pause after too many prefixes is over");
}

#[test]
fn counted_is_what_stands_announced() {
    let mut bench = Bench::in_state(StateName::Established, at_most(10));
    let standing = |bench: &Bench| bench.session.prefixes()[&Family::Ipv4];
    for _ in 0..50 {
        bench.say(FIRST, &announcement(&prefixes(0, 9)));
    }
    assert_eq!(standing(&bench), 9, "announced again is no more");
    bench.say(FIRST, &withdrawal(prefixes(0, 5)));
    bench.say(FIRST, &withdrawal(prefixes(0, 5)));
    assert_eq!(standing(&bench), 4);
    bench.say(FIRST, &announcement(&prefixes(100, 6)));
    assert_eq!(standing(&bench), 10);
    // Other families have no bound here, and what has none is not counted.
    assert_eq!(bench.session.prefixes().len(), 1);
    // RFC 7606: an announcement without attributes withdraws.
    let mut flawed = announcement(&prefixes(100, 6));
    let attributes = usize::from(u16::from_be_bytes([flawed[21], flawed[22]]));
    flawed.drain(23..23 + attributes);
    flawed[21..23].fill(0);
    let length = u16::try_from(flawed.len()).unwrap().to_be_bytes();
    flawed[16..18].copy_from_slice(&length);
    bench.say(FIRST, &flawed);
    assert_eq!((standing(&bench), bench.session.state()), (4, StateName::Established));
}

#[test]
fn people_are_warned_before_the_bound_once_in_a_while() {
    let mut bench = Bench::in_state(StateName::Established, at_most(10));
    let warnings = |outputs: &[Output]| {
        events(outputs).into_iter().filter(|event| event.contains("the session ends beyond 10")).count()
    };
    assert_eq!(warnings(&bench.say(FIRST, &announcement(&prefixes(0, 7)))), 0);
    assert_eq!(warnings(&bench.say(FIRST, &announcement(&prefixes(7, 1)))), 1);
    for _ in 0..5 {
        assert_eq!(warnings(&bench.say(FIRST, &withdrawal(prefixes(7, 1)))), 0);
        assert_eq!(warnings(&bench.say(FIRST, &announcement(&prefixes(7, 1)))), 0, "it hovers at the mark");
    }
    bench.say(FIRST, &withdrawal(prefixes(0, 5)));
    assert_eq!(warnings(&bench.say(FIRST, &announcement(&prefixes(0, 5)))), 1);
}

#[test]
fn another_bound_ends_the_pause_and_a_stop_ends_the_alarm() {
    let over = || {
        let mut bench = Bench::in_state(StateName::Established, at_most(2));
        bench.say(FIRST, &announcement(&prefixes(0, 3)));
        assert_eq!(bench.session.state(), StateName::Idle);
        bench
    };
    let mut bench = over();
    let same = bench.feed(Input::Reconfigured(Box::new(at_most(2))));
    assert_eq!(same, [], "a reload that changes nothing about it does nothing");
    let outputs = bench.feed(Input::Reconfigured(Box::new(at_most(3))));
    assert!(outputs.contains(&Output::Connect));
    bench.connected(SECOND, Direction::Outbound);
    bench.say(SECOND, &[their_open().encode(), KEEPALIVE.to_vec()].concat());
    bench.say(SECOND, &announcement(&prefixes(0, 3)));
    assert_eq!(bench.session.state(), StateName::Established);

    let outputs = over().feed(Input::Stop { kind: StopKind::Shutdown, text: None });
    assert_eq!(events(&outputs), ["the pause after too many prefixes is over"]);
}

#[test]
fn a_bound_that_is_new_is_counted_from_what_the_neighbour_tells_again() {
    let mut bench = Bench::in_state(StateName::Established, settings());
    bench.say(FIRST, &announcement(&prefixes(0, 5)));
    let outputs = bench.feed(Input::Reconfigured(Box::new(at_most(4))));
    assert!(
        outputs.contains(&Output::Send { connection: FIRST, bytes: RouteRefresh::of(Family::Ipv4).encode() })
    );
    bench.say(FIRST, &announcement(&prefixes(0, 5)));
    assert_eq!(bench.session.state(), StateName::Idle);
    // Lowered below what stands announced, it takes effect at once; raised, it asks for nothing.
    let mut bench = Bench::in_state(StateName::Established, at_most(10));
    bench.say(FIRST, &announcement(&prefixes(0, 5)));
    assert_eq!(bench.feed(Input::Reconfigured(Box::new(at_most(20)))), []);
    let outputs = bench.feed(Input::Reconfigured(Box::new(at_most(4))));
    assert_eq!(refusal(&outputs).error, ErrorCode::MAXIMUM_PREFIXES);
}

/// Otherwise whoever keeps its withdraws in the octets of its announcements would get one more prefix in each time.
#[test]
fn one_too_many_for_a_moment_is_one_too_many() {
    let mut bench = Bench::in_state(StateName::Established, at_most(10));
    let outputs = bench.say(FIRST, &[announcement(&prefixes(0, 11)), withdrawal(prefixes(0, 11))].concat());
    assert_eq!(refusal(&outputs).error, ErrorCode::MAXIMUM_PREFIXES);
}

fn saved(session: &Session) -> String {
    serde_json::to_string(session).unwrap()
}

/// A recording begins with it, and so would every file after it, on the thread of the decisions.
#[test]
fn a_saved_session_is_small_whatever_the_neighbour_tells() {
    let mut bench = Bench::in_state(StateName::Established, at_most(60_000));
    let before = saved(&bench.session).len();
    for second in 0..100 {
        let block = |third| (0..=255).map(move |fourth| format!("10.{second}.{third}.{fourth}/32"));
        let all: Vec<Prefix> = (0..2).flat_map(block).map(|text| text.parse().unwrap()).collect();
        bench.say(FIRST, &announcement(&all));
    }
    assert_eq!(bench.session.prefixes()[&Family::Ipv4], 51_200);
    assert!(saved(&bench.session).len() < before + 1000);

    // Nor is all of it freed at once when the session ends.
    bench.feed(Input::Closed { connection: FIRST });
    let mut steps = 0;
    while bench.session.deadline() == Some(bench.now) {
        bench.feed(Input::Timer);
        steps += 1;
    }
    assert!((40..=60).contains(&steps), "{steps}");
}

/// A session that was read back remembers nothing, and does what a recording says that it was told.
#[test]
fn what_is_counted_is_an_input() {
    let mut bench = Bench::in_state(StateName::Established, at_most(10));
    bench.say(FIRST, &announcement(&prefixes(0, 5)));
    let mut session: Session = serde_json::from_str(&saved(&bench.session)).unwrap();
    assert_eq!(session.prefixes()[&Family::Ipv4], 0);
    let mut counted = |count| -> Vec<Output> {
        session.handle(Input::Counted { family: Family::Ipv4, count }, bench.now);
        std::iter::from_fn(|| session.poll_output()).collect()
    };
    assert_eq!(events(&counted(8)).len(), 1);
    assert_eq!(counted(9), [], "said once");
    assert_eq!(refusal(&counted(11)).error, ErrorCode::MAXIMUM_PREFIXES);
    assert_eq!(counted(11), [], "the session is over");
}

#[test]
fn another_program_counts_on() {
    let mut bench = Bench::in_state(StateName::Established, at_most(10));
    bench.say(FIRST, &announcement(&prefixes(0, 9)));
    let announced = serde_json::to_string(&bench.session.announced()).unwrap();
    bench.session = serde_json::from_str(&saved(&bench.session)).unwrap();
    bench.session.remember(&serde_json::from_str(&announced).unwrap()).unwrap();
    assert_eq!(bench.session.prefixes()[&Family::Ipv4], 9);
    assert_eq!(bench.say(FIRST, &announcement(&prefixes(0, 9))), [], "nor is it warned of again");
    bench.say(FIRST, &withdrawal(prefixes(0, 1)));
    bench.say(FIRST, &announcement(&prefixes(10, 2)));
    assert_eq!(bench.session.state(), StateName::Established);
    assert_eq!(
        refusal(&bench.say(FIRST, &announcement(&prefixes(12, 1)))).error,
        ErrorCode::MAXIMUM_PREFIXES
    );
    // Nothing to count, and nothing that could be counted.
    assert_eq!(serde_json::to_string(&bench.session.announced()).unwrap(), "{}");
    let garbled = serde_json::from_str(r#"{"ipv4":{"paths":"20","stale":""}}"#).unwrap();
    let mut bench = Bench::in_state(StateName::Established, at_most(10));
    assert!(bench.session.remember(&garbled).is_err());
}

fn told(bench: &Bench) -> Vec<String> {
    bench.session.told().keys().map(ToString::to_string).collect()
}

/// A mistake in a file cannot leak a route.
#[test]
fn more_than_may_be_told_is_not_told_and_what_was_told_stays() {
    let settings = Settings { max_announced: Some(2), ..settings() };
    let mut bench = Bench::in_state(StateName::Established, settings);
    bench.want(&["198.18.0.0/24", "198.18.1.0/24"]);
    let outputs = bench.want(&["198.18.0.0/24", "198.18.1.0/24", "198.18.2.0/24"]);
    assert_eq!(updates(&outputs), []);
    assert_eq!(
        events(&outputs),
        ["3 routes are wanted and at most 2 may be announced: not announced: 198.18.2.0/24"]
    );
    assert_eq!(bench.want(&["198.18.0.0/24", "198.18.1.0/24", "198.18.2.0/24"]), [], "said once");

    // What is wanted no longer goes, though the rest is still too much.
    bench.want(&["198.18.0.0/24", "198.18.2.0/24", "198.18.3.0/24"]);
    assert_eq!(told(&bench), ["198.18.0.0/24"]);
    // And what stays follows its attributes: a site that drains says so.
    let mut wanted = routes(&["198.18.0.0/24", "198.18.2.0/24", "198.18.3.0/24"]);
    wanted.values_mut().for_each(|attributes| attributes.med = Some(7));
    bench.feed(Input::Wanted(Arc::new(wanted)));
    assert_eq!(bench.session.told().values().map(|attributes| attributes.med).collect::<Vec<_>>(), [Some(7)]);

    let outputs = bench.want(&["198.18.0.0/24", "198.18.3.0/24"]);
    assert_eq!(told(&bench), ["198.18.0.0/24", "198.18.3.0/24"]);
    assert_eq!(events(&outputs)[0], "no more routes are wanted than may be announced");
}

/// The last good set outlives the session: a session that is lost loses no route.
#[test]
fn what_was_good_is_told_again_after_a_loss() {
    let settings = Settings { max_announced: Some(1), ..settings() };
    let mut bench = Bench::in_state(StateName::Established, settings);
    bench.want(&["198.18.0.0/24"]);
    bench.want(&["198.18.0.0/24", "198.18.1.0/24"]);
    bench.feed(Input::Closed { connection: FIRST });
    let pause = bench.session.deadline().unwrap().since(bench.now);
    bench.pass(pause);
    bench.connected(SECOND, Direction::Outbound);
    bench.say(SECOND, &[their_open().encode(), KEEPALIVE.to_vec()].concat());
    assert_eq!(told(&bench), ["198.18.0.0/24"]);
    // A higher bound frees the rest without a word from the decision.
    let raised = Settings { max_announced: Some(2), ..bench.session.settings().clone() };
    bench.feed(Input::Reconfigured(Box::new(raised)));
    assert_eq!(told(&bench), ["198.18.0.0/24", "198.18.1.0/24"]);
    assert_eq!(bench.session.state(), StateName::Established);
}

/// Families that are not offered are somebody else's to tell: they do not count.
#[test]
fn what_is_not_offered_does_not_count() {
    let settings = Settings { max_announced: Some(1), families: [Family::Ipv6].into(), ..settings() };
    let mut bench = Bench::in_state(StateName::Established, settings);
    bench.want(&["198.18.0.0/24", "198.18.1.0/24", "2001:db8:53::/48"]);
    assert_eq!(told(&bench), ["2001:db8:53::/48"]);
}

//! What a monitoring station is told of a session.

mod station;

use crate::bench::{Bench, FIRST, THIRD, settings, their_open};
use crate::{SECOND_OF_TIME, announcement, many};
use bgp::session::{
    Direction, Ending, ErrorCode, Input, KeepReceived, Monitored, Monitoring, Notification, Output, Session,
    Settings, StateName, StopKind, Unsaid,
};
use bgp::wire::capability::Capability;
use bgp::wire::message::{HEADER, KEEPALIVE, MARKER};
use bgp::wire::negotiated::{Negotiated, PeerKind};
use bgp::wire::route_refresh::{Refresh, RouteRefresh};
use bgp::wire::update::Update;
use station::accepted;
use std::sync::Arc;
use std::time::Duration;
use terms::{Family, Prefix};

fn noted(session: &mut Session) -> Vec<Monitored> {
    std::iter::from_fn(|| session.poll_monitored()).collect()
}

/// An established session that is monitored, with a neighbour that knows the marks of RFC 7313.
fn monitored(settings: Settings) -> Bench {
    let mut bench = Bench::in_state(StateName::OpenSent, settings);
    bench.session.monitor(Monitoring::ToldAndHeard);
    let mut open = their_open();
    open.capabilities.push(Capability::EnhancedRouteRefresh);
    bench.say(FIRST, &open.encode());
    bench.say(FIRST, &KEEPALIVE);
    assert_eq!(bench.session.state(), StateName::Established);
    bench
}

#[test]
fn both_opens_are_handed_out_octet_by_octet() {
    let mut bench = Bench::in_state(StateName::Active, settings());
    bench.session.monitor(Monitoring::Told);
    let outputs = bench.connected(FIRST, Direction::Inbound);
    let [Output::Send { bytes: ours, .. }, ..] = &outputs[..] else { panic!("{outputs:?}") };
    let mut theirs = their_open();
    theirs.capabilities.push(Capability::Unknown { code: 200, value: vec![1, 2, 3] });
    bench.say(FIRST, &theirs.encode());
    assert_eq!(bench.session.introduction(), None, "the session is not up");
    assert_eq!(noted(&mut bench.session), []);
    bench.say(FIRST, &KEEPALIVE);
    let notes = noted(&mut bench.session);
    let Some(Monitored::Up(introduction)) = notes.first() else { panic!("{notes:?}") };
    assert_eq!(introduction.connection, FIRST);
    assert_eq!((&introduction.opens.sent, &introduction.opens.received), (ours, &theirs.encode()));
    assert_eq!(introduction.router_id, theirs.router_id);
    // Whoever comes later, or after the session was saved and read back, is told the same.
    let saved = serde_json::to_string(&bench.session).unwrap();
    let read: Session = serde_json::from_str(&saved).unwrap();
    assert_eq!(read.introduction().as_ref(), Some(&**introduction));
}

#[test]
fn what_is_noted_is_what_was_sent_in_that_order() {
    let mut bench = monitored(settings());
    noted(&mut bench.session);
    let mut outputs = bench.want(&["198.18.0.0/24", "2001:db8:53::/48"]);
    outputs.extend(bench.say(FIRST, &RouteRefresh::of(Family::Ipv4).encode()));
    outputs.extend(bench.want(&["2001:db8:53::/48"]));
    outputs.extend(bench.live(Duration::from_secs(60)));
    let is_update = |bytes: &Vec<u8>| bytes[HEADER - 1] == 2;
    let sent = outputs.into_iter().filter_map(|output| match output {
        Output::Send { bytes, .. } if is_update(&bytes) => Some(Monitored::Told(bytes)),
        Output::Send { .. } | Output::Connect | Output::Close { .. } | Output::Event(_) => None,
    });
    let sent: Vec<Monitored> = sent.collect();
    assert_eq!(sent.len(), 4, "two announcements, one again, one withdrawal: {sent:?}");
    assert_eq!(noted(&mut bench.session), sent);
}

#[test]
fn the_end_has_its_reason() {
    let cease = Notification::from(ErrorCode::ADMINISTRATIVE_RESET);
    let stop = Input::Stop { kind: StopKind::Deconfigured, text: None };
    let shorter = Settings { hold_time: 30.try_into().unwrap(), ..settings() };
    let close = |error: ErrorCode| Ending::Sent(error.into());
    type End<'a> = &'a dyn Fn(&mut Bench);
    let cases: [(&str, End<'_>, Ending); 7] = [
        ("stop", &|bench| drop(bench.feed(stop.clone())), close(ErrorCode::PEER_DECONFIGURED)),
        ("silence", &|bench| drop(bench.pass(Duration::from_secs(9))), close(ErrorCode::HOLD_TIMER_EXPIRED)),
        (
            "path down",
            &|bench| drop(bench.feed(Input::PathDown { reason: "gone".into() })),
            close(ErrorCode::BFD_DOWN),
        ),
        (
            "other terms",
            &|bench| drop(bench.feed(Input::Reconfigured(Box::new(shorter.clone())))),
            close(ErrorCode::CONFIGURATION_CHANGE),
        ),
        (
            "the neighbour says why",
            &|bench| drop(bench.say(FIRST, &cease.encode())),
            Ending::Received(cease.clone()),
        ),
        ("without a word", &|bench| drop(bench.feed(Input::Closed { connection: FIRST })), Ending::Closed),
        ("it takes nothing", &takes_nothing, Ending::Unsaid(Unsaid::SendHoldTimerExpires)),
    ];
    for (name, end, expected) in cases {
        let mut bench = monitored(settings());
        noted(&mut bench.session);
        end(&mut bench);
        assert_ne!(bench.session.state(), StateName::Established, "{name}");
        let notes = noted(&mut bench.session);
        assert_eq!(notes.last(), Some(&Monitored::Down(expected)), "{name}: {notes:?}");
        assert_eq!(bench.session.introduction(), None, "{name}");
    }
}

/// RFC 9687: the neighbour says KEEPALIVE and reads nothing.
fn takes_nothing(bench: &mut Bench) {
    bench.reads = false;
    bench.feed(Input::Wanted(Arc::new(many(100, 100))));
    for _ in 0..200 {
        bench.say(FIRST, &KEEPALIVE);
        bench.pass(3 * SECOND_OF_TIME);
    }
}

#[test]
fn a_connection_that_is_turned_away_ends_nothing() {
    let mut bench = monitored(settings());
    noted(&mut bench.session);
    bench.connected(THIRD, Direction::Inbound);
    assert_eq!(noted(&mut bench.session), []);
}

#[test]
fn where_nobody_monitors_nothing_is_noted() {
    let mut bench = Bench::in_state(StateName::Established, settings());
    bench.want(&["198.18.0.0/24"]);
    bench.say(FIRST, &announcement(&["192.0.2.0/24".parse().unwrap()]));
    bench.session.monitor(Monitoring::ToldAndHeard);
    assert_eq!(noted(&mut bench.session), []);
    bench.want(&[]);
    bench.session.monitor(Monitoring::Off);
    bench.session.monitor(Monitoring::Told);
    assert_eq!(noted(&mut bench.session), [], "what nobody took is forgotten");
    bench.say(FIRST, &announcement(&["192.0.2.0/24".parse().unwrap()]));
    assert_eq!(noted(&mut bench.session), [], "what it tells was not asked for");
    bench.feed(Input::Closed { connection: FIRST });
    assert_eq!(noted(&mut bench.session), [Monitored::Down(Ending::Closed)]);
}

#[test]
fn an_update_without_a_fault_is_handed_out_octet_by_octet() {
    let mut bench = monitored(settings());
    noted(&mut bench.session);
    // An attribute that this speaker does not know, optional and transitive.
    let known = announcement(&["192.0.2.0/24".parse().unwrap()]);
    let attributes = usize::from(u16::from_be_bytes([known[21], known[22]]));
    let mut said = known[..23 + attributes].to_vec();
    said.extend([0xc0, 250, 2, 7, 7]);
    said.extend(&known[23 + attributes..]);
    let length = u16::try_from(said.len()).unwrap().to_be_bytes();
    said[16..18].copy_from_slice(&length);
    said[21..23].copy_from_slice(&u16::try_from(attributes + 5).unwrap().to_be_bytes());
    bench.say(FIRST, &said);
    assert_eq!(bench.session.received().accepted, 1);
    assert_eq!(noted(&mut bench.session), [Monitored::Heard(said)]);
}

#[test]
fn of_faulty_updates_a_station_is_told_what_was_taken_of_them() {
    let mut bench = monitored(settings());
    noted(&mut bench.session);
    // no ORIGIN, no AS_PATH, no NEXT_HOP: 192.0.2.0/24
    bench.say(FIRST, &[&MARKER[..], &[0, 27, 2, 0, 0, 0, 0, 24, 192, 0, 2]].concat());
    let prefix: Prefix = "192.0.2.0/24".parse().unwrap();
    let withdraw = Update::withdraw(Family::Ipv4, [prefix]).encode(&crate::negotiated()).unwrap();
    assert_eq!(noted(&mut bench.session), [Monitored::Heard(withdraw)]);
    // ATOMIC_AGGREGATE with a value is left out (RFC 7606 section 7.6).
    let plain = announcement(&[prefix]);
    let mut faulty = plain.clone();
    faulty.splice(23..23, [0x40, 6, 1, 0]);
    faulty[17] += 4;
    faulty[22] += 4;
    bench.say(FIRST, &faulty);
    assert_eq!(bench.session.received().discarded_attributes, 1);
    assert_eq!(noted(&mut bench.session), [Monitored::Heard(plain)]);
}

/// RFC 7313: what a neighbour does not mention when it tells everything again is gone, and no UPDATE says so.
#[test]
fn what_vanishes_without_an_update_is_told() {
    let mut bench = monitored(settings());
    bench.session.keep(Some(KeepReceived::default()));
    bench.say(FIRST, &announcement(&["192.0.2.0/24".parse().unwrap()]));
    noted(&mut bench.session);
    bench.say(FIRST, &RouteRefresh::about(Family::Ipv4, Refresh::Begin).encode());
    bench.say(FIRST, &RouteRefresh::about(Family::Ipv4, Refresh::End).encode());
    assert_eq!(noted(&mut bench.session), [Monitored::Forgotten]);
}

#[test]
fn an_end_of_rib_is_the_neighbours_own() {
    let bench = monitored(settings());
    for family in Family::ALL {
        let update = bench.session.heard_end_of_rib(family).unwrap();
        let read = accepted(&update, &Negotiated::plain(PeerKind::External));
        assert_eq!(read.is_end_of_rib(), Some(family));
    }
}

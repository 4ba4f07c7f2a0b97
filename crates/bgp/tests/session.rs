//! One session and a neighbour that does everything a neighbour can do.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

#[path = "support/bench.rs"]
mod bench;

use bench::{Bench, FIRST, SECOND, describe, events, routes, sent, settings, their_open};
use bgp::session::{
    Direction, ErrorCode, HoldTime, IdleHold, Input, Notification, Output, SEND_WINDOW, Settings, StateName,
};
use bgp::wire::capability::Capability;
use bgp::wire::message::{KEEPALIVE, MARKER, Message};
use bgp::wire::negotiated::{Negotiated, PeerKind};
use bgp::wire::open::Open;
use bgp::wire::route_refresh::{Refresh, RouteRefresh};
use bgp::wire::update::{Update, Verdict};
use std::sync::Arc;
use std::time::Duration;
use terms::{Asn, Attributes, Community, Family, Prefix, RouteSet};

const SECOND_OF_TIME: Duration = Duration::from_secs(1);

fn negotiated() -> Negotiated {
    Negotiated::plain(PeerKind::External)
}

/// The UPDATEs among what was sent, as the neighbour reads them.
fn updates(outputs: &[Output]) -> Vec<Update> {
    let bodies = sent(outputs).into_iter().filter_map(|message| match message {
        Message::Update(body) => Some(body),
        Message::Open(_) | Message::Notification(_) | Message::Keepalive | Message::RouteRefresh(_) => None,
    });
    let read = bodies.map(|body| match Verdict::decode(&body, &negotiated()) {
        Verdict::Accept(update) => update,
        other => panic!("we sent a faulty UPDATE: {other:?}"),
    });
    read.collect()
}

/// The one NOTIFICATION among what was sent.
fn refusal(outputs: &[Output]) -> Notification {
    let mut found = sent(outputs).into_iter().filter_map(|message| match message {
        Message::Notification(notification) => Some(notification),
        Message::Open(_) | Message::Update(_) | Message::Keepalive | Message::RouteRefresh(_) => None,
    });
    let first = found.next().expect("a NOTIFICATION");
    assert_eq!(found.next(), None);
    first
}

/// What our OPEN says on a fresh connection.
fn our_open(bench: &mut Bench) -> Open {
    let connection = bgp::session::ConnectionId(99);
    match &sent(&bench.connected(connection, Direction::Inbound))[..] {
        [Message::Open(open)] => open.clone(),
        other => panic!("{other:?}"),
    }
}

#[test]
fn an_open_that_does_not_fit_is_refused_with_its_reason() {
    let altered = |change: &dyn Fn(&mut Vec<u8>)| {
        let mut octets = their_open().encode();
        change(&mut octets);
        octets
    };
    let asn = |number: u32| Asn::try_from(number).unwrap();
    let says = |number: u32| {
        let mut open = their_open();
        open.asn = asn(number);
        open.capabilities.retain(|capability| !matches!(capability, Capability::FourOctetAsn(_)));
        open.capabilities.push(Capability::FourOctetAsn(asn(number)));
        open.encode()
    };
    let vpn_only = Open {
        capabilities: vec![
            Capability::Unknown { code: 1, value: vec![0, 1, 0, 128] },
            Capability::FourOctetAsn(their_open().asn),
        ],
        ..their_open()
    };
    let rows: Vec<(&str, Vec<u8>, ErrorCode)> = vec![
        ("version 3", altered(&|octets| octets[19] = 3), ErrorCode::UNSUPPORTED_VERSION),
        ("another AS", says(64999), ErrorCode::BAD_PEER_AS),
        ("our own AS", says(64501), ErrorCode::BAD_PEER_AS),
        ("AS 0", altered(&|octets| octets[20..22].fill(0)), ErrorCode::BAD_PEER_AS),
        (
            "hold time 1",
            altered(&|octets| octets[22..24].copy_from_slice(&[0, 1])),
            ErrorCode::UNACCEPTABLE_HOLD_TIME,
        ),
        (
            "hold time 2",
            altered(&|octets| octets[22..24].copy_from_slice(&[0, 2])),
            ErrorCode::UNACCEPTABLE_HOLD_TIME,
        ),
        ("identifier 0", altered(&|octets| octets[24..28].fill(0)), ErrorCode::BAD_BGP_IDENTIFIER),
        ("parameter 1", altered(&|octets| octets[29] = 1), ErrorCode::UNSUPPORTED_PARAMETER),
        ("parameters cut short", altered(&|octets| octets[28] -= 1), ErrorCode::OPEN_UNSPECIFIC),
        ("no family in common", vpn_only.encode(), ErrorCode::UNSUPPORTED_CAPABILITY),
    ];
    for (name, octets, error) in rows {
        let mut bench = Bench::in_state(StateName::OpenSent, settings());
        let outputs = bench.say(FIRST, &octets);
        assert_eq!(refusal(&outputs).error, error, "{name}");
        assert_eq!(bench.session.state(), StateName::Idle, "{name}");
        assert!(outputs.contains(&Output::Close { connection: FIRST }), "{name}");
    }
}

/// RFC 6286: within an AS identifiers are unique; between two they need not be.
#[test]
fn our_own_identifier() {
    let twin = Open { router_id: settings().router_id, ..their_open() };
    let mut external = Bench::in_state(StateName::OpenSent, settings());
    external.say(FIRST, &twin.encode());
    assert_eq!(external.session.state(), StateName::OpenConfirm);

    let internal_settings = Settings { peer_asn: settings().local_asn, ..settings() };
    let twin = Open { asn: settings().local_asn, capabilities: Vec::new(), ..twin };
    let mut internal = Bench::in_state(StateName::OpenSent, internal_settings);
    let outputs = internal.say(FIRST, &twin.encode());
    assert_eq!(refusal(&outputs).error, ErrorCode::BAD_BGP_IDENTIFIER);
}

/// RFC 5492 section 5: the capabilities that were missing are listed.
#[test]
fn a_refusal_for_capabilities_lists_them() {
    let mut bench =
        Bench::in_state(StateName::OpenSent, Settings { families: [Family::Ipv6].into(), ..settings() });
    let plain = Open { capabilities: vec![], ..their_open() };
    let notification = refusal(&bench.say(FIRST, &plain.encode()));
    assert_eq!(notification, Notification::new(ErrorCode::UNSUPPORTED_CAPABILITY, [1, 4, 0, 2, 0, 1]));
}

#[test]
fn unknown_capabilities_are_ignored() {
    let mut open = their_open();
    open.capabilities.push(Capability::Unknown { code: 200, value: vec![1; 255] });
    let mut bench = Bench::in_state(StateName::OpenSent, settings());
    bench.say(FIRST, &open.encode());
    assert_eq!(bench.session.state(), StateName::OpenConfirm);
}

#[test]
fn a_neighbour_without_capabilities_gets_ipv4_and_two_octet_numbers() {
    let large = Asn::try_from(4_200_000_000).unwrap();
    let mut bench = Bench::in_state(StateName::OpenSent, Settings { local_asn: large, ..settings() });
    bench.say(FIRST, &Open { capabilities: vec![], ..their_open() }.encode());
    bench.say(FIRST, &KEEPALIVE);
    let outputs = bench.want(&["198.18.0.0/24", "2001:db8:53::/48"]);
    assert_eq!(bench.session.told(), &routes(&["198.18.0.0/24"]));
    assert_eq!(
        events(&outputs),
        [
            "cannot announce 2001:db8:53::/48: the neighbour does not carry ipv6 routes",
            "announced 198.18.0.0/24",
        ]
    );

    let message = sent(&outputs).remove(0);
    let Message::Update(body) = message else { panic!("{message:?}") };
    let old = Negotiated { four_octet_asn: false, ..negotiated() };
    // AS_PATH of two octets, completed by AS4_PATH
    let Verdict::Accept(update) = Verdict::decode(&body, &old) else { panic!() };
    assert_eq!(update.attributes.as_path.unwrap().networks().collect::<Vec<_>>(), [large]);
}

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
    let mut update = Update::default();
    update.attributes.origin = Some(terms::Origin::Igp);
    update.attributes.as_path = Some(bgp::wire::as_path::AsPath::sequence(vec![settings().peer_asn]));
    update.attributes.next_hop = Some([10, 0, 0, 1].into());
    update.reached = routes(&["192.0.2.0/24", "198.51.100.0/24"]).into_keys().map(Into::into).collect();
    let message = update.encode(&negotiated()).unwrap();
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
fn a_refused_hold_time_is_offered_longer() {
    let mut bench = Bench::in_state(StateName::OpenSent, settings());
    bench.say(FIRST, &Notification::from(ErrorCode::UNACCEPTABLE_HOLD_TIME).encode());
    bench.pass(SECOND_OF_TIME);
    assert_eq!(our_open(&mut bench).hold_time, HoldTime::CONSERVATIVE);
}

#[test]
fn refused_parameters_are_left_out_and_come_back() {
    let mut bench = Bench::in_state(StateName::OpenSent, settings());
    bench.say(FIRST, &Notification::from(ErrorCode::UNSUPPORTED_PARAMETER).encode());
    bench.pass(SECOND_OF_TIME);
    assert_eq!(our_open(&mut bench).capabilities, []);
    let connection = bgp::session::ConnectionId(99);
    bench.say(connection, &Notification::from(ErrorCode::BAD_PEER_AS).encode());
    bench.pass(2 * SECOND_OF_TIME);
    assert_eq!(our_open(&mut bench).capabilities.len(), 6);
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
fn attempts_to_connect_go_on_for_ever_with_jitter() {
    let mut bench = Bench::new(settings());
    bench.feed(Input::Start);
    let mut waits = Vec::new();
    for _ in 0..50 {
        bench.feed(Input::ConnectFailed { reason: "connection refused".into() });
        assert_eq!(bench.session.state(), StateName::Active);
        let wait = bench.session.deadline().unwrap().since(bench.now);
        assert_eq!(bench.pass(wait).first(), Some(&Output::Connect));
        waits.push(wait);
    }
    let retry = settings().connect_retry;
    assert!(waits.iter().all(|&wait| wait <= retry && wait >= retry * 3 / 4));
    waits.sort();
    waits.dedup();
    assert!(waits.len() > 40);
}

#[test]
fn a_passive_session_waits() {
    let mut bench = Bench::new(Settings { passive: true, ..settings() });
    let outputs = bench.feed(Input::Start);
    assert!(!outputs.contains(&Output::Connect));
    assert_eq!((bench.session.state(), bench.session.deadline()), (StateName::Active, None));
    bench.connected(FIRST, Direction::Inbound);
    bench.say(FIRST, &[their_open().encode(), KEEPALIVE.to_vec()].concat());
    assert_eq!(bench.session.state(), StateName::Established);
}

#[test]
fn shutdown_texts_go_both_ways() {
    let mut bench = Bench::in_state(StateName::Established, settings());
    let outputs =
        bench.feed(Input::Stop { text: Some("maintenance until 04:00 — sorry".parse().unwrap()) });
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

#[test]
fn a_stop_is_final_until_a_start() {
    let mut bench = Bench::in_state(StateName::Established, settings());
    bench.feed(Input::Stop { text: None });
    assert_eq!(bench.session.deadline(), None);
    assert!(bench.session.told().is_empty());
    bench.feed(Input::Start);
    assert_eq!(bench.session.state(), StateName::Connect);
}

#[test]
fn a_refresh_tells_everything_of_one_family_again() {
    let mut bench = Bench::in_state(StateName::Established, settings());
    bench.want(&["198.18.0.0/24", "2001:db8:53::/48"]);
    let told = bench.session.told().clone();
    let outputs = bench.say(FIRST, &RouteRefresh::of(Family::Ipv6).encode());
    let again: Vec<Prefix> = updates(&outputs).iter().flat_map(Update::announced).collect();
    assert_eq!(again, ["2001:db8:53::/48".parse().unwrap()]);
    assert_eq!(bench.session.told(), &told);
    // A family that is not spoken here, and one request after another in one breath.
    assert_eq!(bench.say(FIRST, &RouteRefresh { afi: 25, subtype: Refresh::Request, safi: 70 }.encode()), []);
    let outputs = bench.say(FIRST, &RouteRefresh::of(Family::Ipv4).encode().repeat(500));
    assert_eq!(updates(&outputs).len(), 1);
}

/// A neighbour that asks on and on gets everything once, not without end.
#[test]
fn a_refresh_that_is_under_way_is_not_begun_anew() {
    let mut bench = Bench::in_state(StateName::Established, settings());
    bench.feed(Input::Wanted(Arc::new(many(5000, 5000))));
    bench.reads = false;
    let refresh = RouteRefresh::of(Family::Ipv4).encode();
    let mut outputs = bench.say(FIRST, &refresh);
    assert!(updates(&outputs).len() < 5000);
    bench.say(FIRST, &refresh);
    bench.reads = true;
    outputs.extend(bench.feed(Input::Written { connection: FIRST, octets: SEND_WINDOW + 4096 }));
    assert_eq!(updates(&outputs).iter().map(|update| update.announced().count()).sum::<usize>(), 5000);
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

#[test]
fn an_equal_wanted_set_sends_nothing() {
    let mut bench = Bench::in_state(StateName::Established, settings());
    assert_eq!(updates(&bench.want(&["198.18.0.0/24"])).len(), 1);
    assert_eq!(bench.want(&["198.18.0.0/24"]), []);
}

#[test]
fn a_withdraw_overtakes_announcements() {
    let mut bench = Bench::in_state(StateName::Established, settings());
    bench.want(&["198.18.0.0/24", "2001:db8:53::/48"]);
    let sent = updates(&bench.want(&["198.18.1.0/24"]));
    let order: Vec<(usize, usize)> =
        sent.iter().map(|update| (update.unreachable().count(), update.announced().count())).collect();
    assert_eq!(order, [(1, 0), (1, 0), (0, 1)]);
}

/// 10.0.0.0/24, 10.0.1.0/24 and so on, with so many different attributes.
fn many(count: u32, kinds: u32) -> RouteSet {
    let route = |i: u32| {
        let prefix = Prefix::new(std::net::Ipv4Addr::from(0x0a00_0000 + (i << 8)).into(), 24).unwrap();
        let mut attributes = Attributes::originated([10, 1, 0, 10].into());
        attributes.communities.insert(Community(i % kinds));
        (prefix, attributes)
    };
    (0..count).map(route).collect()
}

#[test]
fn prefixes_with_equal_attributes_share_messages() {
    let mut bench = Bench::in_state(StateName::Established, settings());
    let outputs = bench.feed(Input::Wanted(Arc::new(many(2000, 1))));
    // 4 octets each, 4096 less the attributes per message
    assert_eq!(updates(&outputs).len(), 2);
    let withdrawn = bench.feed(Input::Wanted(Arc::new(RouteSet::new())));
    assert_eq!(updates(&withdrawn).len(), 2);
    assert!(bench.session.told().is_empty());
}

#[test]
fn a_slow_neighbour_builds_no_backlog_and_gets_the_latest_news() {
    let mut bench = Bench::in_state(StateName::Established, settings());
    bench.reads = false;
    let asked = |outputs: &[Output]| -> usize {
        let sizes = outputs.iter().map(|output| match output {
            Output::Send { bytes, .. } => bytes.len(),
            Output::Connect | Output::Close { .. } | Output::Event(_) => 0,
        });
        sizes.sum()
    };
    let first = bench.feed(Input::Wanted(Arc::new(many(5000, 5000))));
    assert!(asked(&first) < SEND_WINDOW + 4096);
    assert!(bench.session.told().len() < 5000);
    // Nothing more while it does not read, whatever is wanted; then a withdraw of what it was told, no more.
    assert_eq!(asked(&bench.feed(Input::Wanted(Arc::new(RouteSet::new())))), 0);
    bench.reads = true;
    let rest = bench.feed(Input::Written { connection: FIRST, octets: asked(&first) });
    assert!(updates(&rest).iter().all(|update| update.announced().count() == 0));
    assert!(bench.session.told().is_empty());
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

#[test]
fn routes_that_do_not_fit_a_message_are_named_and_the_others_told() {
    let mut bench = Bench::in_state(StateName::Established, settings());
    let mut wanted = routes(&["198.18.0.0/24", "198.18.1.0/24", "198.18.2.0/24"]);
    let mut attributes = wanted.values().cloned();
    let mut long = attributes.next().unwrap();
    long.communities = (0..1100).map(Community).collect();
    let mut crossed = attributes.next().unwrap();
    crossed.next_hop = "2001:db8::1".parse().unwrap();
    wanted.insert("198.18.0.0/24".parse().unwrap(), long);
    wanted.insert("198.18.1.0/24".parse().unwrap(), crossed);
    let wanted = Arc::new(wanted);
    let outputs = bench.feed(Input::Wanted(Arc::clone(&wanted)));
    let told = events(&outputs);
    assert!(
        told[0].starts_with("cannot announce 198.18.0.0/24, 198.18.1.0/24: its attributes need"),
        "{told:?}"
    );
    assert_eq!(told[1], "announced 198.18.2.0/24");
    // Said once.
    assert_eq!(bench.feed(Input::Wanted(wanted)), []);
}

#[test]
fn a_neighbour_of_our_own_as_is_told_local_pref_and_no_longer_path() {
    let internal = Settings { peer_asn: settings().local_asn, ..settings() };
    let mut bench = Bench::in_state(StateName::OpenSent, internal);
    let mut open = Open { asn: settings().local_asn, ..their_open() };
    open.capabilities.pop();
    open.capabilities.push(Capability::FourOctetAsn(settings().local_asn));
    bench.say(FIRST, &[open.encode(), KEEPALIVE.to_vec()].concat());
    let outputs = bench.want(&["198.18.0.0/24"]);
    let Some(Message::Update(body)) = sent(&outputs).pop() else { panic!() };
    let Verdict::Accept(update) =
        Verdict::decode(&body, &Negotiated { peer_kind: PeerKind::Internal, ..negotiated() })
    else {
        panic!()
    };
    assert_eq!(update.attributes.local_pref, Some(100));
    assert_eq!(update.attributes.as_path.unwrap().networks().count(), 0);
}

/// RFC 4271 section 6.8, with both outcomes: ours is the larger identifier, or theirs.
#[test]
fn of_two_connections_the_one_of_the_larger_identifier_is_kept() {
    for (router_id, kept, closed) in [("10.1.0.1", FIRST, SECOND), ("10.1.0.99", SECOND, FIRST)] {
        let open = Open { router_id: router_id.parse().unwrap(), ..their_open() }.encode();
        let mut bench = Bench::in_state(StateName::OpenSent, settings());
        bench.connected(SECOND, Direction::Inbound);
        bench.say(FIRST, &open);
        let outputs = bench.say(SECOND, &open);
        assert!(outputs.contains(&Output::Close { connection: closed }), "{router_id}");
        assert_eq!(refusal(&outputs).error, ErrorCode::CONNECTION_COLLISION);
        bench.say(kept, &KEEPALIVE);
        assert_eq!(bench.session.state(), StateName::Established, "{router_id}");
    }
}

/// RFC 6286 section 2.3.
#[test]
fn equal_identifiers_are_told_apart_by_the_as_number() {
    let open = Open { router_id: settings().router_id, ..their_open() }.encode();
    let mut bench = Bench::in_state(StateName::OpenSent, settings());
    bench.connected(SECOND, Direction::Inbound);
    bench.say(FIRST, &open);
    // Ours is 64501, theirs 64500: the connection that we opened stays.
    assert!(bench.say(SECOND, &open).contains(&Output::Close { connection: SECOND }));
}

#[test]
fn a_connection_that_ends_leaves_its_rival_in_charge() {
    let mut bench = Bench::in_state(StateName::OpenConfirm, settings());
    bench.connected(SECOND, Direction::Inbound);
    bench.feed(Input::Closed { connection: FIRST });
    bench.say(SECOND, &[their_open().encode(), KEEPALIVE.to_vec()].concat());
    assert_eq!(bench.session.state(), StateName::Established);
    // What still arrives on the first one is nobody's.
    assert_eq!(bench.say(FIRST, &[0; 19]), []);
}

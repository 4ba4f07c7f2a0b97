//! The way up: who calls, what an OPEN says, which of two connections is kept.

use crate::bench::{Bench, FIRST, SECOND, events, routes, sent, settings, their_open};
use crate::{SECOND_OF_TIME, negotiated, our_open, refusal};
use bgp::session::{Direction, ErrorCode, HoldTime, Input, Notification, Output, Settings, StateName};
use bgp::wire::capability::Capability;
use bgp::wire::message::{KEEPALIVE, Message};
use bgp::wire::negotiated::Negotiated;
use bgp::wire::open::Open;
use bgp::wire::update::Verdict;
use terms::{Asn, Family};

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

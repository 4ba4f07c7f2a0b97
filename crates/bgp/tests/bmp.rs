//! BMP messages as bgpkit-parser reads them, and one conversation octet by octet.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

#[path = "support/arbitrary.rs"]
mod arbitrary;

use bgp::bmp::{Closed, Down, Ends, Figure, Message, Peer, Rib};
use bgp::session::{Ending, ErrorCode, Notification, Opens, PeerKind, Unsaid};
use bgp::wire::capability::Capability;
use bgp::wire::negotiated::Negotiated;
use bgp::wire::open::{HoldTime, Open};
use bgp::wire::update::Update;
use bgpkit_parser::models::BgpMessage;
use bgpkit_parser::parser::bmp::messages::{
    BmpMessage, BmpMessageBody, BmpMsgType, BmpPeerType, InitiationTlvType, PeerDownReason, PeerFlags,
    PerPeerFlags, StatType, StatsData, TerminationTlvType,
};
use bgpkit_parser::parser::bmp::parse_bmp_msg;
use proptest::prelude::*;
use std::net::{IpAddr, SocketAddr};
use terms::{Family, Prefix, RouterId, WallTime};

/// As the other parser reads it: all of it, and nothing is left.
fn read(message: &Message<'_>) -> BmpMessage {
    let octets = message.encode();
    let mut rest = bytes::Bytes::from(octets.clone());
    let parsed = parse_bmp_msg(&mut rest).unwrap_or_else(|error| panic!("{error}: {octets:02x?}"));
    assert!(rest.is_empty(), "{} octets too many", rest.len());
    assert_eq!(usize::try_from(parsed.common_header.msg_len).unwrap(), octets.len());
    parsed
}

fn peer() -> impl Strategy<Value = Peer> {
    (any::<IpAddr>(), arbitrary::asn(), 1u32.., any::<bool>()).prop_map(
        |(address, asn, router_id, four_octet_asn)| Peer {
            address,
            asn,
            router_id: RouterId::try_from(router_id).unwrap(),
            // A neighbour with a larger number has to know numbers of four octets.
            four_octet_asn: four_octet_asn || !asn.fits_two_octets(),
        },
    )
}

/// Until 2106.
fn time() -> impl Strategy<Value = WallTime> {
    (0..u64::from(u32::MAX) * 1000).prop_map(WallTime)
}

fn rib() -> impl Strategy<Value = Rib> {
    prop_oneof![Just(Rib::In), Just(Rib::Out)]
}

fn ending() -> impl Strategy<Value = Ending> {
    prop_oneof![
        arbitrary::notification().prop_map(Ending::Sent),
        Just(Ending::Unsaid(Unsaid::SendHoldTimerExpires)),
        arbitrary::notification().prop_map(Ending::Received),
        Just(Ending::Closed),
    ]
}

fn figure() -> impl Strategy<Value = Figure> {
    prop_oneof![
        any::<u64>().prop_map(Figure::AdjRibIn),
        (arbitrary::family(), any::<u64>()).prop_map(|(family, routes)| Figure::AdjRibInOf(family, routes)),
        any::<u32>().prop_map(Figure::TreatedAsWithdraw),
        any::<u64>().prop_map(Figure::AdjRibOut),
        (arbitrary::family(), any::<u64>()).prop_map(|(family, routes)| Figure::AdjRibOutOf(family, routes)),
    ]
}

/// What the header has to say about the peer.
fn assert_header(parsed: &BmpMessage, peer: &Peer, rib: Option<Rib>, at: WallTime) {
    let header = parsed.per_peer_header.expect("a header of the peer");
    let mut flags = PeerFlags::empty();
    flags.set(PeerFlags::ADDRESS_FAMILY_IPV6, peer.address.is_ipv6());
    flags.set(PeerFlags::AS_SIZE_16BIT, !peer.four_octet_asn);
    flags.set(PeerFlags::IS_POST_POLICY | PeerFlags::IS_ADJ_RIB_OUT, rib == Some(Rib::Out));
    assert_eq!(header.peer_type, BmpPeerType::Global);
    assert_eq!(header.peer_flags, PerPeerFlags::PeerFlags(flags));
    assert_eq!(header.peer_distinguisher, 0);
    assert_eq!(header.peer_ip, peer.address);
    assert_eq!(header.peer_asn.to_u32(), peer.asn.get());
    assert_eq!(u32::from(header.peer_bgp_id), peer.router_id.get());
    assert!((header.timestamp * 1000.0 - at.0 as f64).abs() < 0.5, "{} is not {at:?}", header.timestamp);
}

proptest! {
    #[test]
    fn initiation_names_the_speaker(name in "[ -~]{1,80}", description in "[ -~]{1,80}") {
        let parsed = read(&Message::Initiation { name: &name, description: &description });
        let BmpMessageBody::InitiationMessage(body) = parsed.message_body else { panic!("{parsed:?}") };
        let said: Vec<_> = body.tlvs.into_iter().map(|tlv| (tlv.info_type, tlv.info)).collect();
        prop_assert_eq!(
            said,
            [(InitiationTlvType::SysDescr, description), (InitiationTlvType::SysName, name)]
        );
    }

    #[test]
    fn termination_says_why(text in "[ -~]{1,80}", permanently: bool) {
        let reason = if permanently { Closed::Permanently } else { Closed::Administratively };
        let parsed = read(&Message::Termination { reason, text: &text });
        prop_assert_eq!(parsed.common_header.msg_type, BmpMsgType::TerminationMessage);
        let BmpMessageBody::TerminationMessage(body) = parsed.message_body else { panic!() };
        let said: Vec<String> = body.tlvs.iter().map(|tlv| format!("{:?}", tlv.info_value)).collect();
        let code = if permanently { "PermanentlyAdministrativelyClosed" } else { "AdministrativelyClosed" };
        prop_assert_eq!(&said, &[format!("Reason({code})"), format!("String({text:?})")]);
        prop_assert!(matches!(body.tlvs[0].info_type, TerminationTlvType::Reason));
    }

    #[test]
    fn peer_up_has_both_opens(
        peer in peer(), at in time(), ours in arbitrary::open(), theirs in arbitrary::open(), ports: (u16, u16),
    ) {
        let local = SocketAddr::new(peer.address, ports.0);
        let ends = Ends { local, remote: SocketAddr::new(peer.address, ports.1) };
        let opens = Opens { sent: ours.encode(), received: theirs.encode() };
        let message = Message::PeerUp { peer: &peer, at, ends, opens: &opens };
        // Behind the headers and the ends of the connection stand the OPENs as they are.
        prop_assert_eq!(&message.encode()[6 + 42 + 20..], [&opens.sent[..], &opens.received].concat());
        let parsed = read(&message);
        assert_header(&parsed, &peer, None, at);
        let BmpMessageBody::PeerUpNotification(body) = parsed.message_body else { panic!() };
        prop_assert_eq!((body.local_addr, body.local_port, body.remote_port), (local.ip(), ports.0, ports.1));
        for (said, open) in [(body.sent_open, &ours), (body.received_open, &theirs)] {
            let BgpMessage::Open(said) = said else { panic!("{said:?}") };
            prop_assert_eq!(u32::from(said.bgp_identifier), open.router_id.get());
            prop_assert_eq!(said.hold_time, open.hold_time.seconds());
        }
    }

    #[test]
    fn route_monitoring_has_the_update_and_says_whose(
        peer in peer(), rib in rib(), at in proptest::option::of(time()),
        (negotiated, update) in arbitrary::update(),
    ) {
        let negotiated = Negotiated { add_path: Default::default(), four_octet_asn: peer.four_octet_asn, ..negotiated };
        let Ok(update) = update.encode(&negotiated) else { return Ok(()) };
        let message = Message::RouteMonitoring { peer: &peer, rib, at, update: &update };
        prop_assert_eq!(&message.encode()[6 + 42..], &update[..]);
        let parsed = read(&message);
        assert_header(&parsed, &peer, Some(rib), at.unwrap_or_default());
        prop_assert!(matches!(parsed.message_body, BmpMessageBody::RouteMonitoring(_)));
    }

    #[test]
    fn peer_down_says_why(peer in peer(), at in time(), ending in ending()) {
        let parsed = read(&Message::PeerDown { peer: &peer, at, reason: Down::Ended(&ending) });
        assert_header(&parsed, &peer, None, at);
        let BmpMessageBody::PeerDownNotification(body) = parsed.message_body else { panic!() };
        let expected = match &ending {
            Ending::Sent(said) => {
                (PeerDownReason::LocalSystemClosedNotificationPduFollows, Some(said.encode()))
            }
            Ending::Unsaid(_) => (PeerDownReason::LocalSystemClosedFsmEvenFollows, Some(vec![0, 29])),
            Ending::Received(said) => {
                (PeerDownReason::RemoteSystemClosedNotificationPduFollows, Some(said.encode()))
            }
            Ending::Closed => (PeerDownReason::RemoteSystemsClosedNoData, None),
        };
        prop_assert_eq!((body.reason, body.data), expected);
    }

    #[test]
    fn statistics_are_what_they_are(
        peer in peer(), at in time(), figures in proptest::collection::vec(figure(), 0..6),
    ) {
        let parsed = read(&Message::Statistics { peer: &peer, at, figures: &figures });
        assert_header(&parsed, &peer, None, at);
        let BmpMessageBody::StatsReport(body) = parsed.message_body else { panic!() };
        let said: Vec<_> =
            body.counters.into_iter().map(|counter| (counter.stat_type, counter.stat_data)).collect();
        let afi = |family| if family == Family::Ipv4 { 1 } else { 2 };
        let expected: Vec<_> = figures.iter().map(|figure| match *figure {
            Figure::AdjRibIn(routes) => (StatType::RoutesInAdjRibsIn, StatsData::Gauge(routes)),
            Figure::AdjRibInOf(family, routes) => {
                (StatType::RoutesInPerAfiSafiAdjRibIn, StatsData::AfiSafiGauge(afi(family), 1, routes))
            }
            Figure::TreatedAsWithdraw(updates) => {
                (StatType::UpdatesSubjectedToTreatAsWithdraw, StatsData::Counter(updates))
            }
            Figure::AdjRibOut(routes) => (StatType::RoutesInPostPolicyAdjRibOut, StatsData::Gauge(routes)),
            Figure::AdjRibOutOf(family, routes) => (
                StatType::RoutesInPerAfiSafiPostPolicyAdjRibOut,
                StatsData::AfiSafiGauge(afi(family), 1, routes),
            ),
        }).collect();
        prop_assert_eq!(said, expected);
    }
}

#[test]
fn what_is_taken_back_without_an_end_has_reason_five() {
    let peer = london();
    let parsed = read(&Message::PeerDown { peer: &peer, at: WallTime(0), reason: Down::Unmonitored });
    let BmpMessageBody::PeerDownNotification(body) = parsed.message_body else { panic!("{parsed:?}") };
    assert_eq!((body.reason, body.data), (PeerDownReason::PeerDeConfigured, None));
}

#[test]
fn a_text_without_end_is_cut_between_characters() {
    let long = "ü".repeat(40_000);
    let octets = Message::Termination { reason: Closed::Administratively, text: &long }.encode();
    assert_eq!(octets.len(), 6 + 6 + 4 + 1024);
    assert_eq!(str::from_utf8(&octets[16..]).unwrap(), "ü".repeat(512));
}

fn london() -> Peer {
    Peer {
        address: "192.0.2.1".parse().unwrap(),
        asn: "64500".parse().unwrap(),
        router_id: "10.1.0.1".parse().unwrap(),
        four_octet_asn: true,
    }
}

fn open(asn: &str, router_id: &str) -> Open {
    let asn = asn.parse().unwrap();
    Open {
        asn,
        hold_time: HoldTime::DEFAULT,
        router_id: router_id.parse().unwrap(),
        capabilities: vec![Capability::Multiprotocol(Family::Ipv4), Capability::FourOctetAsn(asn)],
    }
}

/// From the first word to the last.
#[test]
fn one_conversation() {
    let (peer, at) = (london(), WallTime(1_764_000_000_250));
    let negotiated = Negotiated::plain(PeerKind::External);
    let prefix: Prefix = "198.18.0.0/24".parse().unwrap();
    let withdraw = Update::withdraw(Family::Ipv4, [prefix]).encode(&negotiated).unwrap();
    let end = Update::end_of_rib(Family::Ipv4).encode(&negotiated).unwrap();
    let opens =
        Opens { sent: open("64501", "10.1.0.10").encode(), received: open("64500", "10.1.0.1").encode() };
    let ends = Ends { local: "192.0.2.2:40001".parse().unwrap(), remote: "192.0.2.1:179".parse().unwrap() };
    let cease = Ending::Sent(Notification::decided(
        ErrorCode::ADMINISTRATIVE_SHUTDOWN,
        Some(&"bye".parse().unwrap()),
    ));
    let of_peer = &peer;
    let monitoring = |rib, update| Message::RouteMonitoring { peer: of_peer, rib, at: Some(at), update };
    let figures = [Figure::TreatedAsWithdraw(1), Figure::AdjRibOut(2), Figure::AdjRibOutOf(Family::Ipv4, 2)];
    let words = [
        ("Initiation", Message::Initiation { name: "london", description: "Catchment 0.1.0" }),
        ("Peer Up", Message::PeerUp { peer: of_peer, at, ends, opens: &opens }),
        ("Route Monitoring, told", monitoring(Rib::Out, &withdraw)),
        ("Route Monitoring, told End-of-RIB", monitoring(Rib::Out, &end)),
        ("Route Monitoring, heard", monitoring(Rib::In, &end)),
        ("Statistics Report", Message::Statistics { peer: of_peer, at, figures: &figures }),
        ("Peer Down", Message::PeerDown { peer: of_peer, at, reason: Down::Ended(&cease) }),
        ("Termination", Message::Termination { reason: Closed::Administratively, text: "the site stops" }),
    ];
    let mut text = String::new();
    for (name, message) in words {
        text += &format!("{name}\n");
        for row in message.encode().chunks(16) {
            let octets: Vec<String> = row.iter().map(|octet| format!("{octet:02x}")).collect();
            text += &format!("  {}\n", octets.join(" "));
        }
    }
    insta::assert_snapshot!(text);
}

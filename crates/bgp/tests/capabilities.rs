//! Capabilities as octets, those whose form is wrong, and what two OPENs agree on.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use bgp::session::{ErrorCode, HoldTime, Notification};
use bgp::wire::capability::{AddPath, Capability, GracefulRestart};
use bgp::wire::message::{MAX_EXTENDED_MESSAGE, MAX_MESSAGE, Message};
use bgp::wire::negotiated::Negotiated;
use bgp::wire::open::Open;
use bgp::wire::role::{Relation, Role};
use proptest::prelude::*;
use terms::{Asn, Family};

const BOTH: AddPath = AddPath { receive: true, send: true };
const RECEIVE: AddPath = AddPath { receive: true, send: false };
const SEND: AddPath = AddPath { receive: false, send: true };

fn asn(number: u32) -> Asn {
    number.try_into().unwrap()
}

fn open(number: u32, capabilities: &[Capability]) -> Open {
    let families = Family::ALL.map(Capability::Multiprotocol);
    Open {
        asn: asn(number),
        hold_time: HoldTime::DEFAULT,
        router_id: number.try_into().unwrap(),
        capabilities: [&families[..], capabilities].concat(),
    }
}

/// The capability that a neighbour's octets mean.
fn read(octets: &[u8]) -> Result<Capability, Notification> {
    let length = u8::try_from(octets.len()).unwrap();
    let body = [&[4, 0xfb, 0xf4, 0, 9, 1, 1, 1, 1, length + 2, 2, length], octets].concat();
    let size = u16::try_from(19 + body.len()).unwrap().to_be_bytes();
    match Message::decode(&[&[0xff; 16][..], &size, &[1], &body].concat())? {
        Message::Open(mut open) => Ok(open.capabilities.pop().unwrap()),
        other => panic!("{other:?}"),
    }
}

fn graceful(time: u16) -> GracefulRestart {
    GracefulRestart { time, ..GracefulRestart::default() }
}

#[test]
fn octets() {
    let restart = GracefulRestart {
        restarting: true,
        notification: true,
        time: 120,
        families: [(Family::Ipv4, true), (Family::Ipv6, false)].into(),
    };
    let rows: [(&[u8], Capability); 9] = [
        (&[1, 4, 0, 2, 0, 1], Capability::Multiprotocol(Family::Ipv6)),
        (&[2, 0], Capability::RouteRefresh),
        (&[5, 6, 0, 1, 0, 1, 0, 2], Capability::ExtendedNextHop([Family::Ipv4].into())),
        (&[6, 0], Capability::ExtendedMessage),
        (&[9, 1, 3], Capability::Role(Role::Customer)),
        (&[64, 10, 0xc0, 120, 0, 1, 1, 0x80, 0, 2, 1, 0], Capability::GracefulRestart(restart)),
        (&[65, 4, 0, 1, 0, 0], Capability::FourOctetAsn(asn(65536))),
        (
            &[69, 8, 0, 1, 1, 1, 0, 2, 1, 3],
            Capability::AddPath([(Family::Ipv4, RECEIVE), (Family::Ipv6, BOTH)].into()),
        ),
        (&[70, 0], Capability::EnhancedRouteRefresh),
    ];
    for (octets, capability) in rows {
        assert_eq!(read(octets).unwrap(), capability);
        let message = Open { capabilities: vec![capability], ..open(64500, &[]) }.encode();
        assert!(message.ends_with(octets), "{message:02x?}");
    }
}

#[test]
fn what_the_session_needs_must_have_the_right_form() {
    for octets in [&[1, 3, 0, 1, 0][..], &[2, 1, 0], &[65, 2, 0, 1], &[65, 9, 1]] {
        assert_eq!(read(octets), Err(ErrorCode::OPEN_UNSPECIFIC.into()), "{octets:?}");
    }
    assert_eq!(read(&[65, 4, 0, 0, 0, 0]), Err(ErrorCode::BAD_PEER_AS.into()));
}

#[test]
fn an_extra_of_the_wrong_form_is_ignored() {
    for octets in [
        &[5, 5, 0, 1, 0, 1, 0][..],
        &[6, 1, 0],
        &[9, 0],
        &[9, 2, 0, 0],
        &[9, 1, 5],
        &[64, 1, 0],
        &[64, 5, 0, 120, 0, 1, 1],
        &[69, 3, 0, 1, 1],
        &[70, 1, 0],
    ] {
        let ignored = Capability::Unknown { code: octets[0], value: octets[2..].to_vec() };
        assert_eq!(read(octets), Ok(ignored));
    }
}

#[test]
fn entries_that_mean_nothing_are_left_out() {
    // RFC 7911 section 4: values 0 and 4; VPN routes
    let entries = [69, 16, 0, 1, 1, 0, 0, 2, 1, 4, 0, 1, 128, 1, 0, 2, 1, 2];
    assert_eq!(read(&entries).unwrap(), Capability::AddPath([(Family::Ipv6, SEND)].into()));
    // RFC 8950: an IPv4 next hop adds nothing
    assert_eq!(read(&[5, 6, 0, 1, 0, 1, 0, 1]).unwrap(), Capability::ExtendedNextHop([].into()));
    assert_eq!(read(&[64, 6, 0, 9, 0, 25, 70, 0x80]).unwrap(), Capability::GracefulRestart(graceful(9)));
}

#[test]
fn a_restart_time_is_cut_to_its_twelve_bits() {
    let message = open(64500, &[Capability::GracefulRestart(graceful(u16::MAX))]).encode();
    assert!(message.ends_with(&[64, 2, 0x0f, 0xff]));
}

fn between(ours: &[Capability], theirs: &[Capability]) -> Result<Negotiated, Notification> {
    Negotiated::between(&open(64501, ours), &open(64500, theirs), asn(64500))
}

/// Whatever one side offers alone has no effect.
#[test]
fn extras_take_two() {
    let extras = [
        Capability::ExtendedMessage,
        Capability::EnhancedRouteRefresh,
        Capability::AddPath([(Family::Ipv4, BOTH)].into()),
        Capability::ExtendedNextHop([Family::Ipv4].into()),
        Capability::GracefulRestart(graceful(9)),
    ];
    let nothing = between(&[], &[]).unwrap();
    assert_eq!(between(&extras, &[]).unwrap(), nothing);
    assert_eq!(between(&[], &extras).unwrap(), nothing);
    assert_eq!(nothing.max_message(), MAX_MESSAGE);

    let all = between(&extras, &extras).unwrap();
    assert_eq!(all.max_message(), MAX_EXTENDED_MESSAGE);
    assert!(all.extended_messages && all.enhanced_refresh);
    assert_eq!(all.extended_next_hop, [Family::Ipv4].into());
    assert_eq!(all.graceful, Some(graceful(9)));
    assert_eq!((all.add_path(Family::Ipv4), all.add_path(Family::Ipv6)), (BOTH, AddPath::default()));
}

/// RFC 7911 section 4: we receive what they send.
#[test]
fn path_identifiers_have_a_direction() {
    let nothing = AddPath::default();
    for (ours, theirs, agreed) in [
        (RECEIVE, SEND, RECEIVE),
        (SEND, RECEIVE, SEND),
        (BOTH, SEND, RECEIVE),
        (RECEIVE, RECEIVE, nothing),
        (SEND, SEND, nothing),
        (BOTH, BOTH, BOTH),
    ] {
        let capability = |ability| [Capability::AddPath([(Family::Ipv6, ability)].into())];
        let negotiated = between(&capability(ours), &capability(theirs)).unwrap();
        assert_eq!(negotiated.add_path(Family::Ipv6), agreed);
        assert_eq!(negotiated.add_path.is_empty(), agreed == nothing);
    }
}

/// RFC 4724 section 3: of several the last one counts; RFC 8538 section 2: the N bit takes two.
#[test]
fn the_restart_is_the_neighbours() {
    let bit =
        |notification, time| Capability::GracefulRestart(GracefulRestart { notification, ..graceful(time) });
    let agreed = |ours, theirs: &[Capability]| between(&[ours], theirs).unwrap().graceful.unwrap();
    assert_eq!(agreed(bit(true, 1), &[bit(true, 7), bit(true, 9)]).time, 9);
    let cut_short = Capability::Unknown { code: 64, value: vec![0] };
    assert_eq!(between(&[bit(true, 1)], &[bit(true, 7), cut_short]).unwrap().graceful, None);
    for (ours, theirs) in [(false, false), (false, true), (true, false), (true, true)] {
        assert_eq!(agreed(bit(ours, 1), &[bit(theirs, 9)]).notification, ours && theirs);
    }
}

/// RFC 9234 section 4.2, table 2: every pair.
#[test]
fn roles() {
    let pairs = [
        (Role::Provider, Role::Customer),
        (Role::Customer, Role::Provider),
        (Role::RouteServer, Role::RouteServerClient),
        (Role::RouteServerClient, Role::RouteServer),
        (Role::Peer, Role::Peer),
    ];
    for ours in Role::ALL {
        for theirs in Role::ALL {
            let verdict = between(&[Capability::Role(ours)], &[Capability::Role(theirs)]);
            match pairs.contains(&(ours, theirs)) {
                true => assert_eq!(verdict.unwrap().relation, Some(Relation { role: ours, is_mutual: true })),
                false => assert_eq!(verdict, Err(ErrorCode::ROLE_MISMATCH.into()), "{ours} {theirs}"),
            }
        }
    }
}

#[test]
fn roles_that_are_missing_repeated_or_unknown() {
    let peer = Capability::Role(Role::Peer);
    let customer = Capability::Role(Role::Customer);
    let unknown = Capability::Unknown { code: 9, value: vec![5] };
    let ours = std::slice::from_ref(&peer);
    let mismatch = Err(ErrorCode::ROLE_MISMATCH.into());

    let alone = Relation { role: Role::Peer, is_mutual: false };
    assert_eq!(between(ours, &[]).unwrap().relation, Some(alone));
    assert_eq!(between(&[], ours).unwrap().relation, None);
    assert!(between(ours, &[peer.clone(), peer.clone()]).is_ok());
    assert_eq!(between(ours, &[peer.clone(), customer.clone()]), mismatch);
    assert_eq!(between(ours, std::slice::from_ref(&unknown)), mismatch);
    assert_eq!(between(ours, &[peer.clone(), unknown.clone()]), mismatch);
    assert_eq!(between(&[], &[peer.clone(), customer]), mismatch, "whatever we are");
    assert!(open(64500, &[unknown]).has_role() && !open(64500, &[]).has_role());
}

proptest! {
    #[test]
    fn arbitrary_values_never_panic(code: u8, value in proptest::collection::vec(any::<u8>(), 0..40)) {
        let length = u8::try_from(value.len()).unwrap();
        let _ = read(&[&[code, length][..], &value].concat());
    }
}

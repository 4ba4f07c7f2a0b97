//! RFC 7606 as a table: one fault per row, and the action that it demands.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use bgp::session::{ErrorCode, PeerKind};
use bgp::wire::attribute::{AttributeCode, Fault, Handling};
use bgp::wire::negotiated::Negotiated;
use bgp::wire::update::Verdict;
use terms::Family;

const WELL_KNOWN: u8 = 0x40;
const OPTIONAL: u8 = 0x80;
const OPTIONAL_TRANSITIVE: u8 = 0xc0;

/// One attribute as it is on the wire.
type Raw = Vec<u8>;

fn raw(flags: u8, code: u8, value: &[u8]) -> Raw {
    let length = u8::try_from(value.len()).unwrap();
    [&[flags, code, length], value].concat()
}

/// A flawless announcement of 192.0.2.0/24: what the rows damage.
fn flawless() -> Vec<Raw> {
    vec![
        raw(WELL_KNOWN, 1, &[0]),
        raw(WELL_KNOWN, 2, &[2, 1, 0, 0, 0xfb, 0xf4]),
        raw(WELL_KNOWN, 3, &[10, 0, 0, 1]),
    ]
}

fn without(code: u8) -> Vec<Raw> {
    flawless().into_iter().filter(|raw| raw[1] != code).collect()
}

/// The flawless attributes, the one of that type replaced or added.
fn with(flags: u8, code: u8, value: &[u8]) -> Vec<Raw> {
    without(code).into_iter().chain([raw(flags, code, value)]).collect()
}

/// The flawless attributes and these octets.
fn and(octets: Raw) -> Vec<Raw> {
    flawless().into_iter().chain([octets]).collect()
}

/// What an IPv6 announcement needs, and MP_REACH_NLRI.
fn ipv6(flags: u8, value: &[u8]) -> Vec<Raw> {
    without(3).into_iter().chain([raw(flags, 14, value)]).collect()
}

const NLRI: &[u8] = &[24, 192, 0, 2];

fn body(withdrawn: &[u8], attributes: &[Raw], nlri: &[u8]) -> Vec<u8> {
    let attributes = attributes.concat();
    let length = |octets: &[u8]| u16::try_from(octets.len()).unwrap().to_be_bytes();
    [&length(withdrawn)[..], withdrawn, &length(&attributes)[..], &attributes, nlri].concat()
}

fn announce(attributes: &[Raw]) -> Vec<u8> {
    body(&[], attributes, NLRI)
}

fn judge(body: &[u8], peer_kind: PeerKind, four_octet_asn: bool) -> Verdict {
    let negotiated = Negotiated { four_octet_asn, ..Negotiated::plain(peer_kind) };
    Verdict::decode(body, &negotiated)
}

/// The action a row demands, and the attribute or error it is about.
#[derive(Debug, PartialEq)]
enum Action {
    Accept,
    Discard(u8),
    Withdraw(u8),
    Reset(ErrorCode),
}

fn action(verdict: Verdict) -> Action {
    let worst = |faults: &[Fault], handling| {
        let fault = faults.iter().find(|fault| fault.handling == handling).unwrap();
        let AttributeCode(code) = fault.attribute;
        code
    };
    match verdict {
        Verdict::Accept(_) => Action::Accept,
        Verdict::DiscardAttribute(_, faults) => Action::Discard(worst(&faults, Handling::Discard)),
        Verdict::TreatAsWithdraw(_, faults) => Action::Withdraw(worst(&faults, Handling::Withdraw)),
        Verdict::Reset(notification) => Action::Reset(notification.error),
    }
}

/// An IPv6 announcement: next hop and one /48.
fn mp_reach(next_hop: &[u8], nlri: &[u8]) -> Vec<u8> {
    let length = u8::try_from(next_hop.len()).unwrap();
    [&[0, 2, 1, length][..], next_hop, &[0], nlri].concat()
}

const NLRI6: &[u8] = &[48, 0x20, 0x01, 0x0d, 0xb8, 0, 0x53];

#[test]
fn external_neighbours() {
    use Action::{Accept, Discard, Reset, Withdraw};
    let rows: Vec<(&str, Vec<u8>, Action)> = vec![
        ("flawless", announce(&flawless()), Accept),
        // RFC 4271 section 6.3, RFC 7606 section 3: lengths of the sections
        (
            "withdrawn longer than the message",
            vec![0, 9, 24, 192, 0, 2, 0, 0],
            Reset(ErrorCode::MALFORMED_ATTRIBUTE_LIST),
        ),
        (
            "attributes longer than the message",
            vec![0, 0, 0, 9, 0x40, 1, 1],
            Reset(ErrorCode::MALFORMED_ATTRIBUTE_LIST),
        ),
        // section 3c: flags
        ("ORIGIN as optional", announce(&with(OPTIONAL_TRANSITIVE, 1, &[0])), Withdraw(1)),
        ("AS_PATH not transitive", announce(&with(0, 2, &[])), Withdraw(2)),
        ("MED as transitive", announce(&with(OPTIONAL_TRANSITIVE, 4, &[0; 4])), Withdraw(4)),
        ("communities not transitive", announce(&with(OPTIONAL, 8, &[0; 4])), Withdraw(8)),
        ("partial bit on a well-known one", announce(&with(0x60, 1, &[0])), Accept),
        ("unused flag bits", announce(&with(0x4f, 1, &[0])), Accept),
        // section 3d: mandatory attributes
        ("no ORIGIN", announce(&without(1)), Withdraw(1)),
        ("no AS_PATH", announce(&without(2)), Withdraw(2)),
        ("no NEXT_HOP", announce(&without(3)), Withdraw(3)),
        ("no attribute at all", announce(&[]), Withdraw(1)),
        ("withdraw without attributes", body(NLRI, &[], &[]), Accept),
        // section 3g: repeated
        ("ORIGIN twice", announce(&and(raw(WELL_KNOWN, 1, &[9]))), Discard(1)),
        (
            "MP_REACH_NLRI twice",
            body(&[], &[flawless(), vec![raw(OPTIONAL, 14, &mp_reach(&[1; 16], NLRI6)); 2]].concat(), &[]),
            Reset(ErrorCode::MALFORMED_ATTRIBUTE_LIST),
        ),
        (
            "MP_UNREACH_NLRI twice",
            body(&[], &vec![raw(OPTIONAL, 15, &[0, 2, 1]); 2], &[]),
            Reset(ErrorCode::MALFORMED_ATTRIBUTE_LIST),
        ),
        // section 3h: the strongest action counts
        (
            "one to discard, one to withdraw",
            announce(&[with(WELL_KNOWN, 1, &[7]), vec![raw(WELL_KNOWN, 6, &[1])]].concat()),
            Withdraw(1),
        ),
        // sections 3i, 3j, 5.3: prefixes
        ("withdrawn /33", body(&[33, 1, 1, 1, 1, 1], &[], &[]), Reset(ErrorCode::INVALID_NETWORK_FIELD)),
        ("withdrawn cut short", body(&[24, 192, 0], &[], &[]), Reset(ErrorCode::INVALID_NETWORK_FIELD)),
        ("NLRI /33", body(&[], &flawless(), &[33, 1, 1, 1, 1, 1]), Reset(ErrorCode::INVALID_NETWORK_FIELD)),
        ("NLRI cut short", body(&[], &flawless(), &[24, 192]), Reset(ErrorCode::INVALID_NETWORK_FIELD)),
        ("bits beyond the length", body(&[], &flawless(), &[23, 192, 0, 3]), Accept),
        // section 4: framing
        ("attribute longer than the list", announce(&and(vec![0x80, 4, 9, 0])), Withdraw(4)),
        ("one octet at the end of the list", announce(&and(vec![0x80])), Withdraw(0)),
        // section 5.2: nothing to withdraw
        (
            "fault without prefixes",
            body(&[], &with(WELL_KNOWN, 1, &[7]), &[]),
            Reset(ErrorCode::MALFORMED_ATTRIBUTE_LIST),
        ),
        ("discard without prefixes", body(&[], &with(WELL_KNOWN, 6, &[7]), &[]), Discard(6)),
        // RFC 4271 section 6.3: unknown attributes
        (
            "unknown well-known",
            announce(&and(raw(WELL_KNOWN, 99, &[]))),
            Reset(ErrorCode::UNRECOGNIZED_WELL_KNOWN),
        ),
        ("unknown optional", announce(&and(raw(OPTIONAL, 99, &[1, 2, 3]))), Accept),
        // section 7.1
        ("ORIGIN 3", announce(&with(WELL_KNOWN, 1, &[3])), Withdraw(1)),
        ("ORIGIN of two octets", announce(&with(WELL_KNOWN, 1, &[0, 0])), Withdraw(1)),
        ("ORIGIN of no octet", announce(&with(WELL_KNOWN, 1, &[])), Withdraw(1)),
        // section 7.2
        ("empty AS_PATH", announce(&with(WELL_KNOWN, 2, &[])), Accept),
        ("segment type 9", announce(&with(WELL_KNOWN, 2, &[9, 1, 0, 0, 0, 1])), Withdraw(2)),
        ("empty segment", announce(&with(WELL_KNOWN, 2, &[2, 0])), Withdraw(2)),
        ("segment cut short", announce(&with(WELL_KNOWN, 2, &[2, 2, 0, 0, 0, 1])), Withdraw(2)),
        ("one octet behind a segment", announce(&with(WELL_KNOWN, 2, &[2, 1, 0, 0, 0, 1, 2])), Withdraw(2)),
        // RFC 5065 section 5
        ("confederation", announce(&with(WELL_KNOWN, 2, &[3, 1, 0, 0, 0, 1])), Withdraw(2)),
        // RFC 7607
        ("AS 0 in the path", announce(&with(WELL_KNOWN, 2, &[2, 1, 0, 0, 0, 0])), Withdraw(2)),
        ("AS 0 as aggregator", announce(&with(OPTIONAL_TRANSITIVE, 7, &[0; 8])), Discard(7)),
        // section 7.3
        ("NEXT_HOP of three octets", announce(&with(WELL_KNOWN, 3, &[10, 0, 0])), Withdraw(3)),
        ("NEXT_HOP 0.0.0.0", announce(&with(WELL_KNOWN, 3, &[0; 4])), Withdraw(3)),
        ("NEXT_HOP of a group", announce(&with(WELL_KNOWN, 3, &[224, 0, 0, 1])), Withdraw(3)),
        // section 7.4
        ("MED of three octets", announce(&with(OPTIONAL, 4, &[0; 3])), Withdraw(4)),
        // section 7.5
        ("LOCAL_PREF", announce(&with(WELL_KNOWN, 5, &[0, 0, 0, 1])), Discard(5)),
        ("LOCAL_PREF of wrong length", announce(&with(WELL_KNOWN, 5, &[1])), Discard(5)),
        // section 7.6
        ("ATOMIC_AGGREGATE with a value", announce(&with(WELL_KNOWN, 6, &[0])), Discard(6)),
        // section 7.7
        ("AGGREGATOR of six octets", announce(&with(OPTIONAL_TRANSITIVE, 7, &[1; 6])), Discard(7)),
        ("AGGREGATOR of nine octets", announce(&with(OPTIONAL_TRANSITIVE, 7, &[1; 9])), Discard(7)),
        // section 7.8
        ("no community", announce(&with(OPTIONAL_TRANSITIVE, 8, &[])), Withdraw(8)),
        ("half a community", announce(&with(OPTIONAL_TRANSITIVE, 8, &[0; 6])), Withdraw(8)),
        // section 7.14
        ("no extended community", announce(&with(OPTIONAL_TRANSITIVE, 16, &[])), Withdraw(16)),
        ("half an extended community", announce(&with(OPTIONAL_TRANSITIVE, 16, &[0; 12])), Withdraw(16)),
        // RFC 8092 section 6
        ("no large community", announce(&with(OPTIONAL_TRANSITIVE, 32, &[])), Withdraw(32)),
        ("half a large community", announce(&with(OPTIONAL_TRANSITIVE, 32, &[0; 16])), Withdraw(32)),
        // sections 5.3, 7.11, 7.12
        ("IPv6", body(&[], &ipv6(OPTIONAL, &mp_reach(&[1; 16], NLRI6)), &[]), Accept),
        ("IPv6 with link-local", body(&[], &ipv6(OPTIONAL, &mp_reach(&[1; 32], NLRI6)), &[]), Accept),
        (
            "IPv6 next hop of 4 octets",
            body(&[], &ipv6(OPTIONAL, &mp_reach(&[1; 4], NLRI6)), &[]),
            Reset(ErrorCode::OPTIONAL_ATTRIBUTE),
        ),
        (
            "IPv6 /129",
            body(&[], &ipv6(OPTIONAL, &mp_reach(&[1; 16], &[[129].as_slice(), &[1; 17]].concat())), &[]),
            Reset(ErrorCode::OPTIONAL_ATTRIBUTE),
        ),
        (
            "MP_REACH_NLRI cut short",
            body(&[], &ipv6(OPTIONAL, &[0, 2, 1, 16, 0]), &[]),
            Reset(ErrorCode::OPTIONAL_ATTRIBUTE),
        ),
        (
            "MP_REACH_NLRI with wrong flags",
            body(&[], &ipv6(OPTIONAL_TRANSITIVE, &mp_reach(&[1; 16], NLRI6)), &[]),
            Withdraw(14),
        ),
        (
            "IPv6 without ORIGIN",
            body(&[], &[raw(OPTIONAL, 14, &mp_reach(&[1; 16], NLRI6)), raw(WELL_KNOWN, 2, &[])], &[]),
            Withdraw(1),
        ),
        ("multicast routes", body(&[], &and(raw(OPTIONAL, 14, &[0, 2, 2, 0, 0])), NLRI), Discard(14)),
        (
            "MP_UNREACH_NLRI /129",
            body(&[], &[raw(OPTIONAL, 15, &[0, 2, 1, 129, 0])], &[]),
            Reset(ErrorCode::OPTIONAL_ATTRIBUTE),
        ),
        (
            "MP_UNREACH_NLRI of two octets",
            body(&[], &[raw(OPTIONAL, 15, &[0, 2])], &[]),
            Reset(ErrorCode::OPTIONAL_ATTRIBUTE),
        ),
        // RFC 6793 section 4.1
        (
            "AS4_PATH from a new speaker",
            announce(&and(raw(OPTIONAL_TRANSITIVE, 17, &[2, 1, 0, 1, 0, 0]))),
            Discard(17),
        ),
        (
            "AS4_AGGREGATOR from a new speaker",
            announce(&and(raw(OPTIONAL_TRANSITIVE, 18, &[1; 8]))),
            Discard(18),
        ),
    ];
    for (name, body, wanted) in rows {
        assert_eq!(action(judge(&body, PeerKind::External, true)), wanted, "{name}");
    }
}

#[test]
fn internal_neighbours() {
    use Action::{Accept, Withdraw};
    let rows = [
        ("LOCAL_PREF", announce(&with(WELL_KNOWN, 5, &[0, 0, 0, 1])), Accept),
        ("LOCAL_PREF of wrong length", announce(&with(WELL_KNOWN, 5, &[1])), Withdraw(5)),
        ("a confederation's own path", announce(&with(WELL_KNOWN, 2, &[3, 1, 0, 0, 0, 1])), Accept),
    ];
    for (name, body, wanted) in rows {
        assert_eq!(action(judge(&body, PeerKind::Internal, true)), wanted, "{name}");
    }
}

#[test]
fn neighbours_that_know_two_octets() {
    use Action::{Accept, Discard, Withdraw};
    let path = raw(WELL_KNOWN, 2, &[2, 1, 0xfb, 0xf4]);
    let old = |more: &[Raw]| {
        let list = [without(2), vec![path.clone()], more.to_vec()].concat();
        announce(&list)
    };
    let rows = [
        ("flawless", old(&[]), Accept),
        ("four octets", announce(&flawless()), Withdraw(2)),
        ("AS4_PATH", old(&[raw(OPTIONAL_TRANSITIVE, 17, &[2, 1, 0, 1, 0, 0])]), Accept),
        ("AS4_PATH cut short", old(&[raw(OPTIONAL_TRANSITIVE, 17, &[2, 2, 0, 1, 0, 0])]), Discard(17)),
        ("AS 0 in AS4_PATH", old(&[raw(OPTIONAL_TRANSITIVE, 17, &[2, 1, 0, 0, 0, 0])]), Discard(17)),
        ("AGGREGATOR", old(&[raw(OPTIONAL_TRANSITIVE, 7, &[1; 6])]), Accept),
        ("AGGREGATOR of eight octets", old(&[raw(OPTIONAL_TRANSITIVE, 7, &[1; 8])]), Discard(7)),
        ("AS4_AGGREGATOR of six octets", old(&[raw(OPTIONAL_TRANSITIVE, 18, &[1; 6])]), Discard(18)),
    ];
    for (name, body, wanted) in rows {
        assert_eq!(action(judge(&body, PeerKind::External, false)), wanted, "{name}");
    }
}

/// A treat-as-withdraw takes back everything that the UPDATE names, whichever field it is in.
#[test]
fn a_withdraw_names_every_prefix() {
    let list = [with(WELL_KNOWN, 1, &[9]), vec![raw(OPTIONAL, 14, &mp_reach(&[1; 16], NLRI6))]].concat();
    let verdict = judge(&body(&[16, 198, 18], &list, NLRI), PeerKind::External, true);
    let Verdict::TreatAsWithdraw(prefixes, _) = verdict else { panic!("{verdict:?}") };
    let named: Vec<String> = prefixes.iter().map(ToString::to_string).collect();
    assert_eq!(named, ["198.18.0.0/16", "192.0.2.0/24", "2001:db8:53::/48"]);
}

/// RFC 4271 section 6.3: the NOTIFICATION quotes the whole attribute.
#[test]
fn a_reset_quotes_the_attribute() {
    let unknown = raw(WELL_KNOWN, 99, &[1, 2]);
    match judge(&announce(&and(unknown.clone())), PeerKind::External, true) {
        Verdict::Reset(notification) => assert_eq!(notification.data, unknown),
        other => panic!("{other:?}"),
    }
}

/// Routes of a family that the session does not carry are ignored, with or without faults.
#[test]
fn families_that_were_not_negotiated() {
    let negotiated = Negotiated { families: [Family::Ipv6].into(), ..Negotiated::plain(PeerKind::External) };
    match Verdict::decode(&announce(&flawless()), &negotiated) {
        Verdict::DiscardAttribute(update, _) => assert_eq!(update.announced().count(), 0),
        other => panic!("{other:?}"),
    }
    let faulty = Verdict::decode(&announce(&with(WELL_KNOWN, 1, &[9])), &negotiated);
    assert!(matches!(faulty, Verdict::TreatAsWithdraw(prefixes, _) if prefixes.is_empty()));
}

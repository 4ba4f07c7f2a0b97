//! The rows: UPDATEs with one fault each.

use super::Session;
use super::octets::{
    HOP6, NLRI, NLRI6, OPTIONAL, OPTIONAL_TRANSITIVE, Raw, WELL_KNOWN, alone, and, announce, body, both,
    flawless, gone, mp_reach, raw, reach, with, without,
};

pub(super) struct Row {
    /// Where the RFC says so.
    pub(super) section: &'static str,
    pub(super) name: &'static str,
    pub(super) session: Session,
    pub(super) body: Vec<u8>,
}

/// Rows of one section, all with the same kind of session.
fn section<const N: usize>(
    section: &'static str,
    session: Session,
    rows: [(&'static str, Vec<u8>); N],
) -> impl Iterator<Item = Row> {
    rows.into_iter().map(move |(name, body)| Row { section, name, session, body })
}

/// Rows about one attribute: its flags, and values that it may not have.
fn values<const N: usize>(
    about: &'static str,
    flags: u8,
    code: u8,
    rows: [(&'static str, &[u8]); N],
) -> impl Iterator<Item = Row> {
    section(about, Session::Plain, rows.map(|(name, value)| (name, announce(&with(flags, code, value)))))
}

pub(super) fn rows() -> Vec<Row> {
    let everything: [Box<dyn Iterator<Item = Row>>; 4] =
        [Box::new(message()), Box::new(attributes()), Box::new(prefixes()), Box::new(old_neighbours())];
    everything.into_iter().flatten().collect()
}

/// Lengths, flags, what is missing, what is there twice.
fn message() -> impl Iterator<Item = Row> {
    section(
        "4271 6.3",
        Session::Plain,
        [
            ("flawless", announce(&flawless())),
            ("withdrawn routes longer than the message", vec![0, 9, 24, 192, 0, 2, 0, 0]),
            ("attributes longer than the message", vec![0, 0, 0, 9, 0x40, 1, 1]),
            ("unknown well-known attribute", announce(&and(raw(WELL_KNOWN, 99, &[])))),
            ("unknown optional attribute", announce(&and(raw(OPTIONAL, 99, &[1, 2, 3])))),
            ("unknown optional transitive attribute", announce(&and(raw(OPTIONAL_TRANSITIVE, 99, &[])))),
        ],
    )
    .chain(section(
        "7606 3c",
        Session::Plain,
        [
            ("ORIGIN as optional", announce(&with(OPTIONAL_TRANSITIVE, 1, &[0]))),
            ("ORIGIN not transitive", announce(&with(0, 1, &[0]))),
            ("ORIGIN with the Partial bit", announce(&with(0x60, 1, &[0]))),
            ("ORIGIN with unused flag bits", announce(&with(0x4f, 1, &[0]))),
            ("AS_PATH as optional", announce(&with(OPTIONAL_TRANSITIVE, 2, &[]))),
            ("NEXT_HOP as optional", announce(&with(OPTIONAL_TRANSITIVE, 3, &[10, 0, 0, 1]))),
            ("MULTI_EXIT_DISC as transitive", announce(&with(OPTIONAL_TRANSITIVE, 4, &[0; 4]))),
            ("LOCAL_PREF as optional", announce(&with(OPTIONAL_TRANSITIVE, 5, &[0; 4]))),
            ("ATOMIC_AGGREGATE as optional", announce(&with(OPTIONAL_TRANSITIVE, 6, &[]))),
            ("AGGREGATOR as well-known", announce(&with(WELL_KNOWN, 7, &[1; 8]))),
            ("COMMUNITIES not transitive", announce(&with(OPTIONAL, 8, &[0; 4]))),
            ("ORIGINATOR_ID as transitive", announce(&with(OPTIONAL_TRANSITIVE, 9, &[1; 4]))),
            ("CLUSTER_LIST as transitive", announce(&with(OPTIONAL_TRANSITIVE, 10, &[1; 4]))),
            ("EXTENDED_COMMUNITIES not transitive", announce(&with(OPTIONAL, 16, &[0; 8]))),
            ("LARGE_COMMUNITY not transitive", announce(&with(OPTIONAL, 32, &[0; 12]))),
            ("ONLY_TO_CUSTOMER not transitive", announce(&with(OPTIONAL, 35, &[0, 0, 0, 1]))),
        ],
    ))
    .chain(section(
        "7606 3d",
        Session::Plain,
        [
            ("no ORIGIN", announce(&without(1))),
            ("no AS_PATH", announce(&without(2))),
            ("no NEXT_HOP", announce(&without(3))),
            ("no attribute at all", announce(&[])),
            ("IPv6 without NEXT_HOP", alone(&mp_reach(&HOP6, NLRI6))),
            (
                "IPv6 without ORIGIN",
                body(&[], &[raw(OPTIONAL, 14, &mp_reach(&HOP6, NLRI6)), raw(WELL_KNOWN, 2, &[])], &[]),
            ),
            ("withdrawn routes without attributes", body(NLRI, &[], &[])),
        ],
    ))
    .chain(section(
        "7606 3g",
        Session::Plain,
        [
            ("ORIGIN twice, the second malformed", announce(&and(raw(WELL_KNOWN, 1, &[9])))),
            (
                "ORIGIN twice, the first malformed",
                announce(&[vec![raw(WELL_KNOWN, 1, &[9])], flawless()].concat()),
            ),
            ("unknown attribute twice", announce(&[flawless(), vec![raw(OPTIONAL, 99, &[]); 2]].concat())),
            (
                "MP_REACH_NLRI twice",
                announce(&[flawless(), vec![raw(OPTIONAL, 14, &mp_reach(&HOP6, NLRI6)); 2]].concat()),
            ),
            ("MP_UNREACH_NLRI twice", body(&[], &vec![raw(OPTIONAL, 15, &[0, 2, 1]); 2], &[])),
        ],
    ))
    .chain(section(
        "7606 3h",
        Session::Plain,
        [(
            "one attribute to discard, one to withdraw",
            announce(&[with(WELL_KNOWN, 1, &[7]), vec![raw(WELL_KNOWN, 6, &[1])]].concat()),
        )],
    ))
    .chain(section(
        "7606 4",
        Session::Plain,
        [
            ("attribute longer than the list", announce(&and(vec![0x80, 4, 9, 0]))),
            ("one octet at the end of the list", announce(&and(vec![0x80]))),
            ("extended length of one octet", announce(&and(vec![0x90, 4, 0]))),
            ("ORIGIN of extended length", announce(&[without(1), vec![vec![0x50, 1, 0, 1, 0]]].concat())),
            ("MP_REACH_NLRI longer than the list", announce(&and(vec![0x80, 14, 99, 0, 2, 1, 16, 0x20]))),
            (
                "MP_REACH_NLRI of two octets and longer than the list",
                announce(&and(vec![0x80, 14, 99, 0, 2])),
            ),
            ("MP_UNREACH_NLRI longer than the list", body(&[], &[vec![0x80, 15, 99, 0, 2, 1]], &[])),
        ],
    ))
    .chain(section(
        "7606 5.2",
        Session::Plain,
        [
            ("malformed ORIGIN, no prefixes", body(&[], &with(WELL_KNOWN, 1, &[7]), &[])),
            ("malformed ORIGIN, withdrawn routes alone", body(NLRI, &with(WELL_KNOWN, 1, &[7]), &[])),
            ("malformed ATOMIC_AGGREGATE, no prefixes", body(&[], &with(WELL_KNOWN, 6, &[7]), &[])),
        ],
    ))
}

/// Values of single attributes.
fn attributes() -> impl Iterator<Item = Row> {
    values(
        "7606 7.1",
        WELL_KNOWN,
        1,
        [
            ("ORIGIN 2", &[2]),
            ("ORIGIN 3", &[3]),
            ("ORIGIN of two octets", &[0, 0]),
            ("ORIGIN of no octet", &[]),
        ],
    )
    .chain(values(
        "7606 7.2",
        WELL_KNOWN,
        2,
        [
            ("empty AS_PATH", &[]),
            ("AS_PATH with a set", &[1, 1, 0, 0, 0, 1]),
            ("AS_PATH with segment type 0", &[0, 1, 0, 0, 0, 1]),
            ("AS_PATH with segment type 5", &[5, 1, 0, 0, 0, 1]),
            ("AS_PATH with an empty segment", &[2, 0]),
            ("AS_PATH with a segment cut short", &[2, 2, 0, 0, 0, 1]),
            ("AS_PATH with one octet behind a segment", &[2, 1, 0, 0, 0, 1, 2]),
        ],
    ))
    .chain(values(
        "5065 5",
        WELL_KNOWN,
        2,
        [
            ("AS_PATH with AS_CONFED_SEQUENCE", &[3, 1, 0, 0, 0, 1]),
            ("AS_PATH with AS_CONFED_SET", &[2, 1, 0, 0, 0, 9, 4, 1, 0, 0, 0, 1]),
        ],
    ))
    .chain(values(
        "7607 2",
        WELL_KNOWN,
        2,
        [
            ("AS_PATH with AS 0", &[2, 2, 0, 0, 0, 1, 0, 0, 0, 0]),
            ("AS_PATH with AS 0 in a set", &[1, 1, 0, 0, 0, 0]),
        ],
    ))
    .chain(values(
        "7606 7.3",
        WELL_KNOWN,
        3,
        [
            ("NEXT_HOP of three octets", &[10, 0, 0]),
            ("NEXT_HOP of sixteen octets", &HOP6),
            ("NEXT_HOP 0.0.0.0", &[0; 4]),
            ("NEXT_HOP 0.0.0.1", &[0, 0, 0, 1]),
            ("NEXT_HOP 127.0.0.1", &[127, 0, 0, 1]),
            ("NEXT_HOP 223.255.255.1", &[223, 255, 255, 1]),
            ("NEXT_HOP 224.0.0.1", &[224, 0, 0, 1]),
            ("NEXT_HOP 240.0.0.1", &[240, 0, 0, 1]),
            ("NEXT_HOP 255.255.255.255", &[255; 4]),
        ],
    ))
    .chain(section(
        "4760 3",
        Session::Plain,
        [
            (
                "NEXT_HOP of three octets beside MP_REACH_NLRI",
                body(
                    &[],
                    &[with(WELL_KNOWN, 3, &[0; 3]), vec![raw(OPTIONAL, 14, &mp_reach(&HOP6, NLRI6))]]
                        .concat(),
                    &[],
                ),
            ),
            (
                "NEXT_HOP 0.0.0.0 beside MP_REACH_NLRI",
                body(
                    &[],
                    &[with(WELL_KNOWN, 3, &[0; 4]), vec![raw(OPTIONAL, 14, &mp_reach(&HOP6, NLRI6))]]
                        .concat(),
                    &[],
                ),
            ),
            (
                "NEXT_HOP 0.0.0.0 beside MP_REACH_NLRI and NLRI",
                announce(
                    &[with(WELL_KNOWN, 3, &[0; 4]), vec![raw(OPTIONAL, 14, &mp_reach(&HOP6, NLRI6))]]
                        .concat(),
                ),
            ),
        ],
    ))
    .chain(values(
        "7606 7.4",
        OPTIONAL,
        4,
        [("MULTI_EXIT_DISC", &[0; 4]), ("MULTI_EXIT_DISC of three octets", &[0; 3])],
    ))
    .chain(values(
        "7606 7.5",
        WELL_KNOWN,
        5,
        [("LOCAL_PREF", &[0; 4]), ("LOCAL_PREF of three octets", &[0; 3])],
    ))
    .chain(values(
        "7606 7.6",
        WELL_KNOWN,
        6,
        [("ATOMIC_AGGREGATE", &[]), ("ATOMIC_AGGREGATE with a value", &[0])],
    ))
    .chain(values(
        "7606 7.7",
        OPTIONAL_TRANSITIVE,
        7,
        [
            ("AGGREGATOR", &[1; 8]),
            ("AGGREGATOR of six octets", &[1; 6]),
            ("AGGREGATOR of nine octets", &[1; 9]),
        ],
    ))
    .chain(values("7607 2", OPTIONAL_TRANSITIVE, 7, [("AGGREGATOR of AS 0", &[0; 8])]))
    .chain(values(
        "7606 7.8",
        OPTIONAL_TRANSITIVE,
        8,
        [("COMMUNITIES", &[0; 8]), ("COMMUNITIES of no octet", &[]), ("COMMUNITIES of six octets", &[0; 6])],
    ))
    .chain(values(
        "7606 7.9",
        OPTIONAL,
        9,
        [("ORIGINATOR_ID", &[1; 4]), ("ORIGINATOR_ID of five octets", &[1; 5])],
    ))
    .chain(values(
        "7606 7.10",
        OPTIONAL,
        10,
        [
            ("CLUSTER_LIST", &[1; 8]),
            ("CLUSTER_LIST of no octet", &[]),
            ("CLUSTER_LIST of six octets", &[1; 6]),
        ],
    ))
    .chain(values(
        "7606 7.14",
        OPTIONAL_TRANSITIVE,
        16,
        [
            ("EXTENDED_COMMUNITIES", &[0; 16]),
            ("EXTENDED_COMMUNITIES of no octet", &[]),
            ("EXTENDED_COMMUNITIES of twelve octets", &[0; 12]),
        ],
    ))
    .chain(values(
        "7606 7.15",
        OPTIONAL_TRANSITIVE,
        25,
        [
            ("IPV6_EXTENDED_COMMUNITIES", &[0; 20]),
            ("IPV6_EXTENDED_COMMUNITIES of no octet", &[]),
            ("IPV6_EXTENDED_COMMUNITIES of 24 octets", &[0; 24]),
        ],
    ))
    .chain(values(
        "8092 6",
        OPTIONAL_TRANSITIVE,
        32,
        [
            ("LARGE_COMMUNITY", &[0; 24]),
            ("LARGE_COMMUNITY of no octet", &[]),
            ("LARGE_COMMUNITY of 16 octets", &[0; 16]),
        ],
    ))
    .chain(values(
        "9234 5",
        OPTIONAL_TRANSITIVE,
        35,
        [
            ("ONLY_TO_CUSTOMER", &[0, 0, 0, 1]),
            ("ONLY_TO_CUSTOMER of three octets", &[0; 3]),
            ("ONLY_TO_CUSTOMER of AS 0", &[0; 4]),
        ],
    ))
    .chain(section(
        "6793 4.1",
        Session::Plain,
        [
            ("AS4_PATH", announce(&with(OPTIONAL_TRANSITIVE, 17, &[2, 1, 0, 1, 0, 0]))),
            ("AS4_AGGREGATOR", announce(&with(OPTIONAL_TRANSITIVE, 18, &[1; 8]))),
        ],
    ))
}

/// Lists of prefixes, in every field that has one.
fn prefixes() -> impl Iterator<Item = Row> {
    let mapped = [&[0; 10][..], &[0xff, 0xff, 10, 0, 0, 1]].concat();
    let link_local = [&[0; 16][..], &[0xfe, 0x80], &[1; 14]].concat();
    let loopback = [&[0; 15][..], &[1]].concat();
    section(
        "7606 3i, 3j",
        Session::Plain,
        [
            ("withdrawn /33", body(&[33, 1, 1, 1, 1, 1], &[], &[])),
            ("withdrawn prefix cut short", body(&[24, 192, 0], &[], &[])),
            ("NLRI /33", body(&[], &flawless(), &[33, 1, 1, 1, 1, 1])),
            ("NLRI cut short", body(&[], &flawless(), &[24, 192])),
            ("NLRI with bits beyond the length", body(&[], &flawless(), &[23, 192, 0, 3])),
        ],
    )
    .chain(section(
        "7606 5.3",
        Session::Plain,
        [
            ("IPv6 /129", both(OPTIONAL, &mp_reach(&HOP6, &[&[129][..], &[1; 17]].concat()))),
            ("IPv6 prefix cut short", alone(&mp_reach(&HOP6, &[48, 0x20]))),
            (
                "IPv6 prefix cut short, malformed ORIGIN",
                body(
                    &[],
                    &[with(WELL_KNOWN, 1, &[9]), vec![raw(OPTIONAL, 14, &mp_reach(&HOP6, &[48, 0x20]))]]
                        .concat(),
                    &[],
                ),
            ),
            ("withdrawn IPv6 /129", gone(&[0, 2, 1, 129, 0])),
            ("IPv4 /33 in MP_REACH_NLRI", alone(&reach(1, &[10, 0, 0, 1], &[33, 1, 1, 1, 1, 1]))),
            ("IPv4 /33 in MP_UNREACH_NLRI", gone(&[0, 1, 1, 33, 1, 1, 1, 1, 1])),
            ("MP_REACH_NLRI as transitive", both(OPTIONAL_TRANSITIVE, &mp_reach(&HOP6, NLRI6))),
            ("MP_REACH_NLRI as well-known", both(WELL_KNOWN, &mp_reach(&HOP6, NLRI6))),
            ("MP_UNREACH_NLRI as transitive", announce(&and(raw(OPTIONAL_TRANSITIVE, 15, &[0, 2, 1])))),
            (
                "MP_UNREACH_NLRI as transitive, without a whole family",
                announce(&and(raw(OPTIONAL_TRANSITIVE, 15, &[0, 2]))),
            ),
        ],
    ))
    .chain(section(
        "7606 7.11",
        Session::Plain,
        [
            ("IPv6 with a link-local address", alone(&mp_reach(&[HOP6, [1; 16]].concat(), NLRI6))),
            ("IPv6 and IPv4", both(OPTIONAL, &mp_reach(&HOP6, NLRI6))),
            ("IPv6 next hop of no octet", both(OPTIONAL, &mp_reach(&[], NLRI6))),
            ("IPv6 next hop of four octets", both(OPTIONAL, &mp_reach(&[10, 0, 0, 1], NLRI6))),
            ("IPv6 next hop of 24 octets", both(OPTIONAL, &mp_reach(&[1; 24], NLRI6))),
            ("MP_REACH_NLRI cut short in its next hop", both(OPTIONAL, &[0, 2, 1, 16, 0])),
            ("MP_REACH_NLRI that ends with its family", both(OPTIONAL, &[0, 2, 1])),
            ("MP_REACH_NLRI without a whole family", both(OPTIONAL, &[0, 2])),
            ("IPv4 in MP_REACH_NLRI", alone(&reach(1, &[10, 0, 0, 1], NLRI))),
            ("IPv4 with an IPv6 next hop, not agreed", alone(&reach(1, &HOP6, NLRI))),
        ],
    ))
    .chain(section(
        "8950 3",
        Session::ExtendedNextHop,
        [
            ("IPv4 with an IPv6 next hop", alone(&reach(1, &HOP6, NLRI))),
            (
                "IPv4 with an IPv6 next hop and a link-local address",
                alone(&reach(1, &[HOP6, [1; 16]].concat(), NLRI)),
            ),
            ("IPv4 with an IPv4 next hop", alone(&reach(1, &[10, 0, 0, 1], NLRI))),
            ("IPv4 with a next hop of twelve octets", alone(&reach(1, &[1; 12], NLRI))),
        ],
    ))
    .chain(section(
        "4271 6.3",
        Session::Plain,
        [
            ("IPv6 next hop ::", both(OPTIONAL, &mp_reach(&[0; 16], NLRI6))),
            ("IPv6 next hop :: with a link-local address", both(OPTIONAL, &mp_reach(&link_local, NLRI6))),
            ("IPv6 next hop ::1", both(OPTIONAL, &mp_reach(&loopback, NLRI6))),
            ("IPv6 next hop of a group", both(OPTIONAL, &mp_reach(&[0xff; 16], NLRI6))),
            ("IPv6 next hop ::ffff:10.0.0.1", both(OPTIONAL, &mp_reach(&mapped, NLRI6))),
            ("IPv4 next hop 127.0.0.1 in MP_REACH_NLRI", alone(&reach(1, &[127, 0, 0, 1], NLRI))),
        ],
    ))
    .chain(section(
        "7606 7.12",
        Session::Plain,
        [
            ("MP_UNREACH_NLRI", gone(&[&[0, 2, 1][..], NLRI6].concat())),
            ("MP_UNREACH_NLRI without prefixes", gone(&[0, 2, 1])),
            ("MP_UNREACH_NLRI without a whole family", gone(&[0, 2])),
        ],
    ))
    .chain(section(
        "4760 7",
        Session::Plain,
        [
            ("multicast routes beside unicast", both(OPTIONAL, &[0, 2, 2, 0, 0])),
            ("malformed multicast routes", gone(&[0, 2, 2, 200])),
        ],
    ))
    .chain(section(
        "4760 7",
        Session::Ipv6,
        [
            ("IPv4 on a session of IPv6", announce(&flawless())),
            ("malformed IPv4 in MP_UNREACH_NLRI on a session of IPv6", gone(&[0, 1, 1, 99])),
            ("malformed ORIGIN of IPv4 on a session of IPv6", announce(&with(WELL_KNOWN, 1, &[9]))),
        ],
    ))
    .chain(section(
        "7911 3",
        Session::AddPath,
        [
            ("NLRI with a path identifier", body(&[], &flawless(), &[&[0, 0, 0, 7][..], NLRI].concat())),
            ("NLRI without the path identifier", announce(&flawless())),
            ("IPv6 with path identifiers", alone(&mp_reach(&HOP6, &[&[0, 0, 0, 7][..], NLRI6].concat()))),
            ("IPv6 without the path identifier", alone(&mp_reach(&HOP6, NLRI6))),
        ],
    ))
}

/// A neighbour that knows AS numbers of two octets alone.
fn old_neighbours() -> impl Iterator<Item = Row> {
    let path = raw(WELL_KNOWN, 2, &[2, 1, 0xfb, 0xf4]);
    let old = move |more: Raw| announce(&[without(2), vec![path.clone(), more]].concat());
    section(
        "6793 4.2",
        Session::TwoOctets,
        [
            ("AS_PATH of four octets", announce(&flawless())),
            ("AS4_PATH", old(raw(OPTIONAL_TRANSITIVE, 17, &[2, 1, 0, 1, 0, 0]))),
            ("AGGREGATOR of six octets", old(raw(OPTIONAL_TRANSITIVE, 7, &[1; 6]))),
            ("AGGREGATOR of eight octets", old(raw(OPTIONAL_TRANSITIVE, 7, &[1; 8]))),
        ],
    )
    .chain(section(
        "6793 6",
        Session::TwoOctets,
        [
            ("AS4_PATH with a segment cut short", old(raw(OPTIONAL_TRANSITIVE, 17, &[2, 2, 0, 1, 0, 0]))),
            ("AS4_PATH with an empty segment", old(raw(OPTIONAL_TRANSITIVE, 17, &[2, 0]))),
            ("AS4_PATH with segment type 9", old(raw(OPTIONAL_TRANSITIVE, 17, &[9, 1, 0, 1, 0, 0]))),
            ("AS4_PATH with AS_CONFED_SEQUENCE", old(raw(OPTIONAL_TRANSITIVE, 17, &[3, 1, 0, 1, 0, 0]))),
            ("AS4_PATH as well-known", old(raw(WELL_KNOWN, 17, &[2, 1, 0, 1, 0, 0]))),
            ("AS4_AGGREGATOR of six octets", old(raw(OPTIONAL_TRANSITIVE, 18, &[1; 6]))),
        ],
    ))
    .chain(section(
        "7607 2",
        Session::TwoOctets,
        [
            ("AS4_PATH with AS 0", old(raw(OPTIONAL_TRANSITIVE, 17, &[2, 1, 0, 0, 0, 0]))),
            ("AS4_AGGREGATOR of AS 0", old(raw(OPTIONAL_TRANSITIVE, 18, &[0; 8]))),
        ],
    ))
}

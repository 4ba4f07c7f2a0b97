//! Lists of prefixes, in every field that has one.

use crate::Session;
use crate::octets::{
    HOP6, NLRI, NLRI6, OPTIONAL, OPTIONAL_TRANSITIVE, WELL_KNOWN, alone, and, announce, body, both, flawless,
    gone, mp_reach, raw, reach, with,
};
use crate::rows::{Row, section};

pub(super) fn rows() -> impl Iterator<Item = Row> {
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

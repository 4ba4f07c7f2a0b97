//! Lengths, flags, what is missing, what is there twice.

use crate::Session;
use crate::octets::{
    HOP6, NLRI, NLRI6, OPTIONAL, OPTIONAL_TRANSITIVE, WELL_KNOWN, alone, and, announce, body, flawless,
    mp_reach, raw, with, without,
};
use crate::rows::{Row, section};

pub(super) fn rows() -> impl Iterator<Item = Row> {
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

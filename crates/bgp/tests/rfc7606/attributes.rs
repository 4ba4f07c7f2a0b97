//! Values of single attributes.

use crate::Session;
use crate::octets::{
    HOP6, NLRI6, OPTIONAL, OPTIONAL_TRANSITIVE, WELL_KNOWN, announce, body, mp_reach, raw, with,
};
use crate::rows::{Row, section, values};

pub(super) fn rows() -> impl Iterator<Item = Row> {
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

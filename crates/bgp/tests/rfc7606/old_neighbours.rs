//! A neighbour that knows AS numbers of two octets alone.

use crate::Session;
use crate::octets::{OPTIONAL_TRANSITIVE, Raw, WELL_KNOWN, announce, flawless, raw, without};
use crate::rows::{Row, section};

pub(super) fn rows() -> impl Iterator<Item = Row> {
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

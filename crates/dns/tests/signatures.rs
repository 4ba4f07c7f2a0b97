//! Until when the signatures of a zone are good.

#![allow(clippy::unwrap_used)]

use dns::zone;
use terms::WallTime;

/// When every signature of the zones ends: 2036-01-01.
const ALL: &str = "20360101000000";
const END: u64 = 2082758400;
/// An earlier time.
const EARLY: &str = "20300615120000";
const EARLY_END: u64 = 1907755200;

fn ends(text: &str, now: u64) -> Option<u64> {
    let end = zone::parse(text).unwrap().signatures_end(WallTime(now * 1000))?;
    assert_eq!(end.0 % 1000, 0);
    Some(end.0 / 1000)
}

#[test]
fn one_signature_that_ends_early_is_found_wherever_it_is() {
    for text in [include_str!("zones/nsec.zone"), include_str!("zones/opt-out.zone")] {
        // Before the end and after it.
        for now in [END - 1_000_000, END + 1_000_000] {
            assert_eq!(ends(text, now), Some(END));
        }
        let places: Vec<usize> = text.match_indices(ALL).map(|(at, _)| at).collect();
        assert!(places.len() >= 18);
        for at in places {
            let early = [&text[..at], EARLY, &text[at + ALL.len()..]].concat();
            assert_eq!(ends(&early, END - 1_000_000), Some(EARLY_END), "the signature at octet {at}");
        }
    }
}

#[test]
fn times_of_32_bits_are_those_nearest_to_now() {
    // RFC 4034 section 3.1.5: 136 years later the same number means another time.
    let text = include_str!("zones/nsec.zone");
    assert_eq!(ends(text, END + (1 << 32) - 5), Some(END + (1 << 32)));
}

#[test]
fn a_zone_without_signatures_has_no_end() {
    assert_eq!(ends(include_str!("zones/example.zone"), END), None);
}

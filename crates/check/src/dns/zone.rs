//! What the records of an answer say about the zone: how old it is, and how long its signatures last.

use super::message::Record;
use crate::calendar::{digits, moment, since, span};
use serde::{Deserialize, Serialize};
use std::time::Duration;
use terms::{RecordType, WallTime};

/// Which serials of a zone are young enough.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Serial {
    /// This one and later ones (RFC 1982).
    AtLeast(u32),
    /// Those that name a day, as in 2026112301, which began at most so long ago.
    Within(Duration),
}

impl Serial {
    /// What is wrong with the serial of an SOA record, if anything is.
    pub(super) fn fault(self, soa: &Record<'_>, now: WallTime) -> Option<String> {
        let Some(&octets) = soa.after_names(2).and_then(<[u8]>::first_chunk::<4>) else {
            return Some("the SOA record is malformed".to_owned());
        };
        let serial = u32::from_be_bytes(octets);
        match self {
            Serial::AtLeast(least) if is_before(serial, least) => {
                Some(format!("the zone is old: its serial is {serial}, not {least} or later"))
            }
            Serial::AtLeast(_) => None,
            Serial::Within(longest) => match day_of(serial).map(|day| since(now, day)) {
                None => Some(format!("the serial {serial} names no day")),
                Some(age) if age > longest => {
                    Some(format!("the zone is old: its serial {serial} is of {} ago", span(age)))
                }
                Some(_) => None,
            },
        }
    }
}

/// Whether a serial comes before another in the circle of RFC 1982 section 3.2.
fn is_before(serial: u32, other: u32) -> bool {
    let ahead = other.wrapping_sub(serial);
    ahead != 0 && ahead < 1 << 31
}

/// When the day began that a serial of the form YYYYMMDDnn names.
fn day_of(serial: u32) -> Option<WallTime> {
    let text = serial.to_string();
    let text = text.as_bytes();
    let part = |range: std::ops::Range<usize>| digits(text.get(range)?);
    if text.len() != 10 {
        return None;
    }
    moment(part(0..4)?, part(4..6)?, part(6..8)?, 0, 0, 0)
}

/// What is wrong with the signatures over records of that type, if anything is. A validator is content with one good
/// signature, so the one that lasts longest counts (RFC 4034 section 3.1).
pub(super) fn signature_fault(
    records: &[Record<'_>],
    qtype: RecordType,
    valid_for: Duration,
    now: WallTime,
) -> Option<String> {
    let now_seconds = now.0 / 1000;
    let lasts = |record: &&Record<'_>| {
        let fixed = record.data.first_chunk::<18>()?;
        let [t0, t1, _, _, _, _, _, _, e0, e1, e2, e3, i0, i1, i2, i3, ..] = *fixed;
        let covers = u16::from_be_bytes([t0, t1]) == qtype.get();
        let until = unfold(u32::from_be_bytes([e0, e1, e2, e3]), now_seconds);
        let from = unfold(u32::from_be_bytes([i0, i1, i2, i3]), now_seconds);
        (covers && from <= now_seconds).then(|| until.saturating_sub(now_seconds))
    };
    let signatures = records.iter().filter(|record| record.rtype == RecordType::RRSIG.get());
    match signatures.filter_map(|record| lasts(&record)).max() {
        None => Some(format!("the {qtype} has no signature that is valid now")),
        Some(0) => Some(format!("every signature over the {qtype} has expired")),
        Some(left) if left < valid_for.as_secs() => {
            Some(format!("the signature over the {qtype} expires in {}", span(Duration::from_secs(left))))
        }
        Some(_) => None,
    }
}

/// The second that 32 bits mean: of all seconds with these low bits the one nearest to now (RFC 4034 section 3.1.5).
fn unfold(low: u32, now: u64) -> u64 {
    // Truncation is the meaning: the low 32 bits.
    let ahead = low.wrapping_sub(now as u32);
    match ahead < 1 << 31 {
        true => now.saturating_add(u64::from(ahead)),
        false => now.saturating_sub(u64::from(ahead.wrapping_neg())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn serials_are_a_circle() {
        assert!(is_before(1, 2) && is_before(u32::MAX, 0) && is_before(4_000_000_000, 100));
        assert!(!is_before(2, 2) && !is_before(2, 1) && !is_before(0, u32::MAX));
    }

    #[test]
    fn a_serial_may_name_a_day() {
        assert_eq!(day_of(2_000_022_907), Some(WallTime(951_782_400_000)));
        assert_eq!([day_of(7), day_of(2_023_022_901), day_of(4_294_967_295)], [None; 3]);
    }

    #[test]
    fn seconds_of_32_bits_are_the_nearest_ones() {
        let now = (1 << 32) + 5;
        assert_eq!(unfold(7, now), (1 << 32) + 7);
        assert_eq!(unfold(u32::MAX, now), (1 << 32) - 1);
        assert_eq!(unfold(u32::MAX, 0), 0, "before 1970 is long over too");
    }
}

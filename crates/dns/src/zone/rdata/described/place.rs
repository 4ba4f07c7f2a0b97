//! LOC: a place on Earth (RFC 1876), such as `52 22 23.000 N 4 53 32.000 E -2.00m 0.00m 10000m 10m`.

use super::{Fields, Wrong};

/// The equator and the prime meridian (RFC 1876 section 2).
const MIDDLE: i64 = 1 << 31;
/// Altitude of a record with 0, centimetres below the reference spheroid.
const LOWEST: i64 = 10_000_000;
/// Size, horizontal and vertical precision where they are not written, centimetres (RFC 1876 section 3).
const UNSAID: [u64; 3] = [100, 1_000_000, 1_000];
/// Largest size or precision, centimetres.
const WIDEST: u64 = 9_000_000_000;

pub(super) fn read(fields: &mut Fields<'_, '_>) -> Result<(), Wrong> {
    let latitude = angle(fields, 90, ["N", "S"])?;
    let longitude = angle(fields, 180, ["E", "W"])?;
    let altitude = fields.next_as("this is no altitude such as -2.00m", |text| {
        let (sign, text) = text.strip_prefix('-').map_or((1, text), |rest| (-1, rest));
        let centimetres = sign * i64::try_from(centimetres(text)?).ok()? + LOWEST;
        u32::try_from(centimetres).ok()
    })?;
    let mut octets = [0; 4]; // version 0
    for (octet, unsaid) in octets[1..].iter_mut().zip(UNSAID) {
        let length = match fields.is_done() {
            true => unsaid,
            false => fields.next_as("this is no length up to 90000000m", |text| {
                centimetres(text).filter(|&length| length <= WIDEST)
            })?,
        };
        *octet = power_of_ten(length);
    }
    fields.out.extend_from_slice(&octets);
    for number in [latitude, longitude, altitude] {
        fields.out.extend_from_slice(&number.to_be_bytes());
    }
    Ok(())
}

/// Degrees, perhaps minutes, perhaps seconds, and on which side of the middle: thousandths of seconds.
fn angle(fields: &mut Fields<'_, '_>, most: i64, sides: [&str; 2]) -> Result<u32, Wrong> {
    let number = |text: &str, most: i64| {
        let plain = text.bytes().all(|octet| octet.is_ascii_digit());
        plain.then(|| text.parse().ok().filter(|&number: &i64| number <= most))?
    };
    let mut angle = 3_600_000 * fields.next_as("this is no number of degrees", |text| number(text, most))?;
    let steps: [fn(&str) -> Option<i64>; 2] = [
        |text| {
            text.parse::<u8>().ok().filter(|&minutes| minutes < 60).map(|minutes| 60_000 * i64::from(minutes))
        },
        |text| {
            decimal(text, 3).and_then(|thousandths| i64::try_from(thousandths).ok()).filter(|&it| it < 60_000)
        },
    ];
    let side = |text: &str| sides.iter().position(|side| *side == text);
    for step in steps {
        let is_over = fields.tokens.get(fields.at).is_some_and(|token| side(token.text).is_some());
        if !is_over {
            angle += fields.next_as("neither minutes or seconds below 60 nor a side such as N or E", step)?;
        }
    }
    let side = fields.next_as("this should be N or S, or E or W", side)?;
    if angle > most * 3_600_000 {
        fields.at -= 1;
        return Err("this is farther than the pole, or than around the Earth");
    }
    let angle = if side == 0 { MIDDLE + angle } else { MIDDLE - angle };
    u32::try_from(angle).map_err(|_| "this is farther than around the Earth")
}

/// Metres with up to two decimals, with or without `m`.
fn centimetres(text: &str) -> Option<u64> {
    decimal(text.strip_suffix(['m', 'M']).unwrap_or(text), 2)
}

/// A number with up to so many decimals, in units of the last of them.
fn decimal(text: &str, decimals: usize) -> Option<u64> {
    let (whole, part) = text.split_once('.').unwrap_or((text, ""));
    let is_plain = |text: &str| text.bytes().all(|octet| octet.is_ascii_digit());
    if whole.is_empty() || !is_plain(whole) || !is_plain(part) || part.len() > decimals {
        return None;
    }
    format!("{whole}{part:0<decimals$}").parse().ok()
}

/// The largest `digit x 10^exponent` that is not larger, as two half octets (RFC 1876 section 2).
fn power_of_ten(mut length: u64) -> u8 {
    let mut exponent = 0;
    while length > 9 {
        length /= 10;
        exponent += 1;
    }
    (length as u8) << 4 | exponent
}

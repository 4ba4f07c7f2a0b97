//! Octets as hexadecimal text, so that a recorded message can be read, compared and pasted.
//!
//! Everything that a neighbour sends is recorded on the thread of the decisions: digits are looked up, two at a time.

use serde::{Deserialize, Deserializer, Serializer, de::Error, ser};

/// The two digits of each octet.
const DIGITS: [[u8; 2]; 256] = {
    let figures = b"0123456789abcdef";
    let mut digits = [[0; 2]; 256];
    let mut octet = 0;
    while octet < digits.len() {
        digits[octet] = [figures[octet >> 4], figures[octet & 15]];
        octet += 1;
    }
    digits
};

pub(crate) fn serialize<S: Serializer>(octets: &[u8], serializer: S) -> Result<S::Ok, S::Error> {
    let digits: Vec<[u8; 2]> = octets.iter().map(|&octet| DIGITS[usize::from(octet)]).collect();
    serializer.serialize_str(str::from_utf8(digits.as_flattened()).map_err(ser::Error::custom)?)
}

pub(crate) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<u8>, D::Error> {
    let text = String::deserialize(deserializer)?;
    let octet = |pair: &[u8]| {
        let digits = str::from_utf8(pair).ok().filter(|_| pair.len() == 2 && pair[0] != b'+')?;
        u8::from_str_radix(digits, 16).ok()
    };
    let octets: Option<Vec<u8>> = text.as_bytes().chunks(2).map(octet).collect();
    octets.ok_or_else(|| D::Error::custom("octets are written as pairs of hexadecimal digits"))
}

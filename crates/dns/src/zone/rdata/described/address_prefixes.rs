//! APL: lists of address prefixes (RFC 3123), such as `1:192.0.2.0/24 !2:2001:db8::/32`.

use super::{Fields, Wrong, family};
use std::net::IpAddr;

pub(super) fn read(fields: &mut Fields<'_, '_>) -> Result<(), Wrong> {
    while !fields.is_done() {
        let item = fields.next_as("this is no prefix such as 1:192.0.2.0/24 or !2:2001:db8::/32", prefix)?;
        fields.out.extend_from_slice(&item);
    }
    Ok(())
}

/// One item in wire form. Zeros at the end of an address are left out (RFC 3123 section 4).
fn prefix(text: &str) -> Option<Vec<u8>> {
    let (negation, text) = text.strip_prefix('!').map_or((0, text), |rest| (0x80, rest));
    let (said, rest) = text.split_once(':')?;
    let (address, length) = rest.split_once('/')?;
    let (number, octets) = family(address.parse::<IpAddr>().ok()?);
    let length: u8 = length.bytes().all(|octet| octet.is_ascii_digit()).then(|| length.parse().ok())??;
    if said.parse() != Ok(number) || usize::from(length) > octets.len() * 8 {
        return None;
    }
    let used = octets.iter().rposition(|&octet| octet != 0).map_or(0, |last| last + 1);
    let [high, low] = number.to_be_bytes();
    let head = [high, low, length, negation | used as u8]; // at most 16
    Some([&head[..], &octets[..used]].concat())
}

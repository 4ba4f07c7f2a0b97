//! Packets that a fence has held.

use crate::packet::sequence_number;

/// Puts the packets of one flow, whole from their IP headers on, into the order in which their client has sent them: some went to
/// the one site, some to the other, and the ways are of different length. A socket that is shown a gap asks for what is in it
/// (RFC 2018), and its client sends at once what is here already (RFC 8985 section 6.2).
pub fn put_in_order(packets: &mut [Vec<u8>]) {
    let numbers = packets.iter().map(|packet| sequence_number(packet));
    let Some(base) = numbers.flatten().next() else { return };
    // Numbers go round (RFC 9293 section 3.4). What has none is no segment, and concerns what was sent long before.
    let distance = |number: u32| number.wrapping_sub(base).cast_signed();
    packets.sort_by_key(|packet| sequence_number(packet).map(distance));
}

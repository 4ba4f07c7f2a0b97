//! The largest segment that the other end may send: one that still fits when it is forwarded.
//!
//! The service names it in its SYN-ACK, and in its SYN where it is the one that calls (RFC 9293 section 3.7.1); what it names too
//! large is lowered on the way out.

use crate::link::{IPV4, IPV6, protocol};
use crate::packet::{FLAGS, IPV4_LEN, IPV6_LEN, SYN, TCP, TCP_LEN, octets};
use crate::{Layer, Settings};
use std::net::{Ipv4Addr, Ipv6Addr};
use terms::Family;

/// Options of a segment that are walked through.
const OPTIONS: usize = 10;
const END_OF_OPTIONS: u8 = 0;
const NO_OPERATION: u8 = 1;
const MAXIMUM_SEGMENT_SIZE: u8 = 2;
const ETHERNET_LEN: usize = 14;
/// Place of the checksum in a TCP header.
const CHECKSUM: usize = 16;

/// Lowers the size that a SYN of a service names, with an ACK or without, if it is too large, and mends the checksum.
/// Answers the size that it names then; none for any other frame, which stays as it is.
pub fn clamp(frame: &mut [u8], layer: Layer, settings: &Settings) -> Option<u16> {
    let (start, family) = family_of(frame, layer)?;
    let transport = find_segment(frame, start, family, settings)?;
    let place = find_size(frame, transport)?;
    let headers = match family {
        Family::Ipv4 => IPV4_LEN + TCP_LEN,
        Family::Ipv6 => IPV6_LEN + TCP_LEN,
    };
    let most = settings.longest() - headers as u16;
    let named = u16::from_be_bytes(octets(frame, place)?);
    if named <= most {
        return None;
    }
    // A value at an odd place counts with its octets exchanged (RFC 1071 section 2).
    let is_odd = (place - transport) % 2 == 1;
    let counted = |value: u16| if is_odd { value.swap_bytes() } else { value };
    let sum = u16::from_be_bytes(octets(frame, transport + CHECKSUM)?);
    let mended = mend(sum, counted(named), counted(most));
    frame.get_mut(transport + CHECKSUM..)?.first_chunk_mut().map(|sum| *sum = mended.to_be_bytes())?;
    frame.get_mut(place..)?.first_chunk_mut().map(|named| *named = most.to_be_bytes())?;
    Some(most)
}

fn family_of(frame: &[u8], layer: Layer) -> Option<(usize, Family)> {
    match layer {
        Layer::Ethernet => match protocol(frame, ETHERNET_LEN)? {
            IPV4 => Some((ETHERNET_LEN, Family::Ipv4)),
            IPV6 => Some((ETHERNET_LEN, Family::Ipv6)),
            _ => None,
        },
        Layer::Ip => match frame.first()? >> 4 {
            4 => Some((0, Family::Ipv4)),
            6 => Some((0, Family::Ipv6)),
            _ => None,
        },
    }
}

/// Where the TCP header of a packet from a service begins.
fn find_segment(frame: &[u8], start: usize, family: Family, settings: &Settings) -> Option<usize> {
    match family {
        Family::Ipv4 => {
            let header: [u8; IPV4_LEN] = octets(frame, start)?;
            let header_len = usize::from(header[0] & 15) * 4;
            let source = Ipv4Addr::from(octets::<4>(&header, 12)?).to_ipv6_mapped();
            let is_fragment = u16::from_be_bytes([header[6], header[7]]) & 0x3fff != 0;
            let is_good = header[0] >> 4 == 4 && header_len >= IPV4_LEN && header[9] == TCP && !is_fragment;
            (is_good && settings.has_service(source)).then_some(start + header_len)
        }
        Family::Ipv6 => {
            let header: [u8; IPV6_LEN] = octets(frame, start)?;
            let source = Ipv6Addr::from(octets::<16>(&header, 8)?);
            let is_good = header[0] >> 4 == 6 && header[6] == TCP;
            (is_good && settings.has_service(source)).then_some(start + IPV6_LEN)
        }
    }
}

/// Where the value of the option lies in a SYN.
fn find_size(frame: &[u8], transport: usize) -> Option<usize> {
    let header: [u8; 14] = octets(frame, transport)?;
    if header[FLAGS] & SYN == 0 {
        return None;
    }
    let end = transport + usize::from(header[12] >> 4) * 4;
    let mut at = transport + TCP_LEN;
    for _ in 0..OPTIONS {
        let [kind, length] = octets(frame.get(..end.min(frame.len()))?, at)?;
        match kind {
            END_OF_OPTIONS => return None,
            NO_OPERATION => at += 1,
            _ if length < 2 || at + usize::from(length) > end => return None,
            MAXIMUM_SEGMENT_SIZE => return (length == 4).then_some(at + 2),
            _ => at += usize::from(length),
        }
    }
    None
}

/// The checksum after one value was replaced by another (RFC 1624 section 3, equation 3).
fn mend(sum: u16, from: u16, to: u16) -> u16 {
    let total = u32::from(!sum) + u32::from(!from) + u32::from(to);
    let folded = (total & 0xffff) + (total >> 16);
    !((folded & 0xffff) + (folded >> 16)) as u16
}

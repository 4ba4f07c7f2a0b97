//! What a packet is: to whom it goes, of which flow it is, and where its parts begin.
//!
//! What cannot be read is never guessed at: it passes, and the host's own stack judges it.

use crate::{Flow, Settings};
use std::net::{Ipv4Addr, Ipv6Addr};
use terms::Family;

/// Extension headers of IPv6 that are walked through.
const EXTENSIONS: usize = 4;
const HOP_BY_HOP: u8 = 0;
const ICMP: u8 = 1;
pub(crate) const TCP: u8 = 6;
pub(crate) const UDP: u8 = 17;
const ROUTING: u8 = 43;
const FRAGMENT: u8 = 44;
const ICMPV6: u8 = 58;
const DESTINATION: u8 = 60;
pub(crate) const SYN: u8 = 0x02;
pub(crate) const ACK: u8 = 0x10;
/// Place of the flags in a TCP header.
pub(crate) const FLAGS: usize = 13;
pub(crate) const IPV4_LEN: usize = 20;
pub(crate) const IPV6_LEN: usize = 40;
pub(crate) const TCP_LEN: usize = 20;
pub(crate) const UDP_LEN: usize = 8;
const ICMP_LEN: usize = 8;

/// What is known of a packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Packet {
    /// Its flow; of a packet from another site, the sender and the receiver.
    pub flow: Flow,
    /// Where its IP header begins in the frame.
    pub start: usize,
    /// Where what follows the IP headers begins.
    pub transport: usize,
    /// Where the packet ends; padding may follow.
    pub end: usize,
    /// Of which family it is.
    pub family: Family,
    /// Class of service and congestion (RFC 2474, RFC 3168).
    pub traffic_class: u8,
}

/// What a packet for a service is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Its flow cannot be told.
    Unreadable,
    /// No part of a connection.
    Datagram,
    /// The first segment of a connection: SYN without ACK.
    First,
    /// Any other segment.
    Segment,
    /// The first fragment of such a segment: no other site would find the rest of it.
    BrokenUp,
    /// An error about a segment that the service has sent; the flow is that of the segment.
    Quoted,
}

/// What was read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reading {
    /// For no service, or nothing that this reads.
    Elsewhere,
    /// From another site.
    Tunnel(Packet),
    /// For a service of this site.
    Service(Packet, Kind),
}

/// So many octets of a frame from a place on.
pub(crate) fn octets<const N: usize>(frame: &[u8], at: usize) -> Option<[u8; N]> {
    frame.get(at..)?.first_chunk().copied()
}

/// So many octets from a place on, if the packet has them.
fn inside<const N: usize>(frame: &[u8], at: usize, packet: &Packet) -> Option<[u8; N]> {
    octets(frame.get(..packet.end)?, at)
}

/// Reads the packet of the frame from `start` on, which must not go beyond `limit`.
pub fn read(frame: &[u8], start: usize, limit: usize, settings: &Settings) -> Reading {
    let reading = match frame.get(start).map(|first| first >> 4) {
        Some(4) => read_ipv4(frame, start, limit, settings),
        Some(6) => read_ipv6(frame, start, limit, settings),
        _ => None,
    };
    reading.unwrap_or(Reading::Elsewhere)
}

fn read_ipv4(frame: &[u8], start: usize, limit: usize, settings: &Settings) -> Option<Reading> {
    let header: [u8; IPV4_LEN] = octets(frame, start)?;
    let [first, traffic_class, high, low, _, _, fragment_high, fragment_low, _, protocol, ..] = header;
    let header_len = usize::from(first & 15) * 4;
    let length = usize::from(u16::from_be_bytes([high, low]));
    let (transport, end) = (start + header_len, start + length);
    if header_len < IPV4_LEN || end > limit || transport > end {
        return None;
    }
    let address = |at| octets(&header, at).map(|octets: [u8; 4]| Ipv4Addr::from(octets).to_ipv6_mapped());
    let flow = Flow { client: address(12)?, service: address(16)?, client_port: 0, service_port: 0 };
    let packet = Packet { flow, start, transport, end, family: Family::Ipv4, traffic_class };
    // RFC 791: the flag "more fragments" and the offset.
    let is_fragment = u16::from_be_bytes([fragment_high, fragment_low]) & 0x3fff != 0;
    let is_later = u16::from_be_bytes([fragment_high, fragment_low]) & 0x1fff != 0;
    Some(match settings.has_service(flow.service) {
        true if is_later => Reading::Service(packet, Kind::Unreadable),
        true => read_transport(frame, packet, protocol, is_fragment),
        false if is_fragment => Reading::Elsewhere,
        false => read_tunnel(frame, packet, protocol, settings),
    })
}

fn read_ipv6(frame: &[u8], start: usize, limit: usize, settings: &Settings) -> Option<Reading> {
    let header: [u8; IPV6_LEN] = octets(frame, start)?;
    let [first, second, _, _, high, low, next, ..] = header;
    let transport = start + IPV6_LEN;
    let end = transport + usize::from(u16::from_be_bytes([high, low]));
    if end > limit {
        return None;
    }
    let address = |at| octets(&header, at).map(|octets: [u8; 16]| Ipv6Addr::from(octets));
    let flow = Flow { client: address(8)?, service: address(24)?, client_port: 0, service_port: 0 };
    let traffic_class = first << 4 | second >> 4;
    let packet = Packet { flow, start, transport, end, family: Family::Ipv6, traffic_class };
    if !settings.has_service(flow.service) {
        return Some(read_tunnel(frame, packet, next, settings));
    }
    Some(match walk_extensions(frame, packet, next) {
        Some((packet, protocol, is_fragment)) => read_transport(frame, packet, protocol, is_fragment),
        None => Reading::Service(packet, Kind::Unreadable),
    })
}

/// Goes past the extension headers (RFC 8200 section 4.1), and says whether more fragments follow; none for too many headers, and
/// for a fragment that is not the first.
fn walk_extensions(frame: &[u8], mut packet: Packet, mut next: u8) -> Option<(Packet, u8, bool)> {
    let is_extension = |next| matches!(next, HOP_BY_HOP | ROUTING | FRAGMENT | DESTINATION);
    let mut is_fragment = false;
    for _ in 0..EXTENSIONS {
        if !is_extension(next) {
            break;
        }
        let [following, length, high, low, ..] = inside::<8>(frame, packet.transport, &packet)?;
        if next == FRAGMENT {
            // Section 4.5: the offset, and whether more follow. A fragment of which none do is whole (RFC 6946).
            let fragment = u16::from_be_bytes([high, low]);
            if fragment & 0xfff8 != 0 {
                return None;
            }
            is_fragment |= fragment & 1 != 0;
            packet.transport += 8;
        } else {
            packet.transport += (usize::from(length) + 1) * 8;
        }
        next = following;
    }
    let is_read = packet.transport <= packet.end && !is_extension(next);
    is_read.then_some((packet, next, is_fragment))
}

/// The sequence number of a segment, whole from its IP header on (RFC 9293 section 3.1); none if it is none.
pub(crate) fn sequence_number(segment: &[u8]) -> Option<u32> {
    let nobody = Flow {
        client: Ipv6Addr::UNSPECIFIED,
        service: Ipv6Addr::UNSPECIFIED,
        client_port: 0,
        service_port: 0,
    };
    let (family, transport) = match segment.first()? {
        first if first >> 4 == 4 => (Family::Ipv4, usize::from(first & 15) * 4),
        first if first >> 4 == 6 => (Family::Ipv6, IPV6_LEN),
        _ => return None,
    };
    let packet = Packet { flow: nobody, start: 0, transport, end: segment.len(), family, traffic_class: 0 };
    let (packet, protocol, _) = match family {
        Family::Ipv4 => (packet, *segment.get(9)?, false),
        Family::Ipv6 => walk_extensions(segment, packet, *segment.get(6)?)?,
    };
    let number = inside(segment, packet.transport + 4, &packet).map(u32::from_be_bytes)?;
    (protocol == TCP).then_some(number)
}

fn read_transport(frame: &[u8], mut packet: Packet, protocol: u8, is_fragment: bool) -> Reading {
    let kind = match (protocol, packet.family) {
        (protocol, _) if is_fragment && protocol != TCP => Kind::Unreadable,
        (ICMP, Family::Ipv4) | (ICMPV6, Family::Ipv6) => read_error(frame, &mut packet),
        (TCP, _) => match inside::<TCP_LEN>(frame, packet.transport, &packet) {
            Some(header) => {
                take_ports(&mut packet.flow, header);
                match (header[FLAGS] & (SYN | ACK) == SYN, is_fragment) {
                    (true, false) => Kind::First,
                    (true, true) => Kind::Unreadable,
                    (false, false) => Kind::Segment,
                    (false, true) => Kind::BrokenUp,
                }
            }
            None => Kind::Unreadable,
        },
        (UDP, _) => match inside::<UDP_LEN>(frame, packet.transport, &packet) {
            Some(header) => {
                take_ports(&mut packet.flow, header);
                Kind::Datagram
            }
            None => Kind::Unreadable,
        },
        _ => Kind::Datagram,
    };
    Reading::Service(packet, kind)
}

/// Both headers begin with the source's port and the destination's.
fn take_ports<const N: usize>(flow: &mut Flow, header: [u8; N]) {
    if let [a, b, c, d, ..] = header[..] {
        flow.client_port = u16::from_be_bytes([a, b]);
        flow.service_port = u16::from_be_bytes([c, d]);
    }
}

/// An error about a segment that the service has sent finds its owner like a segment of its flow would.
fn read_error(frame: &[u8], packet: &mut Packet) -> Kind {
    let Some([kind, ..]) = inside::<ICMP_LEN>(frame, packet.transport, packet) else { return Kind::Datagram };
    // RFC 792: unreachable, which a packet too big is one of, time exceeded, parameter problem. RFC 4443: all errors
    // that it defines.
    let is_error = match packet.family {
        Family::Ipv4 => matches!(kind, 3 | 11 | 12),
        Family::Ipv6 => matches!(kind, 1..=4),
    };
    let quoted = if is_error { read_quoted(frame, packet) } else { None };
    match quoted {
        Some(flow) => {
            packet.flow = flow;
            Kind::Quoted
        }
        None => Kind::Datagram,
    }
}

/// The flow of the quoted segment, whose source must be the service.
fn read_quoted(frame: &[u8], packet: &Packet) -> Option<Flow> {
    let at = packet.transport + ICMP_LEN;
    let (source, destination, ports) = match packet.family {
        Family::Ipv4 => {
            let header: [u8; IPV4_LEN] = inside(frame, at, packet)?;
            let header_len = usize::from(header[0] & 15) * 4;
            let offset = u16::from_be_bytes([header[6], header[7]]) & 0x1fff;
            let is_segment = header[0] >> 4 == 4 && header_len >= IPV4_LEN && header[9] == TCP && offset == 0;
            let address =
                |at| octets(&header, at).map(|octets: [u8; 4]| Ipv4Addr::from(octets).to_ipv6_mapped());
            is_segment.then_some((address(12)?, address(16)?, at + header_len))?
        }
        Family::Ipv6 => {
            let header: [u8; IPV6_LEN] = inside(frame, at, packet)?;
            let address = |at| octets(&header, at).map(|octets: [u8; 16]| Ipv6Addr::from(octets));
            let is_segment = header[0] >> 4 == 6 && header[6] == TCP;
            is_segment.then_some((address(8)?, address(24)?, at + IPV6_LEN))?
        }
    };
    let [a, b, c, d] = inside(frame, ports, packet)?;
    let (service_port, client_port) = (u16::from_be_bytes([a, b]), u16::from_be_bytes([c, d]));
    (source == packet.flow.service).then_some(Flow {
        client: destination,
        service: source,
        client_port,
        service_port,
    })
}

/// A packet that another site has wrapped: to this site's own address and port, with nothing between the IP header and
/// that of UDP.
fn read_tunnel(frame: &[u8], packet: Packet, protocol: u8, settings: &Settings) -> Reading {
    let header_len = match packet.family {
        Family::Ipv4 => IPV4_LEN,
        Family::Ipv6 => IPV6_LEN,
    };
    let is_to_us = settings.source(packet.family) == Some(packet.flow.service);
    let is_plain = protocol == UDP && packet.transport == packet.start + header_len;
    match inside::<UDP_LEN>(frame, packet.transport, &packet) {
        Some([_, _, a, b, ..])
            if is_to_us && is_plain && u16::from_be_bytes([a, b]) == settings.port.get() =>
        {
            Reading::Tunnel(packet)
        }
        _ => Reading::Elsewhere,
    }
}

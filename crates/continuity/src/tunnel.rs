//! Packets between sites: IP, UDP, the [`Shim`], the packet as its client sent it.
//!
//! The frame goes back to the router that has delivered it, which knows the way to the other site: the addresses of its link
//! change places, and nothing is looked up. What is inside stays as it was, to the last octet.

use crate::link::{IPV4, IPV6};
use crate::packet::{IPV4_LEN, IPV6_LEN, Packet, UDP, UDP_LEN};
use crate::{Settings, Shim, Visited};
use std::net::IpAddr;
use terms::Family;

/// Routers that the outer packet may pass.
const HOPS: u8 = 64;
/// Octets of an Ethernet address.
const ADDRESS_LEN: usize = 6;
/// "Don't fragment" (RFC 791).
const DONT_FRAGMENT: u16 = 0x4000;

/// Octets that wrapping adds: 36 over IPv4, 56 over IPv6.
pub const fn overhead(family: Family) -> usize {
    let header = match family {
        Family::Ipv4 => IPV4_LEN,
        Family::Ipv6 => IPV6_LEN,
    };
    header + UDP_LEN + Shim::LEN
}

/// The frame that takes the packet to a site; none if this site has no address of that family.
pub fn wrap(
    frame: &[u8],
    packet: &Packet,
    visited: Visited,
    to: IpAddr,
    settings: &Settings,
) -> Option<Vec<u8>> {
    let shim = Shim::sign(visited, &packet.flow, &settings.keys);
    let (link, rest) = frame.split_at_checked(packet.start)?;
    let mut wrapped = link.to_vec();
    turn_round(&mut wrapped);
    name_family(&mut wrapped, Family::of(to));
    let length = packet.end - packet.start;
    match to {
        IpAddr::V4(to) => {
            wrapped.extend(ipv4(packet, settings.source4?.octets(), to.octets(), length));
        }
        IpAddr::V6(to) => {
            wrapped.extend(ipv6(packet, settings.source6?.octets(), to.octets(), length, shim.tag));
        }
    }
    wrapped.extend(udp(settings, shim.tag, length));
    wrapped.extend(shim.encode());
    wrapped.extend(rest);
    Some(wrapped)
}

/// The frame without what [`wrap`] added, before the same link header: `start` is where that ends, `packet` the one inside.
pub fn unwrap(frame: &[u8], start: usize, packet: &Packet) -> Option<(Vec<u8>, Packet)> {
    let mut unwrapped = frame.get(..start)?.to_vec();
    name_family(&mut unwrapped, packet.family);
    unwrapped.extend(frame.get(packet.start..)?);
    let overhead = packet.start - start;
    let moved =
        Packet { start, transport: packet.transport - overhead, end: packet.end - overhead, ..*packet };
    Some((unwrapped, moved))
}

fn turn_round(link: &mut [u8]) {
    if let Some((destination, rest)) = link.split_at_mut_checked(ADDRESS_LEN)
        && let Some(source) = rest.get_mut(..ADDRESS_LEN)
    {
        destination.swap_with_slice(source);
    }
}

fn name_family(link: &mut [u8], family: Family) {
    let protocol = match family {
        Family::Ipv4 => IPV4,
        Family::Ipv6 => IPV6,
    };
    if let Some(place) = link.last_chunk_mut() {
        *place = protocol.to_be_bytes();
    }
}

/// The class of service of the packet inside, and nothing of congestion (RFC 6040 section 4.1, compatibility mode).
fn traffic_class(packet: &Packet) -> u8 {
    packet.traffic_class & 0xfc
}

fn ipv4(packet: &Packet, from: [u8; 4], to: [u8; 4], length: usize) -> [u8; IPV4_LEN] {
    let total = (overhead(Family::Ipv4) + length) as u16;
    let mut header = [0; IPV4_LEN];
    header[0] = 0x45;
    header[1] = traffic_class(packet);
    header[2..4].copy_from_slice(&total.to_be_bytes());
    header[6..8].copy_from_slice(&DONT_FRAGMENT.to_be_bytes());
    header[8] = HOPS;
    header[9] = UDP;
    header[12..16].copy_from_slice(&from);
    header[16..].copy_from_slice(&to);
    let checksum = checksum(&header);
    header[10..12].copy_from_slice(&checksum.to_be_bytes());
    header
}

fn ipv6(packet: &Packet, from: [u8; 16], to: [u8; 16], length: usize, tag: u32) -> [u8; IPV6_LEN] {
    let payload = (UDP_LEN + Shim::LEN + length) as u16;
    // RFC 6438 section 3: the label, too, has the flow's entropy.
    let first = 6 << 28 | u32::from(traffic_class(packet)) << 20 | tag & 0xf_ffff;
    let mut header = [0; IPV6_LEN];
    header[..4].copy_from_slice(&first.to_be_bytes());
    header[4..6].copy_from_slice(&payload.to_be_bytes());
    header[6] = UDP;
    header[7] = HOPS;
    header[8..24].copy_from_slice(&from);
    header[24..].copy_from_slice(&to);
    header
}

/// The checksum is none: the tag says more, and RFC 6935 section 5 allows it for tunnels over IPv6. The source port has
/// the flow's entropy, so that routers with several paths keep its packets in order (RFC 6335 section 6: dynamic ports).
fn udp(settings: &Settings, tag: u32, length: usize) -> [u8; UDP_LEN] {
    let source = 0xc000 | (tag & 0x3fff) as u16;
    let length = (UDP_LEN + Shim::LEN + length) as u16;
    let mut header = [0; UDP_LEN];
    header[..2].copy_from_slice(&source.to_be_bytes());
    header[2..4].copy_from_slice(&settings.port.get().to_be_bytes());
    header[4..6].copy_from_slice(&length.to_be_bytes());
    header
}

/// Of a header whose checksum is zero (RFC 1071).
fn checksum(header: &[u8; IPV4_LEN]) -> u16 {
    let words = header.as_chunks().0.iter().map(|word| u32::from(u16::from_be_bytes(*word)));
    let sum: u32 = words.sum();
    let folded = (sum & 0xffff) + (sum >> 16);
    !((folded & 0xffff) + (folded >> 16)) as u16
}

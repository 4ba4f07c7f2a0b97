//! Frames as clients, services and sites send them, with right lengths and checksums.

use continuity::{Flow, Key};
use std::net::{IpAddr, SocketAddr};

pub(crate) const FIN: u8 = 0x01;
pub(crate) const SYN: u8 = 0x02;
pub(crate) const ACK: u8 = 0x10;
const ICMP: u8 = 1;
const TCP: u8 = 6;
const UDP: u8 = 17;
const ICMPV6: u8 = 58;
const ROUTER: [u8; 6] = [0x02, 0, 0, 0, 0, 0x01];
const HOST: [u8; 6] = [0x02, 0, 0, 0, 0, 0x02];

/// What may be unusual about an IP header.
#[derive(Clone, Debug, Default)]
pub(crate) struct Header {
    /// Class of service and congestion.
    pub(crate) traffic_class: u8,
    /// Options of IPv4; a multiple of four octets.
    pub(crate) options: Vec<u8>,
    /// Extension headers of IPv6: the kind, and the octets without the first.
    pub(crate) extensions: Vec<(u8, Vec<u8>)>,
    /// The flags and the offset of IPv4.
    pub(crate) fragment: u16,
}

pub(crate) fn ip(from: IpAddr, to: IpAddr, protocol: u8, payload: &[u8]) -> Vec<u8> {
    ip_with(&Header::default(), from, to, protocol, payload)
}

pub(crate) fn ip_with(header: &Header, from: IpAddr, to: IpAddr, protocol: u8, payload: &[u8]) -> Vec<u8> {
    match (from, to) {
        (IpAddr::V4(from), IpAddr::V4(to)) => {
            let header_len = 20 + header.options.len();
            let total = (header_len + payload.len()) as u16;
            let mut packet = vec![0x40 | (header_len / 4) as u8, header.traffic_class];
            packet.extend(total.to_be_bytes());
            packet.extend([0x12, 0x34]);
            packet.extend(header.fragment.to_be_bytes());
            packet.extend([57, protocol, 0, 0]);
            packet.extend(from.octets());
            packet.extend(to.octets());
            packet.extend(&header.options);
            let checksum = checksum(&packet);
            packet[10..12].copy_from_slice(&checksum.to_be_bytes());
            packet.extend(payload);
            packet
        }
        (IpAddr::V6(from), IpAddr::V6(to)) => {
            let kinds = header.extensions.iter().map(|(kind, _)| *kind).chain([protocol]);
            let mut kinds = kinds.collect::<Vec<u8>>().into_iter();
            let first = kinds.next().unwrap_or(protocol);
            let mut chain = Vec::new();
            for ((_, rest), next) in header.extensions.iter().zip(kinds) {
                chain.push(next);
                chain.extend(rest);
            }
            chain.extend(payload);
            let word = 6 << 28 | u32::from(header.traffic_class) << 20 | 0x12345;
            let mut packet = word.to_be_bytes().to_vec();
            packet.extend((chain.len() as u16).to_be_bytes());
            packet.extend([first, 57]);
            packet.extend(from.octets());
            packet.extend(to.octets());
            packet.extend(chain);
            packet
        }
        _ => panic!("one packet has one family"),
    }
}

/// A segment with options, which are a multiple of four octets long.
pub(crate) fn segment(from: SocketAddr, to: SocketAddr, flags: u8, options: &[u8], data: &[u8]) -> Vec<u8> {
    let mut segment = [from.port().to_be_bytes(), to.port().to_be_bytes()].concat();
    segment.extend(0x0102_0304_u32.to_be_bytes());
    segment.extend(0x0506_0708_u32.to_be_bytes());
    segment.extend([(((20 + options.len()) / 4) << 4) as u8, flags, 0x72, 0x10, 0, 0, 0, 0]);
    segment.extend(options);
    segment.extend(data);
    let checksum = transport_checksum(from.ip(), to.ip(), TCP, &segment);
    segment[16..18].copy_from_slice(&checksum.to_be_bytes());
    segment
}

pub(crate) fn tcp(from: SocketAddr, to: SocketAddr, flags: u8, data: &[u8]) -> Vec<u8> {
    ip(from.ip(), to.ip(), TCP, &segment(from, to, flags, &[], data))
}

pub(crate) fn datagram(from: SocketAddr, to: SocketAddr, data: &[u8]) -> Vec<u8> {
    let mut datagram = [from.port().to_be_bytes(), to.port().to_be_bytes()].concat();
    datagram.extend((8 + data.len() as u16).to_be_bytes());
    datagram.extend([0, 0]);
    datagram.extend(data);
    datagram
}

pub(crate) fn udp(from: SocketAddr, to: SocketAddr, data: &[u8]) -> Vec<u8> {
    ip(from.ip(), to.ip(), UDP, &datagram(from, to, data))
}

/// An error or another message of ICMP, with the packet that it quotes.
pub(crate) fn icmp(from: IpAddr, to: IpAddr, kind: u8, code: u8, quoted: &[u8]) -> Vec<u8> {
    let mut message = vec![kind, code, 0, 0, 0, 0, 0x05, 0x14];
    message.extend(quoted);
    let protocol = if from.is_ipv4() { ICMP } else { ICMPV6 };
    let sum =
        if from.is_ipv4() { checksum(&message) } else { transport_checksum(from, to, protocol, &message) };
    message[2..4].copy_from_slice(&sum.to_be_bytes());
    ip(from, to, protocol, &message)
}

/// "Packet too big" about a segment that the service has sent to the client (RFC 1191, RFC 8201).
pub(crate) fn too_big(from: IpAddr, client: SocketAddr, service: SocketAddr) -> Vec<u8> {
    let quoted = tcp(service, client, ACK, &[0x55; 64]);
    let (kind, code) = if from.is_ipv4() { (3, 4) } else { (2, 0) };
    icmp(from, service.ip(), kind, code, &quoted)
}

/// A shim with some bits of its first word changed, and the tag that the word has then under the key that it names.
pub(crate) fn signed(shim: [u8; 8], change: u32, flow: &Flow, key: impl Fn(usize) -> Option<Key>) -> [u8; 8] {
    let word = (u32::from_be_bytes([shim[0], shim[1], shim[2], shim[3]]) ^ change).to_be_bytes();
    let key = key(usize::from(word[1] >> 6)).unwrap_or(Key::new([0; 16]));
    let tag = key.hash(&[&word[..], &flow.octets()].concat()) as u32;
    [word, tag.to_be_bytes()].concat().try_into().unwrap()
}

/// Behind the header of an Ethernet frame.
pub(crate) fn ethernet(packet: &[u8]) -> Vec<u8> {
    [&HOST[..], &ROUTER, protocol(packet), packet].concat()
}

/// Behind that of a frame with a tag.
pub(crate) fn tagged(packet: &[u8]) -> Vec<u8> {
    [&HOST[..], &ROUTER, &[0x81, 0, 0x20, 0x0a], protocol(packet), packet].concat()
}

fn protocol(packet: &[u8]) -> &'static [u8] {
    match packet.first().map(|first| first >> 4) {
        Some(6) => &[0x86, 0xdd],
        _ => &[0x08, 0x00],
    }
}

/// RFC 1071.
pub(crate) fn checksum(octets: &[u8]) -> u16 {
    let mut sum: u32 = 0;
    for pair in octets.chunks(2) {
        sum += u32::from(pair[0]) << 8 | u32::from(pair.get(1).copied().unwrap_or(0));
    }
    while sum > 0xffff {
        sum = (sum & 0xffff) + (sum >> 16);
    }
    !(sum as u16)
}

/// With the pseudo header (RFC 9293 section 3.1, RFC 8200 section 8.1), whose form makes no difference to the sum.
pub(crate) fn transport_checksum(from: IpAddr, to: IpAddr, protocol: u8, octets: &[u8]) -> u16 {
    let address = |address: IpAddr| match address {
        IpAddr::V4(address) => address.octets().to_vec(),
        IpAddr::V6(address) => address.octets().to_vec(),
    };
    let mut all = [address(from), address(to)].concat();
    all.extend([0, protocol]);
    all.extend((octets.len() as u16).to_be_bytes());
    all.extend(octets);
    checksum(&all)
}

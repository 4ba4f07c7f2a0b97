//! Packets that this host takes in as if they had just arrived.

use crate::Result;
use crate::error::Attempt;
use nix::libc;
use socket2::{Domain, Protocol, Socket, Type};
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

/// Gives a whole IP packet to this host's own sockets, from whomever it says that it is (raw(7)). It needs CAP_NET_RAW.
pub fn deliver(packet: &[u8]) -> Result<()> {
    let deliver = || {
        let to = destination(packet).ok_or(io::ErrorKind::InvalidData)?;
        // With this protocol the packet brings its own header.
        let protocol = Some(Protocol::from(libc::IPPROTO_RAW));
        let socket = Socket::new(Domain::for_address(SocketAddr::new(to, 0)), Type::RAW, protocol)?;
        socket.send_to(packet, &SocketAddr::new(to, 0).into())?;
        Ok::<_, io::Error>(())
    };
    deliver().attempt(|| "give a packet to this host")
}

fn destination(packet: &[u8]) -> Option<IpAddr> {
    match packet.first()? >> 4 {
        4 => Some(Ipv4Addr::from(*packet.get(16..)?.first_chunk::<4>()?).into()),
        6 => Some(Ipv6Addr::from(*packet.get(24..)?.first_chunk::<16>()?).into()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Namespace;
    use crate::link::{LinkIndex, set_up};
    use std::net::UdpSocket;

    /// A datagram of a stranger without a checksum, over IPv4.
    fn datagram(to: u16) -> Vec<u8> {
        let header = [0x45, 0, 0, 32, 0, 0, 0, 0, 64, 17, 0, 0, 203, 0, 113, 9, 127, 0, 0, 1];
        let [high, low] = to.to_be_bytes();
        [&header[..], &[0x30, 0x39, high, low, 0, 12, 0, 0], b"held"].concat()
    }

    #[test]
    fn a_stranger_s_packet_is_taken_in() {
        let namespace = Namespace::new().unwrap();
        set_up(&mut namespace.netlink().unwrap(), LinkIndex::LOOPBACK).unwrap();
        namespace
            .run(|| {
                let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
                deliver(&datagram(socket.local_addr().unwrap().port())).unwrap();
                let mut buffer = [0; 8];
                let (length, from) = socket.recv_from(&mut buffer).unwrap();
                assert_eq!((&buffer[..length], from), (&b"held"[..], "203.0.113.9:12345".parse().unwrap()));
            })
            .unwrap();
    }

    #[test]
    fn what_is_no_packet_is_refused() {
        for octets in [&b""[..], b"\x45", b"\x60 too short", b"\x00"] {
            assert!(deliver(octets).is_err(), "{octets:?}");
        }
    }
}

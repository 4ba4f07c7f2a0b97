//! Where the packets of one session go out.

use ::bfd::Packet;
use socket2::{Domain, Socket, Type};
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket};
use std::ops::RangeInclusive;
use std::os::fd::{AsFd, BorrowedFd};

/// Source ports (RFC 5881 section 4).
const PORTS: RangeInclusive<u16> = 49152..=65535;
/// So many ports are tried until one is free.
const TRIES: usize = 64;
/// No packet that crossed a router can have it (RFC 5881 section 5).
const HOP_LIMIT: u32 = 255;
/// Network control: CS6 (RFC 4594 section 3.1).
const TRAFFIC_CLASS: u32 = 0xc0;

/// The socket of one session: it has a source port of its own and keeps it (RFC 5881 section 4). Nobody answers there.
pub(super) struct Voice {
    socket: UdpSocket,
    to: SocketAddr,
}

impl Voice {
    /// A socket to a port of a neighbour, whose own port is another one.
    pub(super) fn open(neighbour: SocketAddr, port: u16) -> io::Result<Self> {
        let mut to = neighbour;
        to.set_port(port);
        let socket = Socket::new(Domain::for_address(to), Type::DGRAM.nonblocking(), None)?;
        let anywhere: IpAddr = if to.is_ipv4() {
            socket.set_ttl_v4(HOP_LIMIT)?;
            socket.set_tos_v4(TRAFFIC_CLASS)?;
            Ipv4Addr::UNSPECIFIED.into()
        } else {
            socket.set_only_v6(true)?;
            socket.set_unicast_hops_v6(HOP_LIMIT)?;
            socket.set_tclass_v6(TRAFFIC_CLASS)?;
            Ipv6Addr::UNSPECIFIED.into()
        };
        let mut taken = io::Error::from(io::ErrorKind::AddrInUse);
        for _ in 0..TRIES {
            match socket.bind(&SocketAddr::new(anywhere, rand::random_range(PORTS)).into()) {
                Ok(()) => return Ok(Voice { socket: socket.into(), to }),
                Err(error) => taken = error,
            }
        }
        Err(taken)
    }

    /// Goes on with the socket of the program before.
    pub(super) fn go_on(socket: UdpSocket, neighbour: SocketAddr, port: u16) -> Self {
        let mut to = neighbour;
        to.set_port(port);
        Voice { socket, to }
    }

    /// Sends a packet, if the kernel takes it now. One that it does not take is lost, as on any link: the other end
    /// judges what arrives.
    pub(super) fn say(&self, packet: &Packet) {
        let _ = self.socket.send_to(&packet.encode(), self.to);
    }
}

impl AsFd for Voice {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.socket.as_fd()
    }
}

#[cfg(test)]
impl From<Voice> for std::os::fd::OwnedFd {
    fn from(voice: Voice) -> Self {
        voice.socket.into()
    }
}

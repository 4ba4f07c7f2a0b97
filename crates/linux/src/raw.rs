//! Raw sockets (raw(7)): whole IP packets in anybody's name, and every TCP segment that a host receives.

use crate::Result;
use crate::error::Attempt;
use socket2::{Domain, Protocol, Socket, Type};
use std::io::{ErrorKind, Read};
use std::net::{IpAddr, SocketAddr};
use terms::Family;

/// `IPPROTO_RAW`: what is sent has its IP header already.
const WHOLE_PACKETS: i32 = 255;
/// Octets of an IPv4 header without options.
const IPV4_LEN: usize = 20;

/// Sends packets that are whole, headers and all.
#[derive(Debug)]
pub struct Sender(Socket);

impl Sender {
    /// A sender in the calling thread's network namespace. It never waits.
    pub fn open(family: Family) -> Result<Self> {
        let protocol = Some(Protocol::from(WHOLE_PACKETS));
        let socket = Socket::new(domain(family), Type::RAW.nonblocking(), protocol);
        Ok(Sender(socket.attempt(|| format!("open a raw socket for {family}"))?))
    }

    /// Sends a packet, to which its own header names the way; false if the kernel does not take it.
    pub fn send(&self, packet: &[u8], to: IpAddr) -> bool {
        self.0.send_to(packet, &SocketAddr::new(to, 0).into()).is_ok()
    }
}

/// Hears every TCP segment that the host receives over one family.
#[derive(Debug)]
pub struct Listener {
    socket: Socket,
    family: Family,
}

impl Listener {
    /// A listener in the calling thread's network namespace.
    pub fn open(family: Family) -> Result<Self> {
        let socket = Socket::new(domain(family), Type::RAW, Some(Protocol::TCP));
        Ok(Listener { socket: socket.attempt(|| format!("hear TCP segments over {family}"))?, family })
    }

    /// Waits for the next segment; its first octets, as far as the buffer has room, from the TCP header on.
    pub fn receive<'b>(&self, buffer: &'b mut [u8]) -> Result<&'b [u8]> {
        let length = loop {
            match (&self.socket).read(buffer) {
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                result => break result.attempt(|| "hear a TCP segment")?,
            }
        };
        let packet = buffer.get(..length).unwrap_or_default();
        let start = match (self.family, packet.first()) {
            // Over IPv4 the kernel shows the IP header, too.
            (Family::Ipv4, Some(first)) => usize::from(first & 15).max(IPV4_LEN / 4) * 4,
            _ => 0,
        };
        Ok(packet.get(start..).unwrap_or_default())
    }
}

fn domain(family: Family) -> Domain {
    match family {
        Family::Ipv4 => Domain::IPV4,
        Family::Ipv6 => Domain::IPV6,
    }
}

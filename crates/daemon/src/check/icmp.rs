//! Sends an echo request.

use super::way;
use check::icmp::{Echo, without_ip_header};
use check::{Finding, Judged};
use config::Way;
use rand::random;
use socket2::{Domain, Protocol, Socket, Type};
use std::io;
use terms::Family;
use tokio::net::UdpSocket;

/// Largest message that is read: more than a reply has.
const REPLY_OCTETS: usize = 1024;

#[derive(Debug)]
pub(crate) struct Asker {
    pub(super) way: Way,
}

impl Asker {
    /// One request, one reply.
    pub(super) async fn ask(&self) -> io::Result<Finding> {
        let (socket, is_raw) = open(self.way)?;
        // The runtime has no name for such a socket, and treats it as any other that sends and receives datagrams.
        let socket = UdpSocket::from_std(socket.into())?;
        let echo = Echo { family: Family::of(self.way.to.ip()), cookie: random() };
        socket.send(&echo.request()).await?;
        let has_header = is_raw && echo.family == Family::Ipv4;
        let mut reply = [0; REPLY_OCTETS];
        loop {
            let octets = socket.recv(&mut reply).await?;
            let packet = &reply[..octets];
            let message = if has_header { without_ip_header(packet).unwrap_or_default() } else { packet };
            match echo.judge(message) {
                Judged::NotOurs => {}
                Judged::Reply(finding) => return Ok(finding),
            }
        }
    }
}

/// A socket for echo requests, and whether it is a raw one. The kernel lets a group of users have one of its own kind
/// (`net.ipv4.ping_group_range`), and root a raw one.
fn open(way: Way) -> io::Result<(Socket, bool)> {
    let (domain, protocol) = match way.to.is_ipv4() {
        true => (Domain::IPV4, Protocol::ICMPV4),
        false => (Domain::IPV6, Protocol::ICMPV6),
    };
    let datagram = Socket::new(domain, Type::DGRAM, Some(protocol));
    let (socket, is_raw) = match datagram {
        Ok(socket) => (socket, false),
        Err(_) => (Socket::new(domain, Type::RAW, Some(protocol))?, true),
    };
    socket.set_nonblocking(true)?;
    socket.bind(&way::source(way).into())?;
    socket.connect(&way.to.into())?;
    Ok((socket, is_raw))
}

//! Options of sockets that the standard library does not know.

use crate::Result;
use crate::error::Attempt;
use socket2::SockRef;
use std::net::SocketAddr;
use std::os::fd::AsFd;
use std::time::Duration;
use terms::Family;

/// Class selector 6, "internetwork control" (RFC 2474, RFC 4594): routers carry routing protocols before user traffic.
const CLASS_SELECTOR_6: u32 = 0xc0;

/// Marks packets of this socket as routing protocol traffic (class selector 6).
pub fn mark_internetwork_control(socket: impl AsFd, family: Family) -> Result<()> {
    let socket = socket.as_fd();
    let socket = SockRef::from(&socket);
    match family {
        Family::Ipv4 => socket.set_tos_v4(CLASS_SELECTOR_6),
        Family::Ipv6 => socket.set_tclass_v6(CLASS_SELECTOR_6),
    }
    .attempt(|| "mark packets as internetwork control")
}

/// Gives a TCP connection up when sent data stays unacknowledged for this long (RFC 5482).
pub fn set_user_timeout(socket: impl AsFd, timeout: Duration) -> Result<()> {
    let socket = socket.as_fd();
    SockRef::from(&socket)
        .set_tcp_user_timeout(Some(timeout))
        .attempt(|| format!("set the TCP user timeout to {timeout:?}"))
}

/// Lets a socket bind to an address that this host does not have, or does not have yet.
pub fn allow_foreign_address(socket: impl AsFd, family: Family) -> Result<()> {
    let socket = socket.as_fd();
    let socket = SockRef::from(&socket);
    match family {
        Family::Ipv4 => socket.set_freebind_v4(true),
        Family::Ipv6 => socket.set_freebind_v6(true),
    }
    .attempt(|| "allow binding to a foreign address")
}

/// A UDP socket of the calling thread's network namespace that neither blocks nor waits. An IPv6 one speaks IPv6 only.
pub fn bind_udp(address: SocketAddr) -> Result<std::net::UdpSocket> {
    let bind = || {
        let domain = socket2::Domain::for_address(address);
        let socket = socket2::Socket::new(domain, socket2::Type::DGRAM.nonblocking(), None)?;
        if address.is_ipv6() {
            socket.set_only_v6(true)?;
        }
        socket.bind(&address.into())?;
        Ok::<_, std::io::Error>(socket.into())
    };
    bind().attempt(|| format!("bind a UDP socket to {address}"))
}

/// A TCP connection from an address of this host, opened in the calling thread's network namespace.
pub fn connect_tcp(from: SocketAddr, to: SocketAddr, timeout: Duration) -> Result<std::net::TcpStream> {
    let connect = || {
        let socket = socket2::Socket::new(socket2::Domain::for_address(to), socket2::Type::STREAM, None)?;
        socket.bind(&from.into())?;
        socket.connect_timeout(&to.into(), timeout)?;
        Ok::<_, std::io::Error>(socket.into())
    };
    connect().attempt(|| format!("connect from {from} to {to}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Namespace;
    use crate::link::{LinkIndex, set_up};
    use std::net::TcpListener;

    #[test]
    fn options_are_what_the_kernel_then_reports() {
        let namespace = Namespace::new().unwrap();
        set_up(&mut namespace.netlink().unwrap(), LinkIndex::LOOPBACK).unwrap();
        let listener = namespace.run(|| TcpListener::bind("127.0.0.1:0")).unwrap().unwrap();
        mark_internetwork_control(&listener, Family::Ipv4).unwrap();
        set_user_timeout(&listener, Duration::from_secs(9)).unwrap();
        let socket = SockRef::from(&listener);
        assert_eq!(socket.tos_v4().unwrap(), 0xc0);
        assert_eq!(socket.tcp_user_timeout().unwrap(), Some(Duration::from_secs(9)));
        let listener = namespace.run(|| TcpListener::bind("[::1]:0")).unwrap().unwrap();
        mark_internetwork_control(&listener, Family::Ipv6).unwrap();
        assert_eq!(SockRef::from(&listener).tclass_v6().unwrap(), 0xc0);
    }

    #[test]
    fn a_foreign_address_is_refused_until_it_is_allowed() {
        let namespace = Namespace::new().unwrap();
        set_up(&mut namespace.netlink().unwrap(), LinkIndex::LOOPBACK).unwrap();
        let bind = |free: bool| {
            let socket = socket2::Socket::new(socket2::Domain::IPV4, socket2::Type::STREAM, None).unwrap();
            if free {
                allow_foreign_address(&socket, Family::Ipv4).unwrap();
            }
            let address: SocketAddr = "198.18.0.53:53".parse().unwrap();
            socket.bind(&address.into()).is_ok()
        };
        assert!(!namespace.run(|| bind(false)).unwrap());
        assert!(namespace.run(|| bind(true)).unwrap());
    }
}

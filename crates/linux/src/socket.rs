//! Options of sockets that the standard library does not know.

use crate::error::Attempt;
use crate::{Result, option};
use nix::libc;
use socket2::SockRef;
use std::net::{Ipv4Addr, SocketAddr};
use std::os::fd::AsFd;
use std::time::Duration;
use terms::Family;

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

/// A UDP socket on a port of every IPv4 address of the calling thread's network namespace. What it sends to a group goes
/// out of the interface with the address `own`, and lives for so many routers; it may send to everybody on a network.
pub fn bind_udp_to_all(port: u16, own: Ipv4Addr, multicast_ttl: u32) -> Result<std::net::UdpSocket> {
    let socket = bind_udp((Ipv4Addr::UNSPECIFIED, port).into())?;
    let set = || {
        let options = SockRef::from(&socket);
        options.set_broadcast(true)?;
        options.set_multicast_ttl_v4(multicast_ttl)?;
        options.set_multicast_if_v4(&own)?;
        Ok::<_, std::io::Error>(())
    };
    set().attempt(|| format!("send to groups from {own}"))?;
    Ok(socket)
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

/// The network namespace of a socket: a number that no other one has while this machine is up (`SO_NETNS_COOKIE`, Linux 5.14).
pub fn network(socket: impl AsFd) -> Result<u64> {
    let mut cookie = [0; 8];
    option::get(socket.as_fd(), libc::SOL_SOCKET, libc::SO_NETNS_COOKIE, &mut cookie)
        .attempt(|| "ask for the network namespace of a socket")?;
    Ok(u64::from_ne_bytes(cookie))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Namespace;
    use crate::link::{LinkIndex, set_up};

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

    #[test]
    fn each_network_has_a_number_of_its_own() {
        let here = bind_udp("127.0.0.1:0".parse().unwrap()).unwrap();
        let other = bind_udp("[::]:0".parse().unwrap()).unwrap();
        let away = Namespace::new().unwrap().run(|| bind_udp("0.0.0.0:0".parse().unwrap()).unwrap()).unwrap();
        assert_eq!(network(&here).unwrap(), network(&other).unwrap());
        assert_ne!(network(&here).unwrap(), network(&away).unwrap());
    }
}

//! How far away the other end may be (GTSM, RFC 5082). Every router takes one off the TTL of a packet, and nobody can
//! send one with more than 255: what arrives with 255 comes from the neighbouring host, whoever it claims to be.

use crate::Result;
use crate::error::Attempt;
use crate::option::{self, get};
use nix::libc::{self, c_int};
use socket2::SockRef;
use std::net::IpAddr;
use std::os::fd::AsFd;

/// `IP_MINTTL` of linux/in.h.
const LEAST_TTL: c_int = 21;
/// `IPV6_MINHOPCOUNT` of linux/in6.h.
const LEAST_HOP_LIMIT: c_int = 73;
/// `TCP_SAVE_SYN` of linux/tcp.h.
const SAVE_SYN: c_int = 27;
/// `TCP_SAVED_SYN` of linux/tcp.h.
const SAVED_SYN: c_int = 28;

/// Has the kernel drop what arrives for the socket with a smaller TTL (hop limit) than `least`; zero drops nothing.
/// `family` is that of the socket.
pub fn require_ttl(socket: impl AsFd, family: terms::Family, least: u8) -> Result<()> {
    let (level, name) = match family {
        terms::Family::Ipv4 => (libc::IPPROTO_IP, LEAST_TTL),
        terms::Family::Ipv6 => (libc::IPPROTO_IPV6, LEAST_HOP_LIMIT),
    };
    option::set(socket.as_fd(), level, name, &c_int::from(least))
        .attempt(|| format!("require a TTL of {least}"))
}

/// Has a listening socket remember the first segment of each call, for [`ttl_of_call`].
pub fn remember_calls(listener: impl AsFd) -> Result<()> {
    option::set(listener.as_fd(), libc::IPPROTO_TCP, SAVE_SYN, &c_int::from(true))
        .attempt(|| "remember the first segments of calls")
}

/// The TTL with which the first segment of an accepted call arrived; none where the kernel did not remember it
/// (nobody asked it to, or so many call that it answers with cookies). It is forgotten by asking.
pub fn ttl_of_call(connection: impl AsFd) -> Result<Option<u8>> {
    const IPV4_TTL: usize = 8;
    const IPV6_HOP_LIMIT: usize = 7;
    let attempt = || "look at the first segment of a call";
    // The longest headers of IPv4 and TCP; those of IPv6 without extensions are as long.
    let mut headers = [0; 120];
    let length = match get(connection.as_fd(), libc::IPPROTO_TCP, SAVED_SYN, &mut headers) {
        // Longer, with extension headers: there is nothing that we could read, and the kernel keeps it.
        Err(error) if error.raw_os_error() == Some(libc::EINVAL) => return Ok(None),
        result => result.attempt(attempt)?,
    };
    let peer = SockRef::from(&connection).peer_addr().attempt(attempt)?;
    let is_ipv4 = peer.as_socket().is_some_and(|peer| matches!(peer.ip(), IpAddr::V4(_)));
    let at = if is_ipv4 { IPV4_TTL } else { IPV6_HOP_LIMIT };
    Ok((length > at).then(|| headers[at]))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Namespace;
    use crate::link::{LinkIndex, set_up};
    use crate::tcp::refused;
    use socket2::{Domain, Socket, Type};
    use std::net::{SocketAddr, TcpListener};
    use std::time::Duration;
    use terms::Family;

    fn call(to: SocketAddr, ttl: u32) -> Option<Socket> {
        let socket = Socket::new(Domain::for_address(to), Type::STREAM, None).unwrap();
        match to {
            SocketAddr::V4(_) => socket.set_ttl_v4(ttl).unwrap(),
            SocketAddr::V6(_) => socket.set_unicast_hops_v6(ttl).unwrap(),
        }
        socket.connect_timeout(&to.into(), Duration::from_millis(500)).ok()?;
        Some(socket)
    }

    #[test]
    fn who_is_too_far_away_is_not_heard_and_who_calls_is_known_by_distance() {
        let namespace = Namespace::new().unwrap();
        set_up(&mut namespace.netlink().unwrap(), LinkIndex::LOOPBACK).unwrap();
        let judge = |host: &str, family: Family| {
            let listener = TcpListener::bind((host, 0)).unwrap();
            let to = listener.local_addr().unwrap();
            remember_calls(&listener).unwrap();
            let far = call(to, 64).unwrap();
            let accepted = listener.accept().unwrap().0;
            assert_eq!(ttl_of_call(&accepted).unwrap(), Some(64));
            assert_eq!(ttl_of_call(&accepted).unwrap(), None, "it is forgotten by asking");
            assert_eq!(ttl_of_call(&far).unwrap(), None, "nobody called us there");

            require_ttl(&listener, family, 255).unwrap();
            let before = refused().unwrap().too_far;
            assert!(call(to, 254).is_none());
            assert!(refused().unwrap().too_far > before);
            let _near = call(to, 255).unwrap();
            assert_eq!(ttl_of_call(listener.accept().unwrap().0).unwrap(), Some(255));
            require_ttl(&listener, family, 0).unwrap();
            assert!(call(to, 1).is_some());
        };
        for (host, family) in [("127.0.0.1", Family::Ipv4), ("::1", Family::Ipv6)] {
            namespace.run(|| judge(host, family)).unwrap();
        }
    }
}

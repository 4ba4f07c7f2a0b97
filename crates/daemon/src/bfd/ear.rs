//! Where packets come in.

use super::Hops;
use linux::socket::bind_udp;
use nix::cmsg_space;
use nix::sys::socket::{
    ControlMessageOwned, MsgFlags, SockaddrStorage, recvmsg, setsockopt,
    sockopt::{Ipv4RecvTtl, Ipv6RecvHopLimit},
};
use std::io::{self, IoSliceMut};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd};
use terms::Family;

/// Longest datagram that is looked at, in octets: a packet with the longest authentication section that exists.
const DATAGRAM: usize = 64;

/// The socket of a port in one family.
pub(super) struct Ear {
    pub(super) hops: Hops,
    pub(super) family: Family,
    pub(super) socket: UdpSocket,
}

/// A datagram that arrived.
#[derive(Clone, Copy, Debug)]
pub(super) struct Heard {
    octets: [u8; DATAGRAM],
    length: usize,
    pub(super) from: SocketAddr,
    /// What is left of its hop limit; none if the kernel did not say.
    pub(super) hop_limit: Option<i32>,
}

impl Heard {
    pub(super) fn octets(&self) -> &[u8] {
        self.octets.get(..self.length).unwrap_or_default()
    }
}

impl Ear {
    /// Opens the port of that kind of session.
    pub(super) fn open(hops: Hops, family: Family) -> io::Result<Self> {
        let anywhere: IpAddr = match family {
            Family::Ipv4 => Ipv4Addr::UNSPECIFIED.into(),
            Family::Ipv6 => Ipv6Addr::UNSPECIFIED.into(),
        };
        let socket = bind_udp(SocketAddr::new(anywhere, hops.port()))?;
        match family {
            Family::Ipv4 => setsockopt(&socket, Ipv4RecvTtl, &true)?,
            Family::Ipv6 => setsockopt(&socket, Ipv6RecvHopLimit, &true)?,
        }
        Ok(Ear { hops, family, socket })
    }

    /// The next datagram that has arrived; none if there is none.
    pub(super) fn hear(&self) -> Option<Heard> {
        let mut octets = [0; DATAGRAM];
        let mut space = cmsg_space!(i32);
        let mut parts = [IoSliceMut::new(&mut octets)];
        let flags = MsgFlags::MSG_DONTWAIT;
        let message =
            recvmsg::<SockaddrStorage>(self.socket.as_raw_fd(), &mut parts, Some(&mut space), flags).ok()?;
        let from = message.address.as_ref().and_then(address)?;
        let length = message.bytes;
        let hop_limit = message.cmsgs().ok()?.find_map(|control| match control {
            ControlMessageOwned::Ipv4Ttl(limit) | ControlMessageOwned::Ipv6HopLimit(limit) => Some(limit),
            _ => None,
        });
        Some(Heard { octets, length, from, hop_limit })
    }
}

impl AsFd for Ear {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.socket.as_fd()
    }
}

fn address(storage: &SockaddrStorage) -> Option<SocketAddr> {
    let v4 = storage.as_sockaddr_in().map(|v4| SocketAddr::V4((*v4).into()));
    v4.or_else(|| storage.as_sockaddr_in6().map(|v6| SocketAddr::V6((*v6).into())))
}

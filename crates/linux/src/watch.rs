//! Being told by the kernel when addresses, routes or links change.

use crate::error::Attempt;
use crate::link::LinkIndex;
use crate::netlink::{answered, parse};
use crate::{Result, address, route};
use ipnet::IpNet;
use netlink_packet_core::NetlinkPayload;
use netlink_packet_route::RouteNetlinkMessage;
use netlink_sys::{Socket, SocketAddr, protocols::NETLINK_ROUTE};
use nix::errno::Errno;
use std::io;
use std::os::fd::{AsFd, BorrowedFd};
use terms::Prefix;

/// What to be told about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Topic {
    /// Addresses that come and go.
    Addresses,
    /// Routes that come and go.
    Routes,
    /// Interfaces that come, go, rise and fall.
    Links,
}

impl Topic {
    /// The multicast groups as bits (`RTNLGRP_*` of rtnetlink(7)).
    fn groups(self) -> u32 {
        match self {
            Topic::Addresses => 1 << 4 | 1 << 8,
            Topic::Routes => 1 << 6 | 1 << 10,
            Topic::Links => 1,
        }
    }
}

/// Something that changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change {
    /// An address was put on an interface.
    AddressAdded(LinkIndex, IpNet),
    /// An address was taken off an interface.
    AddressRemoved(LinkIndex, IpNet),
    /// The route for a destination came, changed or went.
    Route(Prefix),
    /// An interface came, rose or fell.
    Link(LinkIndex),
    /// An interface went.
    LinkRemoved(LinkIndex),
    /// The kernel could not keep up with telling: look at everything again.
    Lost,
}

/// A socket on which the kernel tells of changes in the namespace in which it was opened. It never blocks: wait for
/// it to become readable with `poll`, `epoll` or tokio's `AsyncFd`.
#[derive(Debug)]
pub struct Watch {
    socket: Socket,
}

impl Watch {
    /// Listens for changes in the network namespace of the calling thread.
    pub fn open(topics: &[Topic]) -> Result<Self> {
        let groups = topics.iter().fold(0, |groups, topic| groups | topic.groups());
        let open = || {
            let mut socket = Socket::new(NETLINK_ROUTE)?;
            socket.set_non_blocking(true)?;
            socket.bind(&SocketAddr::new(0, groups))?;
            Ok::<_, io::Error>(socket)
        };
        Ok(Watch { socket: open().attempt(|| format!("watch {topics:?}"))? })
    }

    /// Every change that has been told since the last call; none if nothing has.
    pub fn changes(&mut self) -> Result<Vec<Change>> {
        let mut changes = Vec::new();
        loop {
            match self.socket.recv_from_full() {
                Ok((datagram, _)) => {
                    for message in parse(&datagram) {
                        let message = message.attempt(|| "read a change from netlink")?;
                        changes.extend(read(message.payload));
                    }
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(changes),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) if answered(&error, Errno::ENOBUFS) => changes.push(Change::Lost),
                Err(error) => return Err(error).attempt(|| "listen for changes on netlink"),
            }
        }
    }
}

impl AsFd for Watch {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.socket.as_fd()
    }
}

fn read(payload: NetlinkPayload<RouteNetlinkMessage>) -> Option<Change> {
    let NetlinkPayload::InnerMessage(message) = payload else { return None };
    match &message {
        RouteNetlinkMessage::NewAddress(_) => {
            address::on_link(&message).map(|(link, net)| Change::AddressAdded(link, net))
        }
        RouteNetlinkMessage::DelAddress(_) => {
            address::on_link(&message).map(|(link, net)| Change::AddressRemoved(link, net))
        }
        RouteNetlinkMessage::NewRoute(route) | RouteNetlinkMessage::DelRoute(route) => {
            route::destination(route).map(Change::Route)
        }
        RouteNetlinkMessage::NewLink(link) => Some(Change::Link(LinkIndex(link.header.index))),
        RouteNetlinkMessage::DelLink(link) => Some(Change::LinkRemoved(LinkIndex(link.header.index))),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::route::{Route, Via};
    use crate::{Namespace, link};
    use std::thread;
    use std::time::Duration;

    /// Reads until the change is told: the kernel tells of an IPv6 address from a work queue, a moment after the
    /// request was answered.
    fn is_told(watch: &mut Watch, change: &Change) -> bool {
        (0..10_000).any(|_| {
            thread::sleep(Duration::from_millis(1));
            watch.changes().unwrap().contains(change)
        })
    }

    #[test]
    fn what_changes_is_told() {
        let namespace = Namespace::new().unwrap();
        let mut netlink = namespace.netlink().unwrap();
        let topics = [Topic::Addresses, Topic::Routes, Topic::Links];
        let mut watch = namespace.run(|| Watch::open(&topics)).unwrap().unwrap();
        assert_eq!(watch.changes().unwrap(), []);
        let lo = LinkIndex::LOOPBACK;
        link::set_up(&mut netlink, lo).unwrap();
        assert!(is_told(&mut watch, &Change::Link(lo)));
        for (host, block) in [("198.18.0.53/32", "198.18.0.0/24"), ("2001:db8::53/128", "2001:db8::/48")] {
            let (host, block): (IpNet, Prefix) = (host.parse().unwrap(), block.parse().unwrap());
            address::add(&mut netlink, lo, host).unwrap();
            assert!(is_told(&mut watch, &Change::AddressAdded(lo, host)), "{host}");
            address::remove(&mut netlink, lo, host).unwrap();
            assert!(is_told(&mut watch, &Change::AddressRemoved(lo, host)), "{host}");
            let route = Route { destination: block, via: Via::Unreachable, metric: None };
            route::add(&mut netlink, route).unwrap();
            assert!(is_told(&mut watch, &Change::Route(block)), "{block}");
        }
    }
}

//! Being told by the kernel when addresses, routes or links change.

mod filter;

use crate::error::Attempt;
use crate::link::LinkIndex;
use crate::netlink::{answered, parse};
use crate::{Namespace, Netlink, Result, address, route};
use ipnet::IpNet;
use netlink_packet_core::NetlinkPayload;
use netlink_packet_route::RouteNetlinkMessage;
use netlink_packet_route::nsid::{NsidAttribute, NsidMessage};
use netlink_sys::{Socket, SocketAddr, protocols::NETLINK_ROUTE};
use nix::errno::Errno;
use socket2::SockRef;
use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd};
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

/// A socket on which the kernel tells of changes. It never blocks: wait for it to become readable with `poll`, `epoll` or
/// tokio's `AsyncFd`.
#[derive(Debug)]
pub struct Watch {
    socket: Socket,
}

impl Watch {
    /// Listens for changes in the network namespace of the calling thread.
    pub fn open(topics: &[Topic]) -> Result<Self> {
        Watch::of(Socket::new(NETLINK_ROUTE).attempt(|| "open a netlink socket")?, topics)
    }

    /// Listens in all of these namespaces at once for routes that lie in one of the blocks or cover it, and perhaps for a few
    /// that do neither. Whatever changes a route has the kernel look at every such socket of the machine, so that one
    /// for each of a thousand namespaces would cost more than the routes.
    pub fn routes_around<'a>(
        blocks: &[Prefix],
        namespaces: impl IntoIterator<Item = &'a Namespace>,
    ) -> Result<Self> {
        let mut netlink = Netlink::open()?;
        for namespace in namespaces {
            name(&mut netlink, namespace)?;
        }
        let open = || {
            let socket = Socket::new(NETLINK_ROUTE)?;
            SockRef::from(&socket).attach_filter(&filter::routes_around(blocks))?;
            socket.set_listen_all_namespaces(true)?;
            Ok::<_, io::Error>(socket)
        };
        let socket = open().attempt(|| "watch the routes of many namespaces")?;
        Watch::of(socket, &[Topic::Routes])
    }

    fn of(mut socket: Socket, topics: &[Topic]) -> Result<Self> {
        let groups = topics.iter().fold(0, |groups, topic| groups | topic.groups());
        let mut begin = || {
            socket.set_non_blocking(true)?;
            socket.bind(&SocketAddr::new(0, groups))
        };
        begin().attempt(|| format!("watch {topics:?}"))?;
        Ok(Watch { socket })
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

/// Gives a namespace a number in the caller's, without which the kernel does not tell one of the other (ip-netns(8)).
fn name(netlink: &mut Netlink, namespace: &Namespace) -> Result<()> {
    let mut message = NsidMessage::default();
    let descriptor = namespace.as_fd().as_raw_fd() as u32;
    message.attributes = vec![NsidAttribute::Fd(descriptor), NsidAttribute::Id(-1)];
    match netlink.change(RouteNetlinkMessage::NewNsId(message), 0) {
        Err(error) if !answered(&error, Errno::EEXIST) => Err(error).attempt(|| "number a network namespace"),
        Ok(()) | Err(_) => Ok(()),
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

    #[test]
    fn one_socket_is_told_of_the_routes_of_many_namespaces_that_concern_it() {
        let namespaces = [Namespace::new().unwrap(), Namespace::new().unwrap()];
        let mut kernels = namespaces.each_ref().map(|namespace| namespace.netlink().unwrap());
        let blocks = ["198.18.0.0/15", "2001:db8:50::/44"].map(|block| block.parse::<Prefix>().unwrap());
        let watcher = Namespace::new().unwrap();
        // A second one finds the namespaces numbered.
        let open = || watcher.run(|| Watch::routes_around(&blocks, &namespaces)).unwrap().unwrap();
        let (_, mut watch) = (open(), open());
        let kept = [
            "0.0.0.0/0",
            "198.0.0.0/8",
            "198.18.0.0/15",
            "198.19.255.0/24",
            "198.18.0.53/32",
            "2001:db8::/32",
            "2001:db8:50::/44",
            "2001:db8:5f:ffff::/64",
            "::/0",
        ];
        let ignored =
            ["198.20.0.0/16", "198.17.255.255/32", "10.0.0.0/15", "2001:db8:60::/44", "2001:db9:50::/64"];
        for kernel in &mut kernels {
            for text in kept.into_iter().chain(ignored) {
                let destination: Prefix = text.parse().unwrap();
                let route = Route { destination, via: Via::Unreachable, metric: None };
                route::add(kernel, route).unwrap();
                let told = watch.changes().unwrap();
                let expected = kept.contains(&text).then_some(Change::Route(destination));
                assert_eq!(told, Vec::from_iter(expected), "{text}");
            }
        }
    }
}

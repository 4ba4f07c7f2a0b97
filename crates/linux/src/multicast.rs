//! Multicast routing of IPv4 by the kernel of a network namespace (ip_mroute): it forwards what it is told to, and hands
//! what it knows nothing of to the one socket that told it. Memberships come over the same socket.

use crate::error::Attempt;
use crate::link::LinkIndex;
use crate::{Result, option};
use nix::cmsg_space;
use nix::libc::{self, c_int, in_pktinfo};
use nix::sys::socket::{ControlMessage, ControlMessageOwned, MsgFlags, SockaddrIn, recvmsg, sendmsg};
use socket2::{Domain, InterfaceIndexOrAddress, Protocol, Socket, Type};
use std::io::{self, IoSlice, IoSliceMut};
use std::net::Ipv4Addr;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd};

/// Interfaces over which one namespace can forward multicast: `MAXVIFS` of linux/mroute.h.
pub const MOST_INTERFACES: usize = 32;

/// Options of linux/mroute.h.
const INIT: c_int = 200;
const ADD_INTERFACE: c_int = 202;
const ADD_ROUTE: c_int = 204;
const REMOVE_ROUTE: c_int = 205;
/// `VIFF_USE_IFINDEX`: an interface is named by the kernel's number.
const BY_INDEX: u8 = 0x8;
/// What a packet needs more than to be forwarded: everything is, and nothing is.
const FORWARDED: u8 = 1;
const NOT_FORWARDED: u8 = 0;
/// Router Alert (RFC 2113): every router on the way looks at the packet.
const ROUTER_ALERT: [u8; 4] = [148, 4, 0, 0];

/// The multicast router's own number of an interface, from 0 to [`MOST_INTERFACES`] - 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Interface(pub u16);

/// `struct vifctl` of linux/mroute.h.
#[repr(C)]
struct InterfaceControl {
    interface: u16,
    flags: u8,
    threshold: u8,
    rate_limit: u32,
    link: c_int,
    remote: [u8; 4],
}

/// `struct mfcctl` of linux/mroute.h.
#[repr(C)]
struct RouteControl {
    source: [u8; 4],
    group: [u8; 4],
    from: u16,
    to: [u8; MOST_INTERFACES],
    packets: u32,
    octets: u32,
    wrong: u32,
    expire: c_int,
}

impl RouteControl {
    fn new(source: Ipv4Addr, group: Ipv4Addr, from: Interface, to: &[Interface]) -> Self {
        let mut ttls = [NOT_FORWARDED; MOST_INTERFACES];
        for interface in to {
            if let Some(ttl) = ttls.get_mut(usize::from(interface.0)) {
                *ttl = FORWARDED;
            }
        }
        RouteControl {
            source: source.octets(),
            group: group.octets(),
            from: from.0,
            to: ttls,
            packets: 0,
            octets: 0,
            wrong: 0,
            expire: 0,
        }
    }
}

/// The kernel hands over a packet, as it came, or a message of its own that looks like one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Arrived {
    /// Octets in the buffer, the header of IPv4 first.
    pub length: usize,
    /// The interface that it came in by.
    pub link: LinkIndex,
}

/// The socket of a namespace's multicast router. Nothing on it blocks. When it is closed, the kernel forgets everything.
#[derive(Debug)]
pub struct MulticastRouter {
    socket: Socket,
}

impl MulticastRouter {
    /// Makes the calling thread's network namespace one that forwards multicast; there is one such socket at most.
    pub fn open() -> Result<Self> {
        let open = || {
            let protocol = Protocol::from(libc::IPPROTO_IGMP);
            let socket = Socket::new(Domain::IPV4, Type::RAW.nonblocking(), Some(protocol))?;
            option::set(socket.as_fd(), libc::IPPROTO_IP, INIT, &c_int::from(true))?;
            option::set(socket.as_fd(), libc::IPPROTO_IP, libc::IP_PKTINFO, &c_int::from(true))?;
            option::set(socket.as_fd(), libc::IPPROTO_IP, libc::IP_OPTIONS, &ROUTER_ALERT)?;
            socket.set_multicast_ttl_v4(1)?;
            socket.set_multicast_loop_v4(false)?;
            Ok::<_, io::Error>(socket)
        };
        Ok(MulticastRouter { socket: open().attempt(|| "route multicast")? })
    }

    /// Forwards over an interface from now on.
    pub fn add(&self, interface: Interface, link: LinkIndex) -> Result<()> {
        let control = InterfaceControl {
            interface: interface.0,
            flags: BY_INDEX,
            threshold: FORWARDED,
            rate_limit: 0,
            link: number(link),
            remote: [0; 4],
        };
        option::set(self.socket.as_fd(), libc::IPPROTO_IP, ADD_INTERFACE, &control)
            .attempt(|| format!("route multicast over interface {}", link.0))
    }

    /// What comes from `source` for `group` in by one interface goes out by these, and by no other.
    pub fn forward(
        &self,
        source: Ipv4Addr,
        group: Ipv4Addr,
        from: Interface,
        to: &[Interface],
    ) -> Result<()> {
        let control = RouteControl::new(source, group, from, to);
        option::set(self.socket.as_fd(), libc::IPPROTO_IP, ADD_ROUTE, &control)
            .attempt(|| format!("forward {group} from {source}"))
    }

    /// The kernel asks anew what to do with what comes from `source` for `group`.
    pub fn forget(&self, source: Ipv4Addr, group: Ipv4Addr) -> Result<()> {
        let control = RouteControl::new(source, group, Interface(0), &[]);
        option::set(self.socket.as_fd(), libc::IPPROTO_IP, REMOVE_ROUTE, &control)
            .attempt(|| format!("forget {group} from {source}"))
    }

    /// Becomes a member of a group on an interface: the kernel tells the routers there (IGMPv3).
    pub fn join(&self, group: Ipv4Addr, link: LinkIndex) -> Result<()> {
        let interface = InterfaceIndexOrAddress::Index(link.0);
        self.socket.join_multicast_v4_n(&group, &interface).attempt(|| format!("join {group}"))
    }

    /// Is no longer a member.
    pub fn leave(&self, group: Ipv4Addr, link: LinkIndex) -> Result<()> {
        let interface = InterfaceIndexOrAddress::Index(link.0);
        self.socket.leave_multicast_v4_n(&group, &interface).attempt(|| format!("leave {group}"))
    }

    /// Sends a message of IGMP out of an interface.
    pub fn send(&self, message: &[u8], to: Ipv4Addr, link: LinkIndex) -> Result<()> {
        let info = in_pktinfo {
            ipi_ifindex: number(link),
            ipi_spec_dst: libc::in_addr { s_addr: 0 },
            ipi_addr: libc::in_addr { s_addr: 0 },
        };
        let [a, b, c, d] = to.octets();
        let to = SockaddrIn::new(a, b, c, d, 0);
        let control = [ControlMessage::Ipv4PacketInfo(&info)];
        let parts = [IoSlice::new(message)];
        sendmsg(self.socket.as_raw_fd(), &parts, &control, MsgFlags::MSG_DONTWAIT, Some(&to))
            .map(drop)
            .attempt(|| format!("send IGMP out of interface {}", link.0))
    }

    /// The next packet; none when there is none at the moment.
    pub fn receive(&self, buffer: &mut [u8]) -> Result<Option<Arrived>> {
        let mut control = cmsg_space!(in_pktinfo);
        let mut parts = [IoSliceMut::new(buffer)];
        let received = recvmsg::<SockaddrIn>(
            self.socket.as_raw_fd(),
            &mut parts,
            Some(&mut control),
            MsgFlags::MSG_DONTWAIT,
        );
        let received = match received {
            Ok(received) => received,
            Err(nix::errno::Errno::EAGAIN | nix::errno::Errno::EINTR) => return Ok(None),
            Err(error) => return Err(crate::Error::new("hear IGMP", error)),
        };
        let mut link = LinkIndex(0);
        for message in received.cmsgs().attempt(|| "read where IGMP came from")? {
            if let ControlMessageOwned::Ipv4PacketInfo(info) = message {
                link = LinkIndex(u32::try_from(info.ipi_ifindex).unwrap_or(0));
            }
        }
        Ok(Some(Arrived { length: received.bytes, link }))
    }
}

impl AsFd for MulticastRouter {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.socket.as_fd()
    }
}

fn number(link: LinkIndex) -> c_int {
    c_int::try_from(link.0).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::link::{End, create_veth, index, set_up};
    use crate::{Namespace, address, sysctl};
    use std::net::UdpSocket;
    use std::time::Duration;

    const GROUP: Ipv4Addr = Ipv4Addr::new(239, 1, 2, 3);

    /// A router between two hosts, each on a cable of its own.
    fn row() -> [Namespace; 3] {
        let [left, router, right] = [0; 3].map(|_| Namespace::new().unwrap());
        router.run(|| sysctl::write("ipv4/conf/all/rp_filter", "0")).unwrap().unwrap();
        let mut netlink = router.netlink().unwrap();
        for (host, name, at) in [(&left, "left", "192.0.2"), (&right, "right", "198.51.100")] {
            let ends = [End { namespace: &router, name }, End { namespace: host, name: "eth" }];
            create_veth(&mut netlink, ends[0], ends[1]).unwrap();
            let mut inside = host.netlink().unwrap();
            let (near, far) = (index(&mut netlink, name).unwrap(), index(&mut inside, "eth").unwrap());
            address::add(&mut netlink, near, format!("{at}.1/24").parse().unwrap()).unwrap();
            address::add(&mut inside, far, format!("{at}.2/24").parse().unwrap()).unwrap();
            set_up(&mut netlink, near).unwrap();
            set_up(&mut inside, far).unwrap();
        }
        [left, router, right]
    }

    /// The next packet that `wanted` accepts, within two seconds.
    fn await_packet(router: &MulticastRouter, wanted: impl Fn(&[u8], LinkIndex) -> bool) -> Vec<u8> {
        for _ in 0..400 {
            let mut buffer = [0; 1500];
            while let Some(arrived) = router.receive(&mut buffer).unwrap() {
                if wanted(&buffer[..arrived.length], arrived.link) {
                    return buffer[..arrived.length].to_vec();
                }
            }
            std::thread::sleep(Duration::from_millis(5));
        }
        panic!("nothing came");
    }

    #[test]
    fn a_member_is_heard_of_and_what_the_kernel_asks_about_is_forwarded() {
        let [left, namespace, right] = row();
        let (router, links) = namespace
            .run(|| {
                let links = ["left", "right"].map(|name| crate::link::index_here(name).unwrap());
                let router = MulticastRouter::open().unwrap();
                for (number, link) in (0..).zip(links) {
                    router.add(Interface(number), link).unwrap();
                    router.join(Ipv4Addr::new(224, 0, 0, 22), link).unwrap();
                }
                assert!(MulticastRouter::open().is_err(), "there is one at most");
                (router, links)
            })
            .unwrap();
        let member = right.run(|| UdpSocket::bind("0.0.0.0:4000").unwrap()).unwrap();
        member.set_read_timeout(Some(Duration::from_secs(2))).unwrap();
        member.join_multicast_v4(&GROUP, &"198.51.100.2".parse().unwrap()).unwrap();
        // A report of IGMPv3 with the group in it, by the cable of the member.
        await_packet(&router, |packet, link| {
            link == links[1] && packet[9] == 2 && packet.windows(4).any(|part| part == GROUP.octets())
        });
        let sender = left
            .run(|| {
                let socket = UdpSocket::bind("192.0.2.2:0").unwrap();
                socket2::SockRef::from(&socket).set_multicast_if_v4(&"192.0.2.2".parse().unwrap()).unwrap();
                socket.set_multicast_ttl_v4(8).unwrap();
                socket
            })
            .unwrap();
        sender.send_to(b"first", (GROUP, 4000)).unwrap();
        // The kernel's own message has no protocol: source and group stand where addresses stand.
        let asked = await_packet(&router, |packet, _| packet[9] == 0);
        assert_eq!((&asked[12..16], &asked[16..20]), (&[192, 0, 2, 2][..], &GROUP.octets()[..]));
        router.forward([192, 0, 2, 2].into(), GROUP, Interface(0), &[Interface(1)]).unwrap();
        let mut buffer = [0; 16];
        assert_eq!(member.recv(&mut buffer).unwrap(), 5, "what the kernel asked about waited for the answer");
        router.forget([192, 0, 2, 2].into(), GROUP).unwrap();
        router.forward([192, 0, 2, 2].into(), GROUP, Interface(0), &[]).unwrap();
        sender.send_to(b"second", (GROUP, 4000)).unwrap();
        member.set_read_timeout(Some(Duration::from_millis(200))).unwrap();
        assert!(member.recv(&mut buffer).is_err());
    }
}

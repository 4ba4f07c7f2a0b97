//! A patch panel: interfaces of nodes whose cables end in this process.
//!
//! ```text
//!  TUN                                      virtual Ethernet
//!  node | interface ---- descriptor         node | interface ---- far end | packet socket
//!                                                                 the panel's own namespace
//! ```
//! A TUN device is the straight way. Where `/dev/net/tun` does not open, the far end of a virtual Ethernet lies in a
//! namespace of the panel's own, in which nobody answers, and a packet socket takes and gives its frames. With either,
//! a frame has an [`OFFLOAD_HEADER`] before it, so that what the kernel has not segmented stays in one piece.

use crate::link::{self, End, LinkIndex};
use crate::packet::PacketSocket;
use crate::tun::{OFFLOAD_HEADER, Tun};
use crate::{Namespace, Netlink, Result, sysctl};
use std::os::fd::{AsFd, BorrowedFd};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

/// Bytes of the header of an Ethernet frame, which a frame of a TUN device lacks.
const ETHERNET_HEADER: usize = 14;
/// The longest frame of any plug: both headers and an unsegmented packet.
pub const LONGEST_FRAME: usize = OFFLOAD_HEADER + ETHERNET_HEADER + 65_535;

/// Where cables are plugged in.
#[derive(Debug)]
pub enum Panel {
    /// Each plug is a TUN device.
    Tun,
    /// Each plug is a virtual Ethernet whose far end lies here.
    Veth(Room),
}

/// The namespace of far ends.
#[derive(Debug)]
pub struct Room {
    namespace: Namespace,
    netlink: Arc<Mutex<Netlink>>,
    /// The number of the next far end.
    next: AtomicU32,
}

/// Far ends have higher numbers than the interfaces of nodes: where the two ends of a virtual Ethernet have the same
/// number, the kernel takes its time to tell that the carrier is gone.
const FIRST_NUMBER: u32 = 10_000;

impl Panel {
    /// A panel of virtual Ethernet.
    pub fn veth() -> Result<Panel> {
        let namespace = Namespace::new()?;
        // Far ends have no addresses and say nothing of their own.
        namespace.run(|| {
            sysctl::write("ipv6/conf/all/disable_ipv6", "1")?;
            sysctl::write("ipv6/conf/default/disable_ipv6", "1")
        })??;
        let netlink = Arc::new(Mutex::new(namespace.netlink()?));
        Ok(Panel::Veth(Room { namespace, netlink, next: AtomicU32::new(FIRST_NUMBER) }))
    }

    /// Gives a node an interface. To be called in a thread that is in the node's namespace.
    pub fn plug(&self, node: &Namespace, interface: &str) -> Result<Plug> {
        match self {
            Panel::Tun => Tun::create(interface).map(Plug::Tun),
            Panel::Veth(room) => room.lead(End { namespace: node, name: interface }).map(Plug::Veth),
        }
    }
}

impl Room {
    fn lead(&self, there: End<'_>) -> Result<FarEnd> {
        let link = LinkIndex(self.next.fetch_add(1, Ordering::Relaxed));
        let name = format!("far{}", link.0);
        let here = End { namespace: &self.namespace, name: &name };
        {
            let mut netlink = self.netlink.lock().unwrap_or_else(PoisonError::into_inner);
            link::create_lead(&mut netlink, (here, link), there)?;
        }
        let socket = self.namespace.run(|| PacketSocket::open(link))??;
        Ok(FarEnd { socket, link, netlink: Arc::clone(&self.netlink) })
    }
}

/// An interface whose cable ends in this process. When the value is dropped (which takes the kernel some 30 ms), a TUN
/// device is gone, and a virtual Ethernet carries nothing until its namespaces are gone.
#[derive(Debug)]
pub enum Plug {
    /// A TUN device.
    Tun(Tun),
    /// A virtual Ethernet.
    Veth(FarEnd),
}

/// The far end of a virtual Ethernet.
#[derive(Debug)]
pub struct FarEnd {
    socket: PacketSocket,
    link: LinkIndex,
    netlink: Arc<Mutex<Netlink>>,
}

impl Plug {
    /// Plugs the cable in or pulls it out: the interface sees its carrier come or go.
    pub fn set_carrier(&self, plugged_in: bool) -> Result<()> {
        match self {
            Plug::Tun(tun) => tun.set_carrier(plugged_in),
            Plug::Veth(FarEnd { link, netlink, .. }) => {
                let mut netlink = netlink.lock().unwrap_or_else(PoisonError::into_inner);
                let set = if plugged_in { link::set_up } else { link::set_down };
                set(&mut netlink, *link)
            }
        }
    }

    /// Takes the next frame that the node sends out; none when there is none at the moment.
    pub fn receive(&self, buffer: &mut [u8]) -> Result<Option<usize>> {
        match self {
            Plug::Tun(tun) => tun.receive(buffer),
            Plug::Veth(FarEnd { socket, .. }) => socket.receive(buffer),
        }
    }

    /// Hands the node a frame that came out of a plug of the same panel; false if it does not take it (the interface is
    /// down, or full).
    pub fn deliver(&self, frame: &[u8]) -> bool {
        match self {
            Plug::Tun(tun) => tun.deliver(frame),
            Plug::Veth(FarEnd { socket, .. }) => socket.send(frame),
        }
    }
}

impl AsFd for Plug {
    fn as_fd(&self) -> BorrowedFd<'_> {
        match self {
            Plug::Tun(tun) => tun.as_fd(),
            Plug::Veth(FarEnd { socket, .. }) => socket.as_fd(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::link::{LinkState, index, set_up, state};
    use crate::{address, tun};
    use std::io::{Read, Write};
    use std::net::{TcpListener, TcpStream, UdpSocket};
    use std::sync::atomic::AtomicBool;
    use std::thread;
    use std::time::Duration;

    /// Two nodes that are each other's neighbours, and the plugs of the cable between them.
    struct Pair {
        nodes: [Namespace; 2],
        plugs: [Plug; 2],
    }

    const ADDRESSES: [[&str; 2]; 2] = [["10.0.0.0", "fd00::"], ["10.0.0.1", "fd00::1"]];

    fn pair(panel: &Panel) -> Pair {
        let nodes = [Namespace::new().unwrap(), Namespace::new().unwrap()];
        let plugs = [0, 1].map(|end| {
            let node = &nodes[end];
            // No link-local addresses, as in the lab: nothing is announced over the cable.
            node.run(|| sysctl::write("ipv6/conf/default/addr_gen_mode", "1")).unwrap().unwrap();
            let plug = node.run(|| panel.plug(node, "cable")).unwrap().unwrap();
            let mut netlink = node.netlink().unwrap();
            let cable = index(&mut netlink, "cable").unwrap();
            for (address, length) in ADDRESSES[end].iter().zip(["31", "127"]) {
                address::add(&mut netlink, cable, format!("{address}/{length}").parse().unwrap()).unwrap();
            }
            set_up(&mut netlink, cable).unwrap();
            plug
        });
        Pair { nodes, plugs }
    }

    fn every_panel() -> Vec<Panel> {
        let tun = tun::available().map(|()| Panel::Tun);
        tun.into_iter().chain([Panel::veth().unwrap()]).collect()
    }

    /// What waits at a plug.
    fn taken(plug: &Plug) -> Vec<Vec<u8>> {
        let mut buffer = vec![0; LONGEST_FRAME];
        let mut frames = Vec::new();
        while let Some(length) = plug.receive(&mut buffer).unwrap() {
            frames.push(buffer[..length].to_vec());
        }
        frames
    }

    /// Sends until it arrives. The kernel leaves to a work queue what a cable needs after its carrier came (a queue), and
    /// an IPv6 address (a route): it drops what comes before, without an error.
    fn until_it_arrives<T>(send: impl Fn(), arrived: impl Fn() -> Option<T>) -> T {
        for _ in 0..1_000 {
            send();
            if let Some(it) = arrived() {
                return it;
            }
            thread::sleep(Duration::from_millis(10));
        }
        panic!("nothing arrives");
    }

    fn send(socket: &UdpSocket, datagram: &str, to: &str) {
        assert_eq!(socket.send_to(datagram.as_bytes(), (to, 53)).unwrap(), datagram.len());
    }

    /// The frame with this datagram; none if it is not there. All frames have datagrams of a test.
    fn one_with(frames: Vec<Vec<u8>>, datagram: &str) -> Option<Vec<u8>> {
        let is_of_test = |frame: &Vec<u8>| frame.ends_with(b" of a test");
        assert!(frames.iter().all(is_of_test), "{frames:?}");
        frames.into_iter().find(|frame| frame.ends_with(datagram.as_bytes()))
    }

    #[test]
    fn a_packet_crosses_over_both_families_and_nobody_asks_who_the_neighbour_is() {
        for panel in every_panel() {
            let pair = pair(&panel);
            pair.plugs.iter().for_each(|plug| drop(taken(plug)));
            for (family, question) in ["IPv4 of a test", "IPv6 of a test"].into_iter().enumerate() {
                let [here, there] = [0, 1].map(|end| {
                    let bind = || UdpSocket::bind((ADDRESSES[end][family], 53));
                    pair.nodes[end].run(bind).unwrap().unwrap()
                });
                let ask = || send(&here, question, ADDRESSES[1][family]);
                let frame = until_it_arrives(ask, || one_with(taken(&pair.plugs[0]), question));
                there.set_nonblocking(true).unwrap();
                let deliver = || assert!(pair.plugs[1].deliver(&frame));
                let receive = || {
                    let mut buffer = [0; 16];
                    let (length, from) = there.recv_from(&mut buffer).ok()?;
                    Some((buffer[..length].to_vec(), from.ip()))
                };
                assert_eq!(
                    until_it_arrives(deliver, receive),
                    (question.as_bytes().to_vec(), ADDRESSES[0][family].parse().unwrap())
                );
                assert!(taken(&pair.plugs[1]).is_empty());
            }
        }
    }

    #[test]
    fn the_carrier_comes_and_goes_and_the_cable_works_again() {
        for panel in every_panel() {
            let pair = pair(&panel);
            let mut netlink = pair.nodes[0].netlink().unwrap();
            let cable = index(&mut netlink, "cable").unwrap();
            for carrier in [true, false, true] {
                pair.plugs[0].set_carrier(carrier).unwrap();
                assert_eq!(state(&mut netlink, cable).unwrap(), LinkState { up: true, carrier }, "{panel:?}");
            }
            drop(taken(&pair.plugs[0]));
            let here = pair.nodes[0].run(|| UdpSocket::bind(("10.0.0.0", 53))).unwrap().unwrap();
            let ask = || send(&here, "again of a test", "10.0.0.1");
            until_it_arrives(ask, || one_with(taken(&pair.plugs[0]), "again of a test"));
        }
    }

    /// What TCP hands over unsegmented stays in one piece, and arrives as it was.
    #[test]
    fn a_stream_crosses_in_large_pieces() {
        for panel in every_panel() {
            let pair = pair(&panel);
            let listener = pair.nodes[1].run(|| TcpListener::bind(("10.0.0.1", 80))).unwrap().unwrap();
            let content: Vec<u8> = (0..2_000_000u32).map(|number| (number / 7) as u8).collect();
            let over = AtomicBool::new(false);
            let longest = thread::scope(|scope| {
                let reader = scope.spawn(move || {
                    let mut text = Vec::new();
                    listener.accept().unwrap().0.read_to_end(&mut text).unwrap();
                    text
                });
                let carrier = scope.spawn(|| {
                    let mut longest = 0;
                    while !over.load(Ordering::Relaxed) {
                        for end in [0, 1] {
                            for frame in taken(&pair.plugs[end]) {
                                longest = longest.max(frame.len());
                                pair.plugs[1 - end].deliver(&frame);
                            }
                        }
                        thread::sleep(Duration::from_micros(100));
                    }
                    longest
                });
                let connect = || TcpStream::connect(("10.0.0.1", 80));
                pair.nodes[0].run(connect).unwrap().unwrap().write_all(&content).unwrap();
                assert!(reader.join().unwrap() == content, "{panel:?}");
                over.store(true, Ordering::Relaxed);
                carrier.join().unwrap()
            });
            assert!(longest > 10_000, "{panel:?}: {longest}");
        }
    }
}

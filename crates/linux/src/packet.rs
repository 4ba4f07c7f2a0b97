//! Packet sockets: the frames of an interface, in and out (packet(7)).

use crate::error::Attempt;
use crate::link::LinkIndex;
use crate::{Error, Result, option};
use nix::libc;
use socket2::{Domain, SockAddr, SockAddrStorage, Socket, Type};
use std::io::{self, Read, Write};
use std::os::fd::{AsFd, BorrowedFd};

/// `PACKET_VNET_HDR` of linux/if_packet.h: every frame has a `struct virtio_net_hdr` before it, as with a TUN device
/// ([`OFFLOAD_HEADER`](crate::tun::OFFLOAD_HEADER)).
const OFFLOAD_HEADERS: libc::c_int = 15;
/// Bytes that may wait to be read: some hundred frames that are not segmented. The kernel may allow less.
const MOST_WAITING: usize = 8 << 20;

/// Everything that an interface receives; what is written is sent out of it. Neither ever blocks.
#[derive(Debug)]
pub struct PacketSocket {
    socket: Socket,
}

impl PacketSocket {
    /// A socket on this interface of the calling thread's network namespace.
    pub fn open(link: LinkIndex) -> Result<Self> {
        let open = || {
            // Without a protocol it hears nothing before it is bound to the one interface.
            let socket = Socket::new(Domain::from(libc::AF_PACKET), Type::RAW.nonblocking(), None)?;
            option::set(socket.as_fd(), libc::SOL_PACKET, OFFLOAD_HEADERS, &libc::c_int::from(true))?;
            socket.set_recv_buffer_size(MOST_WAITING)?;
            socket.bind(&every_protocol_of(link))?;
            Ok::<_, io::Error>(socket)
        };
        Ok(PacketSocket {
            socket: open().attempt(|| format!("open a packet socket on interface {}", link.0))?,
        })
    }

    /// Takes the next frame that the interface received; none when there is none at the moment.
    pub fn receive(&self, buffer: &mut [u8]) -> Result<Option<usize>> {
        match (&self.socket).read(buffer) {
            Ok(length) => Ok(Some(length)),
            Err(error) if transient(&error) => Ok(None),
            Err(error) => Err(Error::new("read from a packet socket", error)),
        }
    }

    /// Sends a frame; false if the interface does not take it (it is down, or full).
    pub fn send(&self, frame: &[u8]) -> bool {
        (&self.socket).write(frame).is_ok()
    }
}

impl AsFd for PacketSocket {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.socket.as_fd()
    }
}

/// Nothing to read, interrupted, or the interface is down: all pass.
fn transient(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::WouldBlock | io::ErrorKind::Interrupted | io::ErrorKind::NetworkDown
    )
}

fn every_protocol_of(link: LinkIndex) -> SockAddr {
    let mut storage = SockAddrStorage::zeroed();
    // SAFETY: `sockaddr_ll` is one of the address types of this platform.
    let address = unsafe { storage.view_as::<libc::sockaddr_ll>() };
    address.sll_family = libc::AF_PACKET as u16;
    address.sll_protocol = (libc::ETH_P_ALL as u16).to_be();
    address.sll_ifindex = link.0 as i32;
    // SAFETY: the storage holds a `sockaddr_ll` whose family says so.
    unsafe { SockAddr::new(storage, size_of::<libc::sockaddr_ll>() as libc::socklen_t) }
}

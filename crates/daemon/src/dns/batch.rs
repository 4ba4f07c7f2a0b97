//! Many datagrams for one system call: those that arrived, and those that leave. The memory for both is taken once.

use ::dns::UDP_PAYLOAD;
use nix::sys::socket::{MsgFlags, MultiHeaders, SockaddrLike, recvmmsg};
use rustix::io::Errno;
use rustix::net::{MMsgHdr, SendAncillaryBuffer, SendFlags, SocketAddrAny, sendmmsg};
use std::io::{IoSlice, IoSliceMut};
use std::net::UdpSocket;
use std::os::fd::AsRawFd;

/// Datagrams for one system call, at most.
const BATCH: usize = 32;
/// Longest query that is read, in octets. Nobody's is longer than a name of 255 octets with a few EDNS options. It is no
/// power of two: the beginnings of all queries of a batch would share a few lines of the processor's cache.
const QUERY: usize = 2048 + 64;
const REPLY: usize = UDP_PAYLOAD as usize;

/// Datagrams that arrived. `S` is the system's form of an address of the socket's family.
pub(super) struct Inbox<S> {
    headers: MultiHeaders<S>,
    octets: Box<[[u8; QUERY]; BATCH]>,
    /// How long each is, and where it came from.
    arrived: [Option<(usize, S)>; BATCH],
}

impl<S: SockaddrLike + Copy> Inbox<S> {
    pub(super) fn new() -> Self {
        Inbox {
            headers: MultiHeaders::preallocate(BATCH, None),
            octets: Box::new([[0; QUERY]; BATCH]),
            arrived: [None; BATCH],
        }
    }

    /// Waits for one datagram and takes those that are there too. After an error or the socket's time-out it is empty.
    pub(super) fn receive(&mut self, socket: &UdpSocket) -> Result<(), nix::Error> {
        self.arrived = [None; BATCH];
        let mut buffers = self.octets.each_mut().map(|octets| [IoSliceMut::new(octets)]);
        let flags = MsgFlags::MSG_WAITFORONE;
        let received = recvmmsg(socket.as_raw_fd(), &mut self.headers, buffers.iter_mut(), flags, None)?;
        for (arrived, message) in self.arrived.iter_mut().zip(received) {
            *arrived = message.address.map(|from| (message.bytes, from));
        }
        Ok(())
    }

    /// The datagrams, each with where it came from.
    pub(super) fn messages(&self) -> impl Iterator<Item = (&[u8], S)> {
        let arrived = self.arrived.iter().map_while(|&arrived| arrived);
        arrived.zip(&self.octets[..]).map(|((length, from), octets)| (&octets[..length], from))
    }
}

/// Datagrams that are to leave.
pub(super) struct Outbox {
    octets: Box<[[u8; REPLY]; BATCH]>,
    lengths: [usize; BATCH],
    to: [SocketAddrAny; BATCH],
    count: usize,
}

impl Outbox {
    /// An empty one. `nowhere` is any address: it stands where no other is known yet.
    pub(super) fn new(nowhere: SocketAddrAny) -> Self {
        Outbox {
            octets: Box::new([[0; REPLY]; BATCH]),
            lengths: [0; BATCH],
            to: std::array::from_fn(|_| nowhere.clone()),
            count: 0,
        }
    }

    /// Room for the next datagram, unless it is full: it holds as many as an [`Inbox`].
    pub(super) fn room(&mut self) -> Option<&mut [u8; REPLY]> {
        self.octets.get_mut(self.count)
    }

    /// Keeps what was written into the room.
    pub(super) fn keep(&mut self, length: usize, to: SocketAddrAny) {
        self.lengths[self.count] = length;
        self.to[self.count] = to;
        self.count += 1;
    }

    /// Hands everything to the system and is empty again. Says how many datagrams the system did not take: it never
    /// waits for a queue to drain, because the client asks again anyway.
    pub(super) fn send(&mut self, socket: &UdpSocket) -> u64 {
        let count = std::mem::take(&mut self.count);
        let (octets, lengths, to) = (&self.octets, &self.lengths, &self.to);
        let slices: [[IoSlice<'_>; 1]; BATCH] =
            std::array::from_fn(|index| [IoSlice::new(&octets[index][..lengths[index]])]);
        let mut controls: [SendAncillaryBuffer<'_, '_, '_>; BATCH] =
            std::array::from_fn(|_| Default::default());
        let mut indices = 0..;
        let mut headers = controls.each_mut().map(|control| {
            let index = indices.next().unwrap_or(0);
            MMsgHdr::new_with_addr(&to[index], &slices[index], control)
        });
        send_all(socket, &mut headers[..count])
    }
}

fn send_all(socket: &UdpSocket, mut rest: &mut [MMsgHdr<'_>]) -> u64 {
    let mut unsent = 0;
    while !rest.is_empty() {
        let done = match sendmmsg(socket, rest, SendFlags::DONTWAIT) {
            Ok(sent @ 1..) => sent,
            Err(Errno::INTR) => 0,
            // The queue is full: the others would fare no better.
            Err(Errno::AGAIN) => {
                unsent += rest.len() as u64;
                rest.len()
            }
            // The first one cannot be sent: its client is unreachable, or the address has left the host.
            Ok(0) | Err(_) => {
                unsent += 1;
                1
            }
        };
        rest = &mut rest[done..];
    }
    unsent
}

//! A conversation with the kernel about links, addresses and routes (rtnetlink, RFC 3549).

use crate::error::Attempt;
use crate::{Error, Result};
use netlink_packet_core::{
    NLM_F_ACK, NLM_F_DUMP, NLM_F_REQUEST, NetlinkDeserializable, NetlinkHeader, NetlinkMessage,
    NetlinkPayload,
};
use netlink_packet_route::RouteNetlinkMessage;
use netlink_sys::{Socket, SocketAddr, protocols::NETLINK_ROUTE};
use std::io;

/// A netlink socket. It speaks about the network namespace in which it was opened, whatever namespace the thread that
/// uses it is in later.
#[derive(Debug)]
pub struct Netlink {
    socket: Socket,
    sequence: u32,
}

impl Netlink {
    /// A socket for the network namespace of the calling thread.
    pub fn open() -> Result<Self> {
        let open = || {
            let mut socket = Socket::new(NETLINK_ROUTE)?;
            socket.bind_auto()?;
            socket.connect(&SocketAddr::new(0, 0))?;
            Ok::<_, io::Error>(socket)
        };
        Ok(Netlink { socket: open().attempt(|| "open a netlink socket")?, sequence: 0 })
    }

    /// Asks for a change and waits until the kernel has made it.
    pub(crate) fn change(&mut self, message: RouteNetlinkMessage, flags: u16) -> io::Result<()> {
        self.send(message, NLM_F_REQUEST | NLM_F_ACK | flags)?;
        self.collect(Until::Acknowledged).map(drop)
    }

    /// Asks one question that has one answer.
    pub(crate) fn ask(&mut self, message: RouteNetlinkMessage) -> io::Result<RouteNetlinkMessage> {
        self.send(message, NLM_F_REQUEST)?;
        self.collect(Until::FirstAnswer)?.pop().ok_or_else(|| io::ErrorKind::UnexpectedEof.into())
    }

    /// Asks for everything of a kind.
    pub(crate) fn list(&mut self, message: RouteNetlinkMessage) -> io::Result<Vec<RouteNetlinkMessage>> {
        self.send(message, NLM_F_REQUEST | NLM_F_DUMP)?;
        self.collect(Until::Done)
    }

    fn send(&mut self, message: RouteNetlinkMessage, flags: u16) -> io::Result<()> {
        self.sequence = self.sequence.wrapping_add(1);
        let mut header = NetlinkHeader::default();
        header.flags = flags;
        header.sequence_number = self.sequence;
        let mut packet = NetlinkMessage::new(header, NetlinkPayload::InnerMessage(message));
        packet.finalize();
        let mut bytes = vec![0; packet.buffer_len()];
        packet.serialize(&mut bytes);
        self.socket.send(&bytes, 0).map(drop)
    }

    fn collect(&mut self, until: Until) -> io::Result<Vec<RouteNetlinkMessage>> {
        let mut answers = Vec::new();
        loop {
            let (datagram, _) = self.socket.recv_from_full()?;
            for message in parse(&datagram) {
                let (header, payload) = message?.into_parts();
                if header.sequence_number != self.sequence {
                    continue; // the rest of an earlier answer
                }
                match payload {
                    NetlinkPayload::Error(error) if error.code.is_some() => return Err(error.to_io()),
                    NetlinkPayload::Error(_) | NetlinkPayload::Done(_) => return Ok(answers),
                    NetlinkPayload::InnerMessage(answer) => answers.push(answer),
                    NetlinkPayload::Overrun(_) => return Err(io::Error::other("the answer was cut short")),
                    _ => {}
                }
                if until == Until::FirstAnswer && !answers.is_empty() {
                    return Ok(answers);
                }
            }
        }
    }
}

/// When an answer is complete.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Until {
    Acknowledged,
    FirstAnswer,
    Done,
}

/// The messages of one datagram.
pub(crate) fn parse<M: NetlinkDeserializable>(
    mut bytes: &[u8],
) -> impl Iterator<Item = io::Result<NetlinkMessage<M>>> + '_ {
    const HEADER: usize = 16;
    const ALIGNMENT: usize = 4;
    std::iter::from_fn(move || {
        if bytes.len() < HEADER {
            return None;
        }
        let length = u32::from_ne_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]) as usize;
        if length < HEADER || length > bytes.len() {
            bytes = &[];
            return Some(Err(io::Error::other("a netlink message has an impossible length")));
        }
        let message = NetlinkMessage::deserialize(&bytes[..length]);
        bytes = bytes.get(length.next_multiple_of(ALIGNMENT)..).unwrap_or(&[]);
        Some(message.map_err(|error| io::Error::other(error.to_string())))
    })
}

/// True if the kernel answered with this number.
pub(crate) fn answered(error: &io::Error, errno: nix::errno::Errno) -> bool {
    error.raw_os_error() == Some(errno as i32)
}

/// A name that the kernel takes for an interface: 1 to 15 bytes, no blank, no slash.
pub(crate) fn interface_name(name: &str) -> Result<&str> {
    let fits = (1..16).contains(&name.len()) && !name.contains(['/', ' ', '\0']);
    fits.then_some(name).ok_or_else(|| {
        Error::new(format!("call an interface {name:?}"), io::Error::from(io::ErrorKind::InvalidInput))
    })
}

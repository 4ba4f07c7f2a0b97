//! The TCP connections of a network namespace, as the kernel lists them (sock_diag(7)).

use crate::Result;
use crate::error::Attempt;
use crate::netlink::parse;
use netlink_packet_core::{NLM_F_DUMP, NLM_F_REQUEST, NetlinkHeader, NetlinkMessage, NetlinkPayload};
use netlink_packet_sock_diag::SockDiagMessage;
use netlink_packet_sock_diag::constants::{AF_INET, AF_INET6, IPPROTO_TCP};
use netlink_packet_sock_diag::inet::{ExtensionFlags, InetRequest, SocketId, StateFlags};
use netlink_sys::{Socket, SocketAddr as Kernel, protocols::NETLINK_SOCK_DIAG};
use std::io;
use std::net::SocketAddr;

/// The ends of a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ends {
    /// This host's end.
    pub local: SocketAddr,
    /// The other one.
    pub remote: SocketAddr,
}

/// Shows every connection of the calling thread's network namespace that somebody may still send for: from the first
/// SYN on until both directions are closed. One that is only remembered (TIME-WAIT) is none. There may be many: they are
/// shown one after the other, and none is kept.
pub fn each_connection(see: impl FnMut(Ends)) -> Result<()> {
    let nobody_sends = StateFlags::LISTEN | StateFlags::CLOSE | StateFlags::TIME_WAIT | StateFlags::SYN_SENT;
    each_in(StateFlags::all().difference(nobody_sends), see)
}

/// Shows every connection that the kernel would give a segment to: those of [`each_connection`], and also the ones that are only
/// remembered (TIME-WAIT) and those that this host has asked for (SYN-SENT).
pub fn each_socket(see: impl FnMut(Ends)) -> Result<()> {
    each_in(StateFlags::all().difference(StateFlags::LISTEN | StateFlags::CLOSE), see)
}

fn each_in(states: StateFlags, mut see: impl FnMut(Ends)) -> Result<()> {
    let mut list = || {
        let mut socket = Socket::new(NETLINK_SOCK_DIAG)?;
        socket.bind_auto()?;
        socket.connect(&Kernel::new(0, 0))?;
        list(&socket, &states, (AF_INET, SocketId::new_v4()), &mut see)?;
        list(&socket, &states, (AF_INET6, SocketId::new_v6()), &mut see)
    };
    list().attempt(|| "list the TCP connections (the kernel needs CONFIG_INET_DIAG)")
}

fn list(
    socket: &Socket,
    states: &StateFlags,
    (family, socket_id): (u8, SocketId),
    see: &mut impl FnMut(Ends),
) -> io::Result<()> {
    let (extensions, states) = (ExtensionFlags::empty(), states.clone());
    let request = InetRequest { family, protocol: IPPROTO_TCP, extensions, states, socket_id };
    let mut header = NetlinkHeader::default();
    header.flags = NLM_F_REQUEST | NLM_F_DUMP;
    header.sequence_number = u32::from(family);
    let mut packet = NetlinkMessage::new(header, SockDiagMessage::InetRequest(request).into());
    packet.finalize();
    let mut octets = vec![0; packet.buffer_len()];
    packet.serialize(&mut octets);
    socket.send(&octets, 0)?;
    loop {
        let (datagram, _) = socket.recv_from_full()?;
        for message in parse::<SockDiagMessage>(&datagram) {
            match message?.payload {
                NetlinkPayload::Error(error) if error.code.is_some() => return Err(error.to_io()),
                NetlinkPayload::Error(_) | NetlinkPayload::Done(_) => return Ok(()),
                NetlinkPayload::InnerMessage(SockDiagMessage::InetResponse(found)) => {
                    let id = &found.header.socket_id;
                    see(Ends {
                        local: SocketAddr::new(id.source_address, id.source_port),
                        remote: SocketAddr::new(id.destination_address, id.destination_port),
                    });
                }
                NetlinkPayload::Overrun(_) => return Err(io::Error::other("the answer was cut short")),
                _ => {}
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::{TcpListener, TcpStream};

    fn all() -> Vec<Ends> {
        let mut all = Vec::new();
        each_connection(|ends| all.push(ends)).unwrap();
        all
    }

    fn all_sockets() -> Vec<Ends> {
        let mut all = Vec::new();
        each_socket(|ends| all.push(ends)).unwrap();
        all
    }

    #[test]
    fn a_connection_is_listed_from_both_ends_until_it_is_closed() {
        for address in ["127.0.0.1:0", "[::1]:0"] {
            let Ok(listener) = TcpListener::bind(address) else { continue };
            let server = listener.local_addr().unwrap();
            let near = TcpStream::connect(server).unwrap();
            let client = near.local_addr().unwrap();
            let (accepted, _) = listener.accept().unwrap();
            let theirs = Ends { local: server, remote: client };
            let ours = Ends { local: client, remote: server };
            let listed = all();
            assert!(listed.contains(&theirs) && listed.contains(&ours), "{listed:?}");
            let listens = |ends: &Ends| ends.local == server && ends.remote.port() == 0;
            assert!(!listed.iter().any(listens), "a socket that listens is no connection");
            drop((near, accepted));
            // Whoever closed first remembers it for a minute, the other one not at all.
            assert!(!all().contains(&theirs) || !all().contains(&ours));
            let remembers = || all_sockets().iter().any(|ends| *ends == ours || *ends == theirs);
            assert!(remembers() && !all_sockets().iter().any(listens), "a segment finds what is remembered");
        }
    }
}

//! Packets between a service and the daemon, with the sockets that they bring.

use super::fault::Fault;
use continuity::service::{LONGEST, Said};
use linux::pass::{self, Packet};
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use tokio::io::Interest;
use tokio::net::UnixStream;

/// The connection of one service.
#[derive(Debug)]
pub(super) struct Wire(UnixStream);

/// One octet more than the longest packet: what is longer still is seen to be cut.
pub(super) const ROOM: usize = LONGEST + 1;

/// A packet that is to be said.
#[derive(Debug)]
pub(super) struct Outgoing {
    pub(super) octets: Vec<u8>,
    /// What it brings.
    pub(super) socket: Option<OwnedFd>,
}

impl Wire {
    /// Of a socket that keeps packets apart; the library knows it as any other.
    pub(super) fn new(socket: UnixStream) -> Self {
        Wire(socket)
    }

    /// The user whose process is at the other end, as the kernel says (`SO_PEERCRED`).
    pub(super) fn user(&self) -> io::Result<u32> {
        Ok(self.0.peer_cred()?.uid())
    }

    /// Hears the next message. Nothing is lost when this is given up.
    pub(super) async fn hear(&self, room: &mut [u8]) -> Result<(Said, Vec<OwnedFd>), Fault> {
        let Packet { length, descriptors, is_cut } = self.receive(room).await.map_err(Fault::Io)?;
        if length == 0 {
            return Err(Fault::Gone);
        }
        if is_cut {
            return Err(Fault::Cut);
        }
        Ok((Said::decode(&room[..length])?, descriptors))
    }

    async fn receive(&self, room: &mut [u8]) -> io::Result<Packet> {
        loop {
            self.0.readable().await?;
            let receive = || Ok(pass::receive_packet(&self.0, room)?);
            match self.0.try_io(Interest::READABLE, receive) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                received => return received,
            }
        }
    }

    /// Says a message, all of it or nothing.
    pub(super) async fn say(&self, outgoing: &Outgoing) -> io::Result<()> {
        loop {
            self.0.writable().await?;
            match self.try_say(outgoing) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                said => return said,
            }
        }
    }

    /// Says a last word, if there is room for it.
    pub(super) fn say_last(&self, octets: Vec<u8>) {
        let _ = self.try_say(&Outgoing { octets, socket: None });
    }

    fn try_say(&self, outgoing: &Outgoing) -> io::Result<()> {
        let descriptors: Vec<_> = outgoing.socket.iter().map(AsFd::as_fd).collect();
        let say = || Ok(pass::send(&self.0, &outgoing.octets, &descriptors)?);
        self.0.try_io(Interest::WRITABLE, say)
    }
}

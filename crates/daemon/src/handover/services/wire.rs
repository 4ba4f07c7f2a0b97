//! Packets between a service and the daemon, with the sockets that they bring.

use super::fault::Fault;
use super::recess::Underway;
use continuity::service::{LONGEST, Said, Session};
use linux::pass::{self, Packet};
use std::io;
use std::net::{Shutdown, TcpStream};
use std::os::fd::{AsFd, OwnedFd};
use std::sync::Arc;
use std::time::Duration;
use tokio::io::Interest;
use tokio::net::UnixStream;
use tokio::runtime::Handle;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::task::spawn_blocking;
use tokio::time::timeout;

/// Packets whose descriptors may be open at the same time: those of the offers, and one that is being looked at.
const HANDS: usize = Session::MOST_AT_ONCE + 1;

/// The connection of one service.
#[derive(Debug)]
pub(super) struct Wire {
    socket: UnixStream,
    /// One for each packet whose descriptors are not closed yet: with no hand free, none is received.
    hands: Arc<Semaphore>,
}

/// Descriptors that a service has, too: it has brought them, or is given them. They are closed on a thread aside: a close may
/// block for as long as the service likes, such as that of a TCP socket with SO_LINGER whose client does not read.
#[derive(Debug)]
pub(super) struct Shared {
    descriptors: Vec<OwnedFd>,
    /// Of a packet that has brought them.
    hands: Option<OwnedSemaphorePermit>,
}

impl Shared {
    pub(super) fn count(&self) -> usize {
        self.descriptors.len()
    }

    /// The first of them.
    pub(super) fn first(&self) -> Option<&OwnedFd> {
        self.descriptors.first()
    }

    /// Closes them, and returns when that is done.
    pub(super) async fn close(mut self) {
        let descriptors = std::mem::take(&mut self.descriptors);
        let hands = self.hands.take();
        let _ = spawn_blocking(move || drop((descriptors, hands))).await;
    }
}

impl From<TcpStream> for Shared {
    fn from(stream: TcpStream) -> Self {
        Shared { descriptors: vec![stream.into()], hands: None }
    }
}

impl Drop for Shared {
    fn drop(&mut self) {
        let (descriptors, hands) = (std::mem::take(&mut self.descriptors), self.hands.take());
        if let (Ok(runtime), false) = (Handle::try_current(), descriptors.is_empty()) {
            runtime.spawn_blocking(move || drop((descriptors, hands)));
        }
    }
}

/// One octet more than the longest packet: what is longer still is seen to be cut.
pub(super) const ROOM: usize = LONGEST + 1;

/// A packet that is to be said.
#[derive(Debug)]
pub(super) struct Outgoing {
    pub(super) octets: Vec<u8>,
    /// What it brings.
    pub(super) socket: Option<Shared>,
    /// What is over when it is said.
    pub(super) _underway: Option<Underway>,
}

impl Wire {
    /// Of a socket that keeps packets apart; the library knows it as any other.
    pub(super) fn new(socket: UnixStream) -> Self {
        Wire { socket, hands: Arc::new(Semaphore::new(HANDS)) }
    }

    /// The user whose process is at the other end, as the kernel says (`SO_PEERCRED`).
    pub(super) fn user(&self) -> io::Result<u32> {
        Ok(self.socket.peer_cred()?.uid())
    }

    /// Hears the next message. Nothing is lost when this is given up.
    pub(super) async fn hear(&self, room: &mut [u8]) -> Result<(Said, Shared), Fault> {
        let hands = Arc::clone(&self.hands).acquire_owned().await.map_err(|_| Fault::Gone)?;
        let Packet { length, descriptors, is_cut } = self.receive(room).await.map_err(Fault::Io)?;
        let brought = Shared { descriptors, hands: Some(hands) };
        if length == 0 {
            return Err(Fault::Gone);
        }
        if is_cut {
            return Err(Fault::Cut);
        }
        Ok((Said::decode(&room[..length])?, brought))
    }

    async fn receive(&self, room: &mut [u8]) -> io::Result<Packet> {
        loop {
            self.socket.readable().await?;
            let receive = || Ok(pass::receive_packet(&self.socket, room)?);
            match self.socket.try_io(Interest::READABLE, receive) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                received => return received,
            }
        }
    }

    /// Says a last word to somebody of whom nothing is read, and hangs up when it has said its first.
    pub(super) async fn dismiss(&self, octets: Vec<u8>, patience: Duration) {
        // If there is room for it. Of a new socket the library does not know yet that there is.
        let _ = pass::send(&self.socket, &octets, &[]);
        // Whoever is hung up on before it speaks reads no answer.
        let _ = timeout(patience, self.socket.readable()).await;
        let _ = socket2::SockRef::from(&self.socket).shutdown(Shutdown::Both);
    }

    /// Closes it, and with it whatever has come and was not received: aside, as [`Shared`]. Returns when all is closed.
    pub(super) async fn close(self) {
        let Wire { socket, hands } = self;
        let _ = spawn_blocking(move || drop(socket)).await;
        let _ = hands.acquire_many(HANDS as u32).await;
    }

    /// Says a message, all of it or nothing.
    pub(super) async fn say(&self, outgoing: &Outgoing) -> io::Result<()> {
        loop {
            self.socket.writable().await?;
            match self.try_say(outgoing) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                said => return said,
            }
        }
    }

    fn try_say(&self, outgoing: &Outgoing) -> io::Result<()> {
        let descriptors: Vec<_> = outgoing.socket.iter().filter_map(Shared::first).map(AsFd::as_fd).collect();
        let say = || Ok(pass::send(&self.socket, &outgoing.octets, &descriptors)?);
        self.socket.try_io(Interest::WRITABLE, say)
    }
}

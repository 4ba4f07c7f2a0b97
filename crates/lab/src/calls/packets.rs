//! A Unix socket that keeps packets apart, and what they bring: as any service would speak with the daemon.

use linux::pass;
use socket2::{Domain, SockAddr, Socket, Type};
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::net;
use std::path::Path;
use tokio::io::Interest;
use tokio::net::UnixStream;

/// More than the longest packet has: a line and 64 kB of state.
const ROOM: usize = 70_000;

/// A way to the daemon.
pub(super) struct Packets(UnixStream);

/// What the daemon has said.
pub(super) struct Packet {
    pub(super) line: String,
    pub(super) state: String,
    pub(super) socket: Option<OwnedFd>,
}

impl Packets {
    pub(super) fn connect(path: &Path) -> io::Result<Self> {
        // It never waits: a daemon with a full queue would stop the service.
        let socket = Socket::new(Domain::UNIX, Type::SEQPACKET.nonblocking(), None)?;
        socket.connect(&SockAddr::unix(path)?)?;
        let socket = net::UnixStream::from(OwnedFd::from(socket));
        Ok(Packets(UnixStream::from_std(socket)?))
    }

    /// Says a message. The daemon reads all the time: whoever finds no room has no daemon.
    pub(super) fn say(&self, octets: &[u8], socket: Option<&OwnedFd>) -> io::Result<()> {
        let brought: Vec<_> = socket.iter().map(|socket| socket.as_fd()).collect();
        Ok(pass::send(&self.0, octets, &brought)?)
    }

    /// Hears a message; an error when the daemon is gone.
    pub(super) async fn hear(&self) -> io::Result<Packet> {
        let mut room = vec![0; ROOM];
        loop {
            self.0.readable().await?;
            let receive = || Ok(pass::receive(&self.0, &mut room)?);
            let (length, sockets) = match self.0.try_io(Interest::READABLE, receive) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => continue,
                received => received?,
            };
            let text = String::from_utf8_lossy(&room[..length]);
            // A packet without a line feed is none: the daemon has hung up.
            let (line, state) = text.split_once('\n').ok_or(io::ErrorKind::UnexpectedEof)?;
            let socket = sockets.into_iter().next();
            return Ok(Packet { line: line.to_owned(), state: state.to_owned(), socket });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_daemon_with_a_full_queue_is_not_waited_for() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("full");
        let daemon = Socket::new(Domain::UNIX, Type::SEQPACKET, None).unwrap();
        daemon.bind(&SockAddr::unix(&path).unwrap()).unwrap();
        daemon.listen(0).unwrap();
        let mut callers = Vec::new();
        let full = loop {
            match Packets::connect(&path) {
                Ok(caller) => callers.push(caller),
                Err(error) => break error,
            }
        };
        assert_eq!((full.kind(), callers.len()), (io::ErrorKind::WouldBlock, 1));
    }
}

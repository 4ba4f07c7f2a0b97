//! A service that cooperates in a drain, at the anycast address: ten times a second it sends each client a line, with the line's
//! number and how many octets have come from the client. It is a process of its own on each host of a site, and knows of the
//! daemon what docs/reference/handover.md says, and no more.

use super::listen;
use super::packets::{Packet, Packets};
use crate::plan::SERVICE;
use linux::{Error, Result};
use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::net::SocketAddr;
use std::os::fd::{AsFd, OwnedFd};
use std::time::Duration;
use tokio::net::TcpStream;
use tokio::time::{Instant, MissedTickBehavior, interval};

/// Its port: that of the service that sends characters without end (RFC 864).
pub(crate) const PORT: u16 = 19;

/// The hidden arguments with which this program starts itself as that service.
pub const ARGUMENTS: [&str; 2] = ["lab", "stream"];

/// From one line to the next.
const PACE: Duration = Duration::from_millis(100);

/// Serves until the process ends, in the directory of a host.
pub fn stream() -> Result<()> {
    let failed = |error| Error::new("serve the stream service", error);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(failed)?;
    runtime.block_on(async {
        let [v4, v6] = SERVICE.both().map(|address| listen(address, PORT));
        let (v4, v6) = (v4?, v6?);
        let mut service = Service::default();
        let mut ticks = interval(PACE);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                accepted = v4.accept() => service.accept(accepted).map_err(failed)?,
                accepted = v6.accept() => service.accept(accepted).map_err(failed)?,
                _ = ticks.tick() => service.tick(),
                packet = hear(service.daemon.as_ref()) => {
                    if packet.and_then(|packet| service.obey(packet)).is_err() {
                        service.leave();
                    }
                }
            }
        }
    })
}

/// What the daemon says next; nothing while there is none.
async fn hear(daemon: Option<&Packets>) -> io::Result<Packet> {
    match daemon {
        Some(daemon) => daemon.hear().await,
        None => std::future::pending().await,
    }
}

/// One client, as far as the kernel does not know it.
struct Client {
    stream: TcpStream,
    /// Of the next line.
    number: u64,
    /// That have come from it.
    octets: u64,
    /// What of the latest line has not left yet.
    unsent: Vec<u8>,
}

impl Client {
    fn new(stream: TcpStream, number: u64, octets: u64) -> io::Result<Self> {
        stream.set_nodelay(true)?;
        Ok(Client { stream, number, octets, unsent: Vec::new() })
    }

    /// Reads what has come, and sends the next line; false when the connection is over.
    fn tick(&mut self) -> bool {
        let mut room = [0; 4096];
        loop {
            match self.stream.try_read(&mut room) {
                Ok(0) => return false,
                Ok(length) => self.octets += length as u64,
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => break,
                Err(_) => return false,
            }
        }
        if self.unsent.is_empty() {
            self.unsent = format!("{} {}\n", self.number, self.octets).into_bytes();
            self.number += 1;
        }
        match self.stream.try_write(&self.unsent) {
            Ok(length) => _ = self.unsent.drain(..length),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
            Err(_) => return false,
        }
        true
    }
}

/// From one attempt to join to the next, and after it was refused.
const TRY_AGAIN: Duration = Duration::from_secs(1);
const REFUSED: Duration = Duration::from_secs(10);

#[derive(Default)]
struct Service {
    daemon: Option<Packets>,
    /// When it may try to join again.
    next_try: Option<Instant>,
    clients: BTreeMap<u64, Client>,
    next: u64,
    /// Those that may still go in this round.
    wished: BTreeSet<u64>,
    /// Those whose fate is not known yet, by the turn in which they were offered.
    offered: BTreeMap<u64, Client>,
}

impl Service {
    fn accept(&mut self, accepted: io::Result<(TcpStream, SocketAddr)>) -> io::Result<()> {
        match accepted {
            // One that has gone meanwhile is none.
            Ok((stream, _)) => Client::new(stream, 0, 0).map_or(Ok(()), |client| self.serve(client)),
            Err(error) if error.kind() == io::ErrorKind::ConnectionAborted => Ok(()),
            Err(error) => Err(error),
        }
    }

    fn serve(&mut self, client: Client) -> io::Result<()> {
        self.clients.insert(self.next, client);
        self.next += 1;
        Ok(())
    }

    fn tick(&mut self) {
        self.clients.retain(|_, client| client.tick());
        if self.daemon.is_none() && self.next_try.is_none_or(|at| Instant::now() >= at) {
            self.next_try = Some(Instant::now() + TRY_AGAIN);
            let join = SERVICE.both().map(|address| format!(" {}", SocketAddr::new(address, PORT))).concat();
            let daemon = Packets::connect(SOCKET.as_ref());
            let joined = daemon.and_then(|daemon| {
                daemon.say(format!("join 1 stream{join}\n").as_bytes(), None)?;
                Ok(daemon)
            });
            // Without a daemon it serves on, and tries again.
            self.daemon = joined.ok();
        }
    }

    /// Does what the daemon says.
    fn obey(&mut self, packet: Packet) -> io::Result<()> {
        let Packet { line, state, socket } = packet;
        match line.split(' ').collect::<Vec<_>>()[..] {
            ["drain"] => {
                self.wished = self.clients.keys().copied().collect();
                self.say(&format!("wish {}\n", self.wished.len()), None)
            }
            ["turn", turn] => self.offer(parse(turn)?),
            ["moved", turn] => {
                self.offered.remove(&parse(turn)?);
                Ok(())
            }
            ["stays", turn] => {
                let client = self.offered.remove(&parse(turn)?);
                client.map_or(Ok(()), |client| self.serve(client))
            }
            ["given", _, _] => {
                let (number, octets) = state.split_once(' ').ok_or(io::ErrorKind::InvalidData)?;
                let stream = std::net::TcpStream::from(socket.ok_or(io::ErrorKind::InvalidData)?);
                stream.set_nonblocking(true)?;
                let stream = TcpStream::from_std(stream)?;
                self.serve(Client::new(stream, parse(number)?, parse(octets)?)?)
            }
            ["refused", ..] => {
                self.next_try = Some(Instant::now() + REFUSED);
                Ok(())
            }
            // It serves on, as it did.
            _ => Ok(()),
        }
    }

    fn offer(&mut self, turn: u64) -> io::Result<()> {
        let is_at_rest = |number: &u64| self.clients.get(number).is_some_and(|it| it.unsent.is_empty());
        let ready = self.wished.iter().copied().find(is_at_rest);
        let Some((number, client)) = ready.and_then(|number| self.clients.remove_entry(&number)) else {
            return self.say(&format!("pass {turn}\n"), None);
        };
        self.wished.remove(&number);
        let offer = format!("offer {turn}\n{} {}", client.number, client.octets);
        let socket = client.stream.as_fd().try_clone_to_owned()?;
        self.offered.insert(turn, client);
        self.say(&offer, Some(&socket))
    }

    fn say(&self, octets: &str, socket: Option<&OwnedFd>) -> io::Result<()> {
        self.daemon.as_ref().map_or(Ok(()), |daemon| daemon.say(octets.as_bytes(), socket))
    }

    /// Of what was offered it is not known any more whose it is: it may be another site's.
    fn leave(&mut self) {
        self.daemon = None;
        self.wished.clear();
        self.offered.clear();
    }
}

/// Where the daemon of the same host listens, in its directory.
pub(crate) const SOCKET: &str = "services.sock";

fn parse(word: &str) -> io::Result<u64> {
    word.parse().map_err(|_| io::ErrorKind::InvalidData.into())
}

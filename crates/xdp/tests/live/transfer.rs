//! A service that sends back what it gets, and a client that says what it wants to have back: both directions carry the
//! same octets, and whoever loses one, notices.

use crate::world::{PORT, SERVICE, World};
use continuity::Flow;
use std::io::{self, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::mpsc::{Receiver, sync_channel};
use std::thread::{self, JoinHandle};
use std::time::Duration;

/// Nobody waits for ever.
const PATIENCE: Duration = Duration::from_secs(60);
const PIECE: usize = 64 * 1024;

/// The octets at a place: of a sequence that repeats itself at no length that a packet has.
fn fill(piece: &mut [u8], place: u64) {
    for (place, octet) in (place..).zip(piece) {
        *octet = (place % 251) as u8 ^ (place >> 16) as u8;
    }
}

/// Serves one client at a site, from a thread that ends with it.
pub(crate) fn serve(world: &World, site: usize, family: usize) -> JoinHandle<io::Result<()>> {
    let listen = || TcpListener::bind(SocketAddr::new(SERVICE[family], PORT)).unwrap();
    let listener = world.sites[site].run(listen).unwrap();
    thread::spawn(move || {
        let (mut stream, _) = listener.accept()?;
        stream.set_read_timeout(Some(PATIENCE))?;
        let mut piece = vec![0; PIECE];
        loop {
            match stream.read(&mut piece)? {
                0 => return stream.shutdown(Shutdown::Write),
                length => stream.write_all(&piece[..length])?,
            }
        }
    })
}

/// A client in mid-transfer.
pub(crate) struct Transfer {
    pub(crate) flow: Flow,
    /// How much has come back so far; closed when all has, or when it failed.
    progress: Receiver<u64>,
    sender: JoinHandle<io::Result<()>>,
    receiver: JoinHandle<io::Result<u64>>,
}

impl Transfer {
    /// Connects, and sends so many octets.
    pub(crate) fn start(world: &World, family: usize, octets: u64) -> Self {
        let to = SocketAddr::new(SERVICE[family], PORT);
        let connect = || linux::socket::connect_tcp(world.from(family), to, PATIENCE).unwrap();
        let stream = world.client.run(connect).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        stream.set_write_timeout(Some(PATIENCE)).unwrap();
        let flow = Flow::new(stream.local_addr().unwrap(), to);
        let back = stream.try_clone().unwrap();
        // Small on purpose: whoever looks at the progress holds the transfer up.
        let (tell, progress) = sync_channel(0);
        let sender = thread::spawn(move || send(stream, octets));
        let receiver = thread::spawn(move || receive(back, |place| tell.send(place).is_ok()));
        Transfer { flow, progress, sender, receiver }
    }

    /// Waits until so many octets have come back. The transfer goes on meanwhile, and hardly further afterwards.
    pub(crate) fn wait_for(&self, octets: u64) {
        while self.progress.recv_timeout(PATIENCE).expect("it goes on") < octets {}
    }

    /// How much came back, or what went wrong.
    pub(crate) fn end(self) -> io::Result<u64> {
        drop(self.progress);
        let received = self.receiver.join().unwrap()?;
        self.sender.join().unwrap()?;
        Ok(received)
    }
}

fn send(mut stream: TcpStream, octets: u64) -> io::Result<()> {
    let mut piece = vec![0; PIECE];
    let mut place = 0;
    while place < octets {
        let length = usize::try_from(octets - place).unwrap_or(PIECE).min(PIECE);
        fill(&mut piece[..length], place);
        stream.write_all(&piece[..length])?;
        place += length as u64;
    }
    stream.shutdown(Shutdown::Write)
}

fn receive(mut stream: TcpStream, tell: impl Fn(u64) -> bool) -> io::Result<u64> {
    let (mut piece, mut expected) = (vec![0; PIECE], vec![0; PIECE]);
    let mut place = 0;
    loop {
        let length = stream.read(&mut piece)?;
        if length == 0 {
            return Ok(place);
        }
        fill(&mut expected[..length], place);
        if piece[..length] != expected[..length] {
            return Err(io::Error::other(format!("other octets from {place} on")));
        }
        place += length as u64;
        // Nobody listens any more towards the end.
        tell(place);
    }
}

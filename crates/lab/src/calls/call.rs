//! One connection: what was sent over it, what has come back, how it ended.

use crate::clock;
use crate::running::lock;
use std::collections::VecDeque;
use std::fmt;
use std::io;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use terms::{Family, Timestamp};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::Notify;
use tokio::time::sleep;

/// How a client speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Pace {
    /// Octets that it sends at once.
    pub(crate) piece: usize,
    /// Octets that may be on their way, there and back.
    pub(crate) window: u64,
    /// From one piece to the next.
    pub(crate) pause: Duration,
}

/// What is known of one connection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Call {
    /// Whose it is.
    pub client: String,
    /// Over which family.
    pub family: Family,
    /// When it was asked for.
    pub begun: Timestamp,
    /// Octets that were sent.
    pub sent: u64,
    /// Octets that have come back, all of them as they were sent, in order.
    pub returned: u64,
    /// When the latest piece was sent that has come back whole; none before the first.
    pub proven: Option<Timestamp>,
    /// How it ended, and when; none while it is open.
    pub end: Option<(Timestamp, Ended)>,
}

/// How a connection ended. None ends by itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ended {
    /// Somebody has reset it.
    Reset,
    /// The other end was closed.
    Closed,
    /// Other octets came back than were sent, from this one on.
    Altered(u64),
    /// The kernel gave it up, or never opened it.
    Failed(String),
}

impl fmt::Display for Ended {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Ended::Reset => f.write_str("was reset"),
            Ended::Closed => f.write_str("was closed"),
            Ended::Altered(place) => write!(f, "brought other octets back from octet {place} on"),
            Ended::Failed(why) => write!(f, "failed: {why}"),
        }
    }
}

impl Call {
    /// One that is not open yet.
    pub fn new(client: &str, family: Family, begun: Timestamp) -> Self {
        Call { client: client.to_owned(), family, begun, sent: 0, returned: 0, proven: None, end: None }
    }
}

/// Where the account of one connection is kept.
#[derive(Clone, Debug)]
pub(super) struct Account {
    pub(super) calls: Arc<Mutex<Vec<Call>>>,
    pub(super) place: usize,
}

impl Account {
    /// Notes how the connection has ended.
    pub(super) fn close(&self, end: io::Result<Ended>) {
        let end = end.unwrap_or_else(|error| match error.kind() {
            io::ErrorKind::ConnectionReset => Ended::Reset,
            _ => Ended::Failed(error.to_string()),
        });
        self.change(|call| call.end = Some((clock::now(), end)));
    }

    pub(super) fn change(&self, change: impl FnOnce(&mut Call)) {
        if let Some(call) = lock(&self.calls).get_mut(self.place) {
            change(call);
        }
    }
}

/// The octet at a place: of a sequence that repeats itself at no length that a packet has.
fn octet(place: u64) -> u8 {
    (place % 251) as u8 ^ (place >> 16) as u8
}

/// The first of these octets, which came from a place on, that is another one than was sent.
fn altered(octets: &[u8], from: u64) -> Option<u64> {
    (from..).zip(octets).find(|(place, found)| **found != octet(*place)).map(|(place, _)| place)
}

/// What was sent when, up to which octet.
type Pieces = Mutex<VecDeque<(u64, Timestamp)>>;

/// Speaks until the connection ends.
pub(super) async fn speak(mut stream: TcpStream, pace: Pace, account: &Account) -> io::Result<Ended> {
    let (mut incoming, mut outgoing) = stream.split();
    let (pieces, progress) = (Pieces::default(), Notify::new());
    let send = async {
        let (mut sent, mut piece) = (0, vec![0; pace.piece]);
        loop {
            while sent + pace.piece as u64 > lock(&account.calls)[account.place].returned + pace.window {
                progress.notified().await;
            }
            (sent..).zip(&mut piece).for_each(|(place, into)| *into = octet(place));
            sent += pace.piece as u64;
            lock(&pieces).push_back((sent, clock::now()));
            outgoing.write_all(&piece).await?;
            account.change(|call| call.sent = sent);
            sleep(pace.pause).await;
        }
    };
    let receive = async {
        let (mut returned, mut buffer) = (0, vec![0; 64 << 10]);
        loop {
            let length = incoming.read(&mut buffer).await?;
            if length == 0 {
                return Ok(Ended::Closed);
            }
            if let Some(place) = altered(&buffer[..length], returned) {
                return Ok(Ended::Altered(place));
            }
            returned += length as u64;
            let mut proven = None;
            let mut pieces = lock(&pieces);
            while let Some((_, sent)) = pieces.pop_front_if(|(end, _)| *end <= returned) {
                proven = Some(sent);
            }
            account.change(|call| {
                call.returned = returned;
                call.proven = proven.or(call.proven);
            });
            progress.notify_one();
        }
    };
    tokio::select! {
        end = receive => end,
        failed = send => failed,
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Speech, speak};
    use super::*;

    #[test]
    fn an_octet_that_is_not_the_one_that_was_sent_is_found() {
        let octets: Vec<u8> = (1_000_000..1_100_000).map(octet).collect();
        assert_eq!(altered(&octets, 1_000_000), None);
        assert_eq!(altered(&octets, 1_000_001), Some(1_000_001), "one that is missing");
        let mut wrong = octets.clone();
        wrong[777] ^= 1;
        assert_eq!(altered(&wrong, 1_000_000), Some(1_000_777));
        for packet in [512, 1340, 1400, 1448, 1460, 65_536] {
            assert_ne!(octets[..1000], octets[packet..packet + 1000], "a packet that is missing, {packet}");
        }
    }

    /// A server that does everything right, and then one thing wrong.
    fn told(wrong: impl AsyncFnOnce(tokio::net::TcpStream) + 'static) -> Call {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
            let to = listener.local_addr().unwrap();
            let calls = Arc::new(Mutex::new(vec![Call::new("tokyo", Family::Ipv4, clock::now())]));
            let account = Account { calls: Arc::clone(&calls), place: 0 };
            let pace = Pace { piece: 100, window: 200, pause: Duration::ZERO };
            let server = async {
                let (stream, _) = listener.accept().await.unwrap();
                wrong(stream).await;
            };
            tokio::join!(speak(TcpStream::connect(to), Speech::Echo(pace), account), server);
            lock(&calls)[0].clone()
        })
    }

    #[test]
    fn each_end_of_a_connection_is_told_apart() {
        let echo = async |stream: &mut tokio::net::TcpStream, octets: usize| {
            let mut buffer = vec![0; octets];
            stream.read_exact(&mut buffer).await.unwrap();
            stream.write_all(&buffer).await.unwrap();
            buffer
        };
        let closed = told(async move |mut stream| {
            echo(&mut stream, 200).await;
            stream.shutdown().await.unwrap();
            let mut rest = Vec::new();
            // The client goes then.
            let _ = stream.read_to_end(&mut rest).await;
        });
        assert_eq!(closed.end.as_ref().map(|(_, end)| end), Some(&Ended::Closed));
        assert_eq!((closed.returned, closed.proven.is_some()), (200, true));
        let reset = told(async move |mut stream| {
            echo(&mut stream, 100).await;
            stream.set_zero_linger().unwrap();
        });
        assert_eq!(reset.end.map(|(_, end)| end), Some(Ended::Reset));
        let altered = told(async move |mut stream| {
            let mut octets = echo(&mut stream, 100).await;
            octets[5] ^= 1;
            stream.write_all(&octets).await.unwrap();
            let _ = stream.read_to_end(&mut Vec::new()).await;
        });
        assert!(matches!(altered.end, Some((_, Ended::Altered(100..200)))), "{altered:?}");
    }
}

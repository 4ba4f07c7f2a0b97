//! Questions to another server about a zone, over TCP (RFC 5936 section 4.1), and NOTIFY over UDP.

use super::shelf;
use crate::clock::Clock;
use ::dns::Zone;
use ::dns::zone::{Received, Unchangeable, Unusable};
use config::Server;
use std::io;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;
use terms::{Authority, DomainName};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpStream, UdpSocket};
use tokio::task::spawn_blocking;
use tokio::time::timeout;
use transfer::{
    Conversation, Difference, Fault, Piece, Progress, Question, Reader, SignatureError, authority_in,
    judge_acknowledgement,
};

/// How long a server may take to take a connection.
const CONNECT: Duration = Duration::from_secs(10);
/// How long it may take for its next message. A large zone may have to be put together first.
const PATIENCE: Duration = Duration::from_secs(30);
/// How long all of a transfer may take. A server that sends a little now and then would never end.
const LONGEST: Duration = Duration::from_secs(3600);
/// Octets of memory that the records of a transfer may take. The unit of the package allows 2 GiB for everything.
const MOST: usize = 512 << 20;
/// How often a NOTIFY is sent, and how long each waits for its reply (RFC 1996 section 3.6: once a minute, five times;
/// doubled from here on).
const NOTIFY_TRIES: u32 = 5;
const NOTIFY_FIRST: Duration = Duration::from_secs(2);

/// Why a server was asked in vain.
#[derive(Debug, thiserror::Error)]
pub(super) enum Error {
    #[error("no connection: {0}")]
    NoConnection(io::Error),
    #[error("the connection broke off: {0}")]
    Broken(io::Error),
    #[error("no answer for {} s", .0.as_secs())]
    Silent(Duration),
    #[error("{0}")]
    Fault(#[from] Fault),
    #[error("a reply is not believed: {0}")]
    Signature(#[from] SignatureError),
    #[error("the zone cannot be used: {0}")]
    Unusable(#[from] Unusable),
    #[error("{0}")]
    Unchangeable(#[from] Unchangeable),
    #[error("the zone has serial {found} where the transfer says {said}")]
    Serial { said: u32, found: u32 },
    #[error("the transfer is not over after {} s", .0.as_secs())]
    Endless(Duration),
    #[error("it could not be put together")]
    Stopped,
}

/// A connection with one question, and what replies are verified with.
struct Exchange {
    stream: TcpStream,
    id: u16,
    conversation: Option<Conversation>,
    clock: Clock,
}

impl Exchange {
    async fn open(
        server: &Server,
        zone: &DomainName,
        question: Question<'_>,
        clock: Clock,
    ) -> Result<Exchange, Error> {
        let connecting = timeout(CONNECT, TcpStream::connect(server.address)).await;
        let mut stream = connecting.map_err(|_| Error::Silent(CONNECT))?.map_err(Error::NoConnection)?;
        let id = rand::random();
        let mut message = question.message(id, zone);
        let sign = |key| Conversation::open(key, &mut message, clock.wall());
        let conversation = server.key.clone().map(sign);
        let whole = [&(message.len() as u16).to_be_bytes()[..], &message].concat(); // a few hundred octets
        stream.write_all(&whole).await.map_err(Error::Broken)?;
        Ok(Exchange { stream, id, conversation, clock })
    }

    /// The next message, verified.
    async fn next(&mut self) -> Result<Vec<u8>, Error> {
        let read = async {
            let length = self.stream.read_u16().await?;
            let mut message = vec![0; usize::from(length)];
            self.stream.read_exact(&mut message).await?;
            Ok(message)
        };
        let read = timeout(PATIENCE, read).await.map_err(|_| Error::Silent(PATIENCE))?;
        let mut message = read.map_err(Error::Broken)?;
        if let Some(conversation) = &mut self.conversation {
            conversation.verify(&mut message, self.clock.wall())?;
        }
        Ok(message)
    }

    /// Nothing more is read.
    fn close(self) -> Result<(), Error> {
        Ok(self.conversation.map_or(Ok(()), Conversation::close)?)
    }
}

/// Which version a server has; an older one than `ours` is a fault.
pub(super) async fn ask(
    server: &Server,
    zone: &DomainName,
    ours: Option<u32>,
    clock: Clock,
) -> Result<Authority, Error> {
    let mut exchange = Exchange::open(server, zone, Question::Version, clock).await?;
    let reply = exchange.next().await?;
    let authority = authority_in(&reply, exchange.id, zone, ours)?;
    exchange.close()?;
    Ok(authority)
}

/// What came of a transfer.
pub(super) enum Fetched {
    /// The server has what we have.
    Current,
    /// Another version, and what it differs in from the last one, if there was one.
    Zone(Zone, Authority, Option<Difference>),
}

/// Fetches a zone: what has changed since the version that we have, or all of it.
pub(super) async fn fetch(
    server: &Server,
    apex: &DomainName,
    since: Option<Arc<Zone>>,
    before: Option<Arc<Zone>>,
    clock: Clock,
) -> Result<Fetched, Error> {
    let receiving = receive(server, apex, since, before, clock);
    timeout(LONGEST, receiving).await.map_err(|_| Error::Endless(LONGEST))?
}

async fn receive(
    server: &Server,
    apex: &DomainName,
    since: Option<Arc<Zone>>,
    before: Option<Arc<Zone>>,
    clock: Clock,
) -> Result<Fetched, Error> {
    let ours = since.as_ref().and_then(|zone| zone.authority());
    let question = ours.as_ref().map_or(Question::Whole, Question::Since);
    let serial = since.as_ref().filter(|_| ours.is_some()).map(|zone| zone.serial());
    let mut exchange = Exchange::open(server, apex, question, clock).await?;
    let mut reader = Reader::new(apex.clone(), exchange.id, serial, MOST);
    let mut coming =
        Coming { whole: Received::new(apex.clone()), changes: Difference::default(), wrong: None };
    loop {
        let message = exchange.next().await?;
        let progress = reader.read(&message, |piece| coming.take(piece))?;
        if let Some(unusable) = coming.wrong.take() {
            return Err(unusable.into());
        }
        match progress {
            Progress::More => {}
            Progress::Current => {
                exchange.close()?;
                return Ok(Fetched::Current);
            }
            Progress::Whole(authority) => {
                exchange.close()?;
                return off_this_thread(move || coming.finish_whole(authority, before.as_deref())).await;
            }
            Progress::Changed(authority) => {
                exchange.close()?;
                let old = since.ok_or(Error::Stopped)?;
                return off_this_thread(move || coming.finish_changes(authority, &old)).await;
            }
        }
    }
}

/// Putting a zone together takes seconds for large ones.
async fn off_this_thread(
    work: impl FnOnce() -> Result<Fetched, Error> + Send + 'static,
) -> Result<Fetched, Error> {
    spawn_blocking(work).await.map_err(|_| Error::Stopped)?
}

/// What has come so far.
struct Coming {
    whole: Received,
    changes: Difference,
    /// The first record that cannot be used.
    wrong: Option<Unusable>,
}

impl Coming {
    fn take(&mut self, piece: Piece) {
        match piece {
            Piece::Whole(record) => {
                if let Err(unusable) = self.whole.push(&record) {
                    self.wrong.get_or_insert(unusable);
                }
            }
            change @ (Piece::Remove(_) | Piece::Add(_)) => self.changes.take(change),
        }
    }

    fn finish_whole(self, authority: Authority, before: Option<&Zone>) -> Result<Fetched, Error> {
        Fault::refuse_older(authority, before.map(Zone::serial))?;
        let zone = judged(self.whole.finish()?, authority)?;
        let difference = before.map(|before| shelf::difference(before, &zone));
        Ok(Fetched::Zone(zone, authority, difference))
    }

    fn finish_changes(self, authority: Authority, old: &Zone) -> Result<Fetched, Error> {
        let zone = judged(shelf::changed(old, &self.changes)?, authority)?;
        Ok(Fetched::Zone(zone, authority, Some(self.changes)))
    }
}

/// A zone that has the serial number that the transfer says.
fn judged(zone: Zone, authority: Authority) -> Result<Zone, Error> {
    match zone.serial() == authority.serial {
        true => Ok(zone),
        false => Err(Error::Serial { said: authority.serial, found: zone.serial() }),
    }
}

/// Tells a server that there is a version of a zone, until it says that it has heard (RFC 1996).
pub(super) async fn notify(server: &Server, zone: &Zone, clock: Clock) -> Result<(), Error> {
    let authority = zone.authority().ok_or(Error::Stopped)?;
    let here: SocketAddr = match server.address {
        SocketAddr::V4(_) => (Ipv4Addr::UNSPECIFIED, 0).into(),
        SocketAddr::V6(_) => (Ipv6Addr::UNSPECIFIED, 0).into(),
    };
    let socket = UdpSocket::bind(here).await.map_err(Error::NoConnection)?;
    socket.connect(server.address).await.map_err(Error::NoConnection)?;
    let mut patience = NOTIFY_FIRST;
    let mut last = Error::Silent(patience);
    for _ in 0..NOTIFY_TRIES {
        let id = rand::random();
        let mut message = Question::News(&authority).message(id, zone.apex());
        let sign = |key| Conversation::open(key, &mut message, clock.wall());
        let mut conversation = server.key.clone().map(sign);
        let exchange = async {
            socket.send(&message).await.map_err(Error::Broken)?;
            let mut reply = vec![0; 512];
            loop {
                reply.resize(512, 0);
                let length = socket.recv(&mut reply).await.map_err(Error::Broken)?;
                reply.truncate(length);
                if reply.get(..2) == Some(&id.to_be_bytes()[..]) {
                    return Ok(reply);
                }
            }
        };
        match timeout(patience, exchange).await {
            Ok(Ok(mut reply)) => {
                if let Some(conversation) = &mut conversation {
                    conversation.verify(&mut reply, clock.wall())?;
                }
                return Ok(judge_acknowledgement(&reply, id)?);
            }
            Ok(Err(error)) => {
                last = error;
                tokio::time::sleep(patience).await;
            }
            Err(_) => last = Error::Silent(patience),
        }
        patience *= 2;
    }
    Err(last)
}

#[cfg(test)]
mod tests {
    use super::*;
    use ::dns::zone;

    #[test]
    fn a_whole_zone_does_not_go_back_to_an_older_version() {
        let zone = |serial: u32| {
            zone::parse(&format!("$ORIGIN example.\n@ SOA ns.a. h.a. {serial} 1 1 4 1\n@ NS ns.a.\n"))
                .unwrap()
        };
        let come = |serial: u32, before: Option<&Zone>| {
            let next = zone(serial);
            let mut whole = Received::new(next.apex().clone());
            let soa = next.authority().unwrap();
            let authority = Authority::of(&soa.data).unwrap();
            [soa]
                .iter()
                .chain(&::dns::zone::ZoneRecords::of(&next).collect::<Vec<_>>())
                .for_each(|record| whole.push(record).unwrap());
            let coming = Coming { whole, changes: Difference::default(), wrong: None };
            coming.finish_whole(authority, before).map(|_| ()).map_err(|error| error.to_string())
        };
        assert_eq!(come(5, None), Ok(()));
        assert_eq!(come(6, Some(&zone(5))), Ok(()));
        assert_eq!(come(5, Some(&zone(5))), Ok(()), "the same once more");
        let older = "the server has serial 4, which is not newer than 5, the one here";
        assert_eq!(come(4, Some(&zone(5))), Err(older.to_owned()));
    }
}

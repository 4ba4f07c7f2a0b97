//! Connections of another site: what [`Taker`] says, carried out.

use super::channel::{Channel, Fault};
use super::cooperation::{Cooperation, Given};
use super::kernel;
use super::tally::Tally;
use ::continuity::handover::{Dump, Message, Refusal, Taker, TakerAct, TakerEvent};
use linux::tcp::repair::{self, Connection};
use std::collections::BTreeSet;
use std::io;
use std::net::{IpAddr, TcpStream};
use std::time::Duration;
use tokio::io::AsyncWriteExt;
use tokio::sync::mpsc::OwnedPermit;
use tokio::time::timeout;

/// How long a connection waits for its release: longer than the giver has patience.
const PATIENCE: Duration = Duration::from_secs(1);

/// How long a channel may say nothing between two connections.
const IDLE: Duration = Duration::from_secs(60);

/// How long what never left the other kernel may take to find room in this one.
const REST: Duration = Duration::from_secs(30);

/// What this site takes.
pub(super) struct Taking<'a> {
    pub(super) cooperation: &'a Cooperation,
    /// The addresses of its services.
    pub(super) services: &'a BTreeSet<IpAddr>,
    pub(super) tally: &'a Tally,
}

/// A connection that is here, frozen, with its place in the queue of its service.
struct Restored {
    stream: TcpStream,
    connection: Connection,
    state: Vec<u8>,
    place: OwnedPermit<Given>,
}

impl Taking<'_> {
    /// Takes what the other site gives, until it says no more.
    pub(super) async fn serve(&self, channel: &mut Channel) -> Result<(), Fault> {
        loop {
            let heard = timeout(IDLE, channel.hear()).await;
            match heard.unwrap_or_else(|_| Err(io::Error::from(io::ErrorKind::TimedOut).into()))? {
                Message::Offer { state, dump } => self.take(channel, state, dump).await?,
                Message::Begin
                | Message::Accepted
                | Message::Refused(_)
                | Message::Released
                | Message::Withdrawn => return Err(Fault::Order),
            }
        }
    }

    async fn take(&self, channel: &mut Channel, state: Vec<u8>, dump: Dump) -> Result<(), Fault> {
        let (mut restored, refusal) = match self.restore(state, dump) {
            Ok(restored) => (Some(restored), Refusal::Kernel),
            Err(refusal) => (None, refusal),
        };
        let mut taker = Taker::Offered;
        let mut event = if restored.is_some() { TakerEvent::Restored } else { TakerEvent::Failed };
        let mut heard = Ok(());
        loop {
            let (next, acts) = taker.next(event);
            taker = next;
            for act in acts {
                match act {
                    TakerAct::Accept => heard = channel.say(&Message::Accepted).await,
                    TakerAct::Refuse => heard = channel.say(&Message::Refused(refusal)).await,
                    TakerAct::Thaw => restored = restored.filter(|it| repair::thaw(&it.stream).is_ok()),
                    TakerAct::Give => restored.take().into_iter().for_each(|it| self.give(it)),
                    TakerAct::Discard => {
                        restored.take().into_iter().for_each(|it| _ = repair::discard(&it.stream));
                    }
                }
            }
            match taker {
                Taker::Offered | Taker::Waiting => {}
                Taker::Taken | Taker::Dropped => return heard,
            }
            event = match std::mem::replace(&mut heard, Ok(())) {
                Err(fault) => {
                    heard = Err(fault);
                    TakerEvent::Lost
                }
                Ok(()) => match timeout(PATIENCE, channel.hear()).await {
                    Ok(Ok(Message::Released)) => TakerEvent::Released,
                    Ok(Ok(Message::Withdrawn)) => TakerEvent::Withdrawn,
                    Ok(Ok(_)) => {
                        heard = Err(Fault::Order);
                        TakerEvent::Lost
                    }
                    Ok(Err(fault)) => {
                        heard = Err(fault);
                        TakerEvent::Lost
                    }
                    Err(_) => {
                        heard = Err(io::Error::from(io::ErrorKind::TimedOut).into());
                        TakerEvent::Late
                    }
                },
            };
        }
    }

    fn restore(&self, state: Vec<u8>, dump: Dump) -> Result<Restored, Refusal> {
        if !self.services.contains(&dump.service.ip().to_canonical()) {
            return Err(Refusal::NoService);
        }
        let place = self.cooperation.place(dump.service).ok_or(Refusal::NoService)?;
        let connection = kernel::heard(dump);
        let stream = repair::restore(&connection).map_err(|_| Refusal::Kernel)?;
        Ok(Restored { stream, connection, state, place })
    }

    fn give(&self, restored: Restored) {
        self.tally.take();
        let Restored { stream, connection, state, place } = restored;
        tokio::spawn(async move {
            // Whatever fails here, the connection ends in order, and its client knows.
            if let Ok(stream) = send_rest(stream, &connection).await {
                place.send(Given { stream, state });
            }
        });
    }
}

/// Sends what has never left the other kernel.
async fn send_rest(stream: TcpStream, connection: &Connection) -> io::Result<TcpStream> {
    stream.set_nonblocking(true)?;
    let rest = repair::rest(connection);
    if rest.is_empty() {
        return Ok(stream);
    }
    let mut stream = tokio::net::TcpStream::from_std(stream)?;
    timeout(REST, stream.write_all(rest)).await??;
    stream.into_std()
}

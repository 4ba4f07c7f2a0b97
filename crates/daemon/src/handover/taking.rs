//! Connections of another site: what [`Taker`] says, carried out.

use super::Situation;
use super::channel::{Channel, Fault};
use super::cooperation::{Cooperation, Given};
use super::delivery::Delivery;
use super::kernel;
use super::patience::Patience;
use super::tally::Tally;
use crate::continuity::Fences;
use ::continuity::Flow;
use ::continuity::handover::{Dump, Message, Refusal, Taker, TakerAct, TakerEvent};
use linux::tcp::repair::{self, Connection};
use std::io;
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;
use std::time::Duration;
use tokio::io::AsyncWriteExt;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tokio::time::timeout;

/// How long a channel may say nothing between two connections.
const IDLE: Duration = Duration::from_secs(60);

/// How long what never left the other kernel may take to find room in this one.
const REST: Duration = Duration::from_secs(30);

/// What this site takes.
pub(super) struct Taking<'a> {
    pub(super) cooperation: &'a Cooperation,
    pub(super) situation: &'a watch::Receiver<Option<Situation>>,
    pub(super) fences: &'a Fences,
    pub(super) delivery: &'a Delivery,
    pub(super) tally: &'a Tally,
    pub(super) patience: Patience,
    /// Connections that may wait at the same time for room for what never left the other kernel.
    pub(super) waiting: &'a Arc<Semaphore>,
}

/// A connection that is here, frozen.
struct Restored {
    stream: TcpStream,
    connection: Connection,
    state: Vec<u8>,
    /// Its place among those that wait for room, if it has to.
    place: Option<OwnedSemaphorePermit>,
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
        let flow = dump.flow();
        let mut is_fenced = false;
        let (mut restored, refusal) = match self.restore(state, dump, &mut is_fenced) {
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
                    // Somebody else's fence stays.
                    TakerAct::Unfence if is_fenced => self.unfence(&flow, restored.is_some()),
                    TakerAct::Unfence => {}
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
                Ok(()) => match timeout(self.patience.taker(), channel.hear()).await {
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

    /// First the fence: what a frozen socket takes in would be lost if nothing came of it.
    fn restore(&self, state: Vec<u8>, dump: Dump, is_fenced: &mut bool) -> Result<Restored, Refusal> {
        self.is_welcome(dump.service)?;
        let place = match dump.unsent {
            0 => None,
            _ => Some(Arc::clone(self.waiting).try_acquire_owned().map_err(|_| Refusal::Service)?),
        };
        *is_fenced = self.fences.fence(&dump.flow(), self.patience.fence()).unwrap_or(false);
        if !*is_fenced {
            return Err(Refusal::Kernel);
        }
        let connection = kernel::heard(dump);
        let stream = repair::restore(&connection).map_err(|_| Refusal::Kernel)?;
        Ok(Restored { stream, connection, state, place })
    }

    fn is_welcome(&self, service: SocketAddr) -> Result<(), Refusal> {
        let now = self.situation.borrow();
        let now = now.as_ref().filter(|now| now.services.contains(&service.ip().to_canonical()));
        let now = now.ok_or(Refusal::NoService)?;
        self.cooperation.is_welcome(service)?;
        // Two sites that are being left would pass it to and fro.
        if now.is_leaving { Err(Refusal::Service) } else { Ok(()) }
    }

    /// What was held is for the socket that goes on here. If none does, its client sends it again, to where it goes on.
    fn unfence(&self, flow: &Flow, goes_on: bool) {
        let held = self.fences.unfence(flow);
        if goes_on {
            held.iter().for_each(|packet| self.delivery.deliver(flow, packet));
        }
    }

    fn give(&self, restored: Restored) {
        self.tally.take();
        let Restored { stream, connection, state, place } = restored;
        let cooperation = self.cooperation.clone();
        tokio::spawn(async move {
            // Whatever fails here, the connection ends in order, and its client knows.
            let Ok(stream) = send_rest(stream, &connection).await else { return };
            drop(place);
            if let Some(queue) = cooperation.queue(connection.local) {
                let _ = queue.send(Given { stream, state }).await;
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

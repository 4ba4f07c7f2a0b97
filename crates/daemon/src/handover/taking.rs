//! Connections of another site: what [`Taker`] says, carried out.

use super::Situation;
use super::channel::{Channel, Fault};
use super::cooperation::{Cooperation, Given};
use super::delivery::Delivery;
use super::kernel;
use super::patience::Patience;
use super::room::{Room, Share};
use super::tally::{Tally, Why};
use crate::continuity::Fences;
use ::continuity::Flow;
use ::continuity::handover::{Dump, Message, Refusal, Taker, TakerAct, TakerEvent};
use linux::tcp::repair;
use std::future::Future;
use std::io;
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;
use tokio::io::AsyncWriteExt;
use tokio::sync::{mpsc, watch};
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
    /// For what is on its way here.
    pub(super) room: &'a Room,
    /// For what never left the other kernel, and waits for room in this one.
    pub(super) waiting: &'a Room,
}

/// A connection that is here, frozen.
struct Restored {
    stream: TcpStream,
    /// With its service.
    place: mpsc::OwnedPermit<Given>,
    state: Vec<u8>,
    /// What has never left the other kernel, and the room that it waits in.
    rest: (Vec<u8>, Share),
}

/// Whatever takes longer has failed.
async fn within<T>(time: Duration, work: impl Future<Output = Result<T, Fault>>) -> Result<T, Fault> {
    timeout(time, work).await.unwrap_or_else(|_| Err(io::Error::from(io::ErrorKind::TimedOut).into()))
}

impl Taking<'_> {
    /// Takes what the other site gives, until it says no more.
    pub(super) async fn serve(&self, channel: &mut Channel) -> Result<(), Fault> {
        loop {
            let length = within(IDLE, channel.announced()).await?;
            // By the time that it has taken longer than this, its giver has given it up.
            let hearing = channel.hear_in(self.room, length);
            let (message, _share) = within(self.patience.taker(), hearing).await?;
            match message {
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
        let place = self.place(dump.service)?;
        let unsent = usize::try_from(dump.unsent).unwrap_or(usize::MAX);
        let share = self.waiting.take(unsent).ok_or(Refusal::NoRoom)?;
        *is_fenced = self.fences.fence(&dump.flow(), self.patience.fence()).unwrap_or(false);
        if !*is_fenced {
            return Err(Refusal::Kernel);
        }
        let connection = kernel::heard(dump);
        let stream = repair::restore(&connection).map_err(|_| Refusal::Kernel)?;
        let rest = (repair::rest(&connection).to_vec(), share);
        Ok(Restored { stream, place, state, rest })
    }

    /// It is taken before the other site hears that the connection may come: many are offered at the same time.
    fn place(&self, service: SocketAddr) -> Result<mpsc::OwnedPermit<Given>, Refusal> {
        let now = self.situation.borrow();
        let now = now.as_ref().filter(|now| now.services.contains(&service.ip().to_canonical()));
        let now = now.ok_or(Refusal::NoService)?;
        // Two sites that are being left would pass it to and fro.
        let is_left = now.leaving.contains(&service.ip().to_canonical());
        if is_left { Err(Refusal::Service) } else { self.cooperation.reserve(service) }
    }

    /// What was held is for the socket that goes on here. If none does, its client sends it again, to where it goes on.
    fn unfence(&self, flow: &Flow, goes_on: bool) {
        if goes_on {
            // Before the fence comes down: whatever comes then was sent after these.
            self.delivery.deliver(flow, self.fences.take_held(flow));
        }
        let last = self.fences.unfence(flow);
        if goes_on {
            self.delivery.deliver(flow, last);
        }
    }

    fn give(&self, restored: Restored) {
        let Restored { stream, place, state, rest: (rest, share) } = restored;
        let tally = self.tally.clone();
        tokio::spawn(async move {
            // Whatever fails here, the connection ends in order, and its client knows.
            let Ok(stream) = send_rest(stream, rest).await else { return tally.keep(Why::Broken) };
            drop(share);
            let is_alone = place.send(Given { stream, state }).is_closed();
            if is_alone { tally.keep(Why::Broken) } else { tally.take() }
        });
    }
}

/// Sends what has never left the other kernel.
async fn send_rest(stream: TcpStream, rest: Vec<u8>) -> io::Result<TcpStream> {
    stream.set_nonblocking(true)?;
    if rest.is_empty() {
        return Ok(stream);
    }
    let mut stream = tokio::net::TcpStream::from_std(stream)?;
    timeout(REST, stream.write_all(&rest)).await??;
    stream.into_std()
}

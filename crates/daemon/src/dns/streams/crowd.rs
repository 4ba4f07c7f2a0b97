//! All connections of one thread: what [`dns::Connections`] decides about them, carried out.

use super::conversation::{self, Stream, converse};
use super::{Speech, becomes};
use crate::clock::Clock;
use crate::dns::counters::Cut;
use crate::dns::orders::Order;
use crate::dns::served::Said;
use crate::dns::service::{Messages, Reply, Service};
use crate::handover::{Cooperation, Turn, Vacancy};
use ::dns::{ConnectionId, Connections, Limits};
use linux::scheduling;
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::future::poll_fn;
use std::io;
use std::net::SocketAddr;
use std::rc::Rc;
use tokio::net::TcpStream;
use tokio::sync::{oneshot, watch};
use tokio::task::spawn_local;

/// Octets of the length in front of a message (RFC 1035 section 4.2.2).
pub(super) const PREFIX: usize = 2;
/// Octets of the longest message.
const LONGEST: usize = u16::MAX as usize;

/// The connections, how the tasks that serve them are told of their end, and what all of them share. It lives on one thread.
pub(super) struct Crowd {
    speech: Speech,
    service: RefCell<Service>,
    clock: Clock,
    connections: RefCell<Connections>,
    cuts: RefCell<BTreeMap<ConnectionId, oneshot::Sender<Cut>>>,
    /// Room for one reply, until it is known how long it is.
    room: RefCell<Box<[u8]>>,
    standing: watch::Receiver<bool>,
    cooperation: Cooperation,
    vacancy: Vacancy,
}

impl Crowd {
    pub(super) fn new(
        speech: Speech,
        limits: Limits,
        service: Service,
        standing: watch::Receiver<bool>,
        vacancy: Vacancy,
    ) -> Self {
        Crowd {
            cooperation: service.cooperation(),
            speech,
            service: RefCell::new(service),
            clock: Clock::start(),
            connections: RefCell::new(Connections::new(limits)),
            cuts: RefCell::default(),
            room: RefCell::new(vec![0; LONGEST].into_boxed_slice()),
            standing,
            vacancy,
        }
    }

    /// Takes other zones up, also where nobody asks.
    pub(super) fn refresh(&self) {
        self.service.borrow_mut().refresh();
    }

    /// Keeps to other limits from now on.
    pub(super) fn limit(&self, limits: Limits) {
        self.connections.borrow_mut().limit(limits);
    }

    /// Serves a newcomer, in the place of another one if there is none left. Something of it may have arrived already.
    pub(super) fn admit(self: &Rc<Self>, stream: TcpStream, from: SocketAddr, arrived: Vec<u8>) {
        self.service.borrow().counters().count_connection();
        let opened = self.connections.borrow_mut().open(from.ip(), self.clock.now());
        if let Some(idlest) = opened.instead_of {
            self.cut(idlest, Cut::Crowded);
        }
        let ends = (from, stream.local_addr().ok());
        self.vacancy.say(self.connections.borrow().is_full());
        let place = Place { crowd: Rc::clone(self), id: opened.id, ends };
        let (cut, is_cut) = oneshot::channel();
        let mut served = Box::pin(place.serve(stream, arrived, is_cut));
        self.cuts.borrow_mut().insert(opened.id, cut);
        // How a connection ends concerns nobody: the client knows, or is gone.
        spawn_local(poll_fn(move |context| {
            let poll = served.as_mut().poll(context).map(drop);
            scheduling::give_way();
            poll
        }));
    }

    /// Cuts everybody whose time is up.
    pub(super) fn cut_overdue(&self) {
        let next = || self.connections.borrow_mut().overdue(self.clock.now());
        while let Some(id) = next() {
            self.cut(id, Cut::Idle);
        }
    }

    /// Cuts the idlest.
    pub(super) fn make_room(&self) {
        let idlest = self.connections.borrow_mut().make_room();
        idlest.into_iter().for_each(|id| self.cut(id, Cut::Crowded));
    }

    fn cut(&self, id: ConnectionId, why: Cut) {
        self.service.borrow().counters().count_cut(why);
        if let Some(cut) = self.cuts.borrow_mut().remove(&id) {
            // One that has ended by itself meanwhile needs no word.
            let _ = cut.send(why);
        }
    }
}

/// The place of one connection. Given back when it ends, however it does.
pub(super) struct Place {
    crowd: Rc<Crowd>,
    id: ConnectionId,
    /// The client, and the address that it has called.
    ends: (SocketAddr, Option<SocketAddr>),
}

/// What a client's message leads to.
pub(super) enum Answered {
    /// There is a reply.
    Reply,
    /// There are messages, each to be made when the one before is sent.
    Transfer(Messages),
    /// It deserves none: whoever sends such a thing is no DNS client.
    Nothing,
}

impl Place {
    async fn serve(
        self,
        stream: TcpStream,
        arrived: Vec<u8>,
        mut is_cut: oneshot::Receiver<Cut>,
    ) -> io::Result<()> {
        // Replies are whole messages: holding them back to fill a segment only costs time.
        stream.set_nodelay(true)?;
        match &self.crowd.speech {
            Speech::Plain => self.converse(stream, arrived, is_cut).await,
            Speech::Tls(tls) => {
                let acceptor = tls.borrow().acceptor();
                let accepted = tokio::select! {
                    biased;
                    _ = &mut is_cut => return Ok(()),
                    accepted = acceptor.accept(stream) => accepted,
                };
                match accepted {
                    Ok(stream) => self.converse(stream, arrived, is_cut).await,
                    Err(error) => {
                        self.crowd.service.borrow().counters().count_handshake_failure();
                        Err(error)
                    }
                }
            }
        }
    }

    /// Answers until the client hangs up, or the connection is cut.
    async fn converse(
        &self,
        mut stream: impl Stream,
        arrived: Vec<u8>,
        is_cut: oneshot::Receiver<Cut>,
    ) -> io::Result<()> {
        let why = tokio::select! {
            biased;
            why = is_cut => why,
            ended = converse(&mut stream, arrived, self) => return ended,
        };
        if let Ok(why) = why {
            conversation::cut(&stream, why);
        }
        Ok(())
    }

    /// Takes up what is served at the moment. Messages that arrived together are answered from the same.
    pub(super) fn refresh(&self) {
        self.crowd.refresh();
    }

    /// Answers one message, and adds the reply to what is to be sent.
    pub(super) fn answer(&self, query: &[u8], sending: &mut Vec<u8>) -> Answered {
        let (service, mut room) = (self.crowd.service.borrow(), self.crowd.room.borrow_mut());
        let transport = self.crowd.speech.transport();
        let patience = Some(self.crowd.connections.borrow().patience());
        let client = self.ends.0.ip();
        let length = match service.answer(query, client, transport, patience, None, &mut room) {
            Reply::Written(length) => length,
            Reply::Silence => {
                service.tell(self.ends, transport, query, None);
                return Answered::Nothing;
            }
            Reply::Aside => match service.aside(query, client, transport, patience) {
                Said::Nothing => {
                    service.tell(self.ends, transport, query, None);
                    return Answered::Nothing;
                }
                Said::Reply(reply, _) => {
                    service.tell(self.ends, transport, query, Some(&reply));
                    put(&reply, sending);
                    return Answered::Reply;
                }
                Said::Stream(messages, signer) => {
                    service.tell(self.ends, transport, query, None);
                    return Answered::Transfer(service.signed(messages, signer));
                }
            },
        };
        service.tell(self.ends, transport, query, room.get(..length));
        put(&room[..length], sending);
        Answered::Reply
    }

    /// A message has passed.
    pub(super) fn passed(&self) {
        self.crowd.connections.borrow_mut().passed(self.id, self.crowd.clock.now());
        // Who asks without a pause keeps its task at work for longer than a datagram should wait.
        scheduling::give_way();
    }

    /// Waits for the turn to go to another site, in a later round than this one.
    pub(super) async fn turn(&self, last: &mut u64) -> Turn {
        match self.ends.1 {
            Some(service) => self.crowd.cooperation.turn(service, last).await,
            None => std::future::pending().await,
        }
    }

    /// Whether it may go to another site: who is on the way there when all stands still is lost.
    pub(super) fn may_leave(&self) -> bool {
        self.crowd.service.borrow().order() == Order::Serve
    }

    /// Waits until all is to stand still. The client may be told to the program that takes over, if it is between two
    /// queries: then nothing is known of it that the kernel does not know.
    pub(super) async fn stand(&self) {
        becomes(&mut self.crowd.standing.clone(), true).await;
    }

    /// Waits until it may go on.
    pub(super) async fn go_on(&self) {
        becomes(&mut self.crowd.standing.clone(), false).await;
    }

    /// Whether the connection goes on after all stands still: the service does, and the program that takes over can be
    /// given it.
    pub(super) fn may_stay(&self, stream: &impl Stream) -> bool {
        self.crowd.service.borrow().order() != Order::Stop && stream.second_handle().is_some()
    }

    /// Hands the connection in, for the program that takes over.
    pub(super) fn hand_in(&self, stream: &impl Stream) {
        // One that cannot be handed over is closed, and its client calls again.
        if let Some(second) = stream.second_handle() {
            self.crowd.service.borrow().hand_in(second);
        }
    }
}

/// Puts a message behind others, with its length in front.
fn put(message: &[u8], sending: &mut Vec<u8>) {
    sending.extend_from_slice(&(message.len() as u16).to_be_bytes()); // a message has 65535 octets at most
    sending.extend_from_slice(message);
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut connections = self.crowd.connections.borrow_mut();
        connections.close(self.id);
        self.crowd.vacancy.say(connections.is_full());
        self.crowd.cuts.borrow_mut().remove(&self.id);
        self.crowd.service.borrow().counters().count_end();
        // Its connection has just been closed, which takes the kernel as long as a query.
        scheduling::give_way();
    }
}

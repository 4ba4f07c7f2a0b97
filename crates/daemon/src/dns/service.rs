//! What every thread of the service has: the zones and secrets of the moment, the site's identity, counters, a heart.

use super::Surroundings;
use super::counters::Counters;
use super::orders::{Order, Orders};
use super::served::{Said, Served};
use super::tap::Exchange;
use crate::handover::Cooperation;
use crate::watchdog::Heart;
use ::dns::{Arrival, Identity, Outcome, RateLimiter, Secrets, Server, Transport, answer};
use std::net::{IpAddr, SocketAddr};
use std::os::fd::OwnedFd;
use std::sync::Arc;
use std::time::Duration;
use terms::{Timestamp, WallTime};
use tokio::sync::watch;
use transfer::Conversation;

/// Answers queries of one thread. Clones count into the same counters and beat the same heart.
#[derive(Clone, Debug)]
pub(super) struct Service {
    published: watch::Receiver<Arc<Served>>,
    served: Arc<Served>,
    identity: Arc<Identity>,
    surroundings: Surroundings,
    secrets: Secrets,
    /// When it was refreshed last.
    now: Timestamp,
    wall: WallTime,
    counters: Arc<Counters>,
    heart: Heart,
    orders: Arc<Orders>,
}

/// Messages of a reply, each made when it is asked for.
pub(super) type Messages = Box<dyn Iterator<Item = Vec<u8>> + Send>;

/// What is to be done about a message.
pub(super) enum Reply {
    /// The reply is so long.
    Written(usize),
    /// Nothing is to be sent.
    Silence,
    /// It is about a zone as a whole, or signed: see [`Service::aside`].
    Aside,
}

impl Service {
    pub(super) fn new(
        published: watch::Receiver<Arc<Served>>,
        identity: Arc<Identity>,
        surroundings: Surroundings,
        orders: Arc<Orders>,
    ) -> Self {
        let served = Arc::clone(&published.borrow());
        let secrets = surroundings.keyring.borrow().secrets();
        let (now, wall) = (surroundings.clock.now(), surroundings.clock.wall());
        Service {
            published,
            served,
            identity,
            surroundings,
            secrets,
            now,
            wall,
            counters: Arc::default(),
            heart: Heart::of("a DNS worker"),
            orders,
        }
    }

    /// Looks at the clock, and takes other zones and secrets up if there are any. While there are none, this reads a
    /// number of each.
    pub(super) fn refresh(&mut self) {
        (self.now, self.wall) = (self.surroundings.clock.now(), self.surroundings.clock.wall());
        if self.surroundings.keyring.has_changed().unwrap_or(false) {
            self.secrets = self.surroundings.keyring.borrow_and_update().secrets();
        }
        if self.published.has_changed().unwrap_or(false) {
            self.served = Arc::clone(&self.published.borrow_and_update());
        }
    }

    /// Looks ahead at messages that are to be answered.
    pub(super) fn foresee<'m>(&self, messages: impl Iterator<Item = &'m [u8]>) {
        self.served.zones.foresee(messages);
    }

    /// Writes the reply to one message of a client into `out`.
    pub(super) fn answer(
        &self,
        message: &[u8],
        client: IpAddr,
        transport: Transport,
        patience: Option<Duration>,
        limiter: Option<&mut RateLimiter>,
        out: &mut [u8],
    ) -> Reply {
        let server = self.server();
        let arrival =
            Arrival { message, client, transport, patience, reserved: 0, now: self.now, wall: self.wall };
        let outcome = answer(&server, limiter, &arrival, out);
        self.counters.count(outcome);
        match outcome {
            Outcome::Reply { length, .. } => Reply::Written(length),
            Outcome::Silence(_) => Reply::Silence,
            Outcome::Aside => Reply::Aside,
        }
    }

    /// Tells of an exchange, if anybody wants to hear of it. `server` is the address that was asked.
    pub(super) fn tell(
        &self,
        (client, server): (SocketAddr, Option<SocketAddr>),
        transport: Transport,
        query: &[u8],
        reply: Option<&[u8]>,
    ) {
        if let (Some(tap), Some(server)) = (&self.served.tap, server) {
            tap.tell(&Exchange { client, server, transport, at: self.wall, query, reply });
        }
    }

    fn server(&self) -> Server<'_> {
        Server { zones: &self.served.zones, identity: &self.identity, secrets: &self.secrets }
    }

    /// Answers a message about a zone as a whole, or a signed one.
    pub(super) fn aside(
        &self,
        message: &[u8],
        client: IpAddr,
        transport: Transport,
        patience: Option<Duration>,
    ) -> Said {
        // A signature has a time of its own; the one of the last refresh may be that of the query before.
        let wall = self.surroundings.clock.wall();
        let arrival = Arrival { message, client, transport, patience, reserved: 0, now: self.now, wall };
        let said = self.served.aside(&self.server(), &arrival);
        self.counters.count_aside(&said);
        said
    }

    /// The messages of a transfer, each signed as it is sent, if the client signs.
    pub(super) fn signed(&self, messages: Messages, signer: Option<Box<Conversation>>) -> Messages {
        let Some(mut conversation) = signer else { return messages };
        let clock = self.surroundings.clock;
        Box::new(messages.map(move |mut message| {
            conversation.sign(&mut message, clock.wall());
            message
        }))
    }

    /// A sign of life; what the thread is to do.
    pub(super) fn order(&self) -> Order {
        self.heart.beat();
        self.orders.now()
    }

    /// Stands still for as long as that is the order.
    pub(super) fn stand(&self) {
        self.orders.stand(|| self.heart.beat());
    }

    /// Hands a connection in, for the program that takes over.
    pub(super) fn hand_in(&self, stream: OwnedFd) {
        self.orders.hand_in(stream);
    }

    /// Who takes connections to another site.
    pub(super) fn cooperation(&self) -> Cooperation {
        self.surroundings.cooperation.clone()
    }

    pub(super) fn counters(&self) -> Arc<Counters> {
        Arc::clone(&self.counters)
    }

    pub(super) fn heart(&self) -> Heart {
        self.heart.clone()
    }
}

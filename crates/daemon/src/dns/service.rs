//! What every thread of the service has: the zones and secrets of the moment, the site's identity, counters, a heart.

use super::Surroundings;
use super::counters::Counters;
use super::orders::{Order, Orders};
use crate::watchdog::Heart;
use ::dns::{Arrival, Identity, Outcome, RateLimiter, Secrets, Server, Transport, Zones, answer};
use std::net::IpAddr;
use std::os::fd::OwnedFd;
use std::sync::Arc;
use terms::{Timestamp, WallTime};
use tokio::sync::watch;

/// Answers queries of one thread. Clones count into the same counters and beat the same heart.
#[derive(Clone, Debug)]
pub(super) struct Service {
    published: watch::Receiver<Arc<Zones>>,
    zones: Arc<Zones>,
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

impl Service {
    pub(super) fn new(
        published: watch::Receiver<Arc<Zones>>,
        identity: Arc<Identity>,
        surroundings: Surroundings,
        orders: Arc<Orders>,
    ) -> Self {
        let zones = Arc::clone(&published.borrow());
        let secrets = surroundings.keyring.borrow().secrets();
        let (now, wall) = (surroundings.clock.now(), surroundings.clock.wall());
        Service {
            published,
            zones,
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
            self.zones = Arc::clone(&self.published.borrow_and_update());
        }
    }

    /// Writes the reply to one message of a client into `out` and says how long it is; none when there is to be no
    /// reply.
    pub(super) fn answer(
        &self,
        message: &[u8],
        client: IpAddr,
        transport: Transport,
        limiter: Option<&mut RateLimiter>,
        out: &mut [u8],
    ) -> Option<usize> {
        let server = Server { zones: &self.zones, identity: &self.identity, secrets: &self.secrets };
        let arrival = Arrival { message, client, transport, now: self.now, wall: self.wall };
        let outcome = answer(&server, limiter, &arrival, out);
        self.counters.count(outcome);
        match outcome {
            Outcome::Reply { length, .. } => Some(length),
            Outcome::Silence(_) => None,
        }
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

    pub(super) fn counters(&self) -> Arc<Counters> {
        Arc::clone(&self.counters)
    }

    pub(super) fn heart(&self) -> Heart {
        self.heart.clone()
    }
}

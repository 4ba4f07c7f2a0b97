//! What every thread of the service has: the zones of the moment, the site's identity, counters, a heart.

use super::counters::Counters;
use super::orders::{Order, Orders};
use crate::watchdog::Heart;
use ::dns::{Identity, Outcome, Transport, Zones, answer};
use std::os::fd::OwnedFd;
use std::sync::Arc;
use tokio::sync::watch;

/// Answers queries of one thread. Clones count into the same counters and beat the same heart.
#[derive(Clone, Debug)]
pub(super) struct Service {
    published: watch::Receiver<Arc<Zones>>,
    zones: Arc<Zones>,
    identity: Arc<Identity>,
    counters: Arc<Counters>,
    heart: Heart,
    orders: Arc<Orders>,
}

impl Service {
    pub(super) fn new(
        published: watch::Receiver<Arc<Zones>>,
        identity: Arc<Identity>,
        orders: Arc<Orders>,
    ) -> Self {
        let zones = Arc::clone(&published.borrow());
        Service {
            published,
            zones,
            identity,
            counters: Arc::default(),
            heart: Heart::of("a DNS worker"),
            orders,
        }
    }

    /// Takes other zones up if there are any. While there are none, this reads one number.
    pub(super) fn refresh(&mut self) {
        if self.published.has_changed().unwrap_or(false) {
            self.zones = Arc::clone(&self.published.borrow_and_update());
        }
    }

    /// Writes the reply to one message into `out` and says how long it is; none when there is to be no reply.
    pub(super) fn answer(&self, message: &[u8], transport: Transport, out: &mut [u8]) -> Option<usize> {
        let outcome = answer(&self.zones, &self.identity, message, transport, out);
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

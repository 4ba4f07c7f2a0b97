//! What every thread of the service is ordered to do: serve, look more often, stand still, stop.
//!
//! ```text
//!   Serve ──> Brace ──> Stand ──> the process is another program's
//!     ^         │         │
//!     └─────────┴─────────┘  the other program could not be started
//! ```
//! A thread that stands still has answered everything that it took out of its socket. What arrives from then on waits
//! in the socket for whoever serves it next.

use super::LOOK_EVERY;
use std::os::fd::OwnedFd;
use std::sync::atomic::{AtomicU8, AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

/// Between two looks of a thread that is about to be told to stand still.
const LOOK_OFTEN: Duration = Duration::from_millis(5);

/// Between two looks of a thread that stands still.
const LOOK_STILL: Duration = Duration::from_millis(1);

/// What a thread is to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Order {
    /// Answer.
    Serve,
    /// Answer, and look out for the next order more often.
    Brace,
    /// Finish what is in hand, and then touch nothing.
    Stand,
    /// End.
    Stop,
}

impl Order {
    /// How long a thread that carries it out may wait for a query before it looks again.
    pub(super) fn look_every(self) -> Duration {
        match self {
            Order::Serve | Order::Stop => LOOK_EVERY,
            Order::Brace | Order::Stand => LOOK_OFTEN,
        }
    }
}

/// The order that all threads of one server look at.
#[derive(Debug, Default)]
pub(super) struct Orders {
    order: AtomicU8,
    /// How many threads stand still.
    standing: AtomicUsize,
    /// Connections of clients, handed in by whoever stands still.
    streams: Mutex<Vec<OwnedFd>>,
}

impl Orders {
    /// What to do now.
    pub(super) fn now(&self) -> Order {
        match self.order.load(Ordering::Acquire) {
            0 => Order::Serve,
            1 => Order::Brace,
            2 => Order::Stand,
            _ => Order::Stop,
        }
    }

    /// From now on this is to be done. Who was told to stop is told nothing else.
    pub(super) fn give(&self, order: Order) {
        let number = match order {
            Order::Serve => 0,
            Order::Brace => 1,
            Order::Stand => 2,
            Order::Stop => 3,
        };
        self.order.fetch_update(Ordering::AcqRel, Ordering::Acquire, |now| (now < 3).then_some(number)).ok();
        if order != Order::Stand {
            drop(self.take_streams());
        }
    }

    /// Stands still for as long as that is the order. `beat` is called all the time.
    pub(super) fn stand(&self, beat: impl Fn()) {
        self.standing.fetch_add(1, Ordering::AcqRel);
        while self.now() == Order::Stand {
            beat();
            std::thread::sleep(LOOK_STILL);
        }
        self.standing.fetch_sub(1, Ordering::AcqRel);
    }

    /// How many threads stand still.
    pub(super) fn standing(&self) -> usize {
        self.standing.load(Ordering::Acquire)
    }

    /// Hands in a connection, as the one that waits there knows it.
    pub(super) fn hand_in(&self, stream: OwnedFd) {
        self.streams.lock().unwrap_or_else(PoisonError::into_inner).push(stream);
    }

    /// Takes what was handed in.
    pub(super) fn take_streams(&self) -> Vec<OwnedFd> {
        std::mem::take(&mut self.streams.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

//! The way from the peers' tasks to one collector, for as long as one connection lasts.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use terms::CollectorName;
use tokio::sync::{Notify, mpsc};

/// Octets that a waiting message takes beside its own.
const EACH: usize = 64;

/// The lines that there are.
pub(crate) type Lines = BTreeMap<CollectorName, Line>;

/// Where a peer's task leaves what a collector is to be told. A copy leads to the same.
#[derive(Clone, Debug)]
pub(crate) struct Line {
    inner: Arc<Inner>,
    messages: mpsc::UnboundedSender<Arc<Vec<u8>>>,
    /// How often figures were asked for.
    pub(crate) reports: u64,
}

#[derive(Debug)]
struct Inner {
    /// No two lines of a process have the same.
    number: u64,
    wants_received: bool,
    max_memory: usize,
    /// Octets that wait.
    waiting: AtomicUsize,
    /// More was to be said than the line holds: whatever is said now would come behind a gap.
    is_full: AtomicBool,
    overflow: Notify,
    room: Notify,
}

/// The other end of a line.
#[derive(Debug)]
pub(crate) struct Taken {
    inner: Arc<Inner>,
    messages: mpsc::UnboundedReceiver<Arc<Vec<u8>>>,
}

impl Line {
    /// A new line. `wants_received`: what peers tell is wanted, too.
    pub(crate) fn open(wants_received: bool, max_memory: usize) -> (Line, Taken) {
        static NUMBER: AtomicU64 = AtomicU64::new(0);
        let (sender, messages) = mpsc::unbounded_channel();
        let inner = Arc::new(Inner {
            number: NUMBER.fetch_add(1, Ordering::Relaxed),
            wants_received,
            max_memory,
            waiting: AtomicUsize::new(0),
            is_full: AtomicBool::new(false),
            overflow: Notify::new(),
            room: Notify::new(),
        });
        (Line { inner: Arc::clone(&inner), messages: sender, reports: 0 }, Taken { inner, messages })
    }

    /// What tells it from every other.
    pub(crate) fn number(&self) -> u64 {
        self.inner.number
    }

    /// Whether what peers tell is wanted, too.
    pub(crate) fn wants_received(&self) -> bool {
        self.inner.wants_received
    }

    /// Leaves a message, unless the line is full or this makes it so.
    pub(crate) fn tell(&self, message: &Arc<Vec<u8>>) {
        if self.inner.is_full.load(Ordering::Relaxed) {
            return;
        }
        let octets = message.len() + EACH;
        if self.inner.waiting.fetch_add(octets, Ordering::Relaxed) + octets > self.inner.max_memory {
            self.inner.is_full.store(true, Ordering::Relaxed);
            self.inner.overflow.notify_one();
            return;
        }
        // Nobody takes it any more: the connection is over.
        let _ = self.messages.send(Arc::clone(message));
    }

    /// Waits until somebody had more to say than the line holds.
    pub(super) async fn overflow(&self) {
        self.inner.overflow.notified().await;
    }

    /// Octets that wait.
    pub(crate) fn waiting(&self) -> usize {
        self.inner.waiting.load(Ordering::Relaxed)
    }

    /// Whether less than half of what it holds waits: then there is room for what has time.
    pub(crate) fn has_room(&self) -> bool {
        self.waiting() < self.inner.max_memory / 2
    }

    /// Waits until there is room.
    pub(crate) async fn room(&self) {
        loop {
            // It hears what is told from here on, so that nothing is missed between the look and the wait.
            let told = self.inner.room.notified();
            if self.has_room() {
                return;
            }
            told.await;
        }
    }
}

impl Taken {
    /// The next message. It waits for one, and counts no more once it was given out.
    pub(super) async fn next(&mut self) -> Option<Arc<Vec<u8>>> {
        let message = self.messages.recv().await?;
        self.gone(&message);
        Some(message)
    }

    /// The next message, if there is one now.
    pub(crate) fn next_now(&mut self) -> Option<Arc<Vec<u8>>> {
        let message = self.messages.try_recv().ok()?;
        self.gone(&message);
        Some(message)
    }

    fn gone(&self, message: &[u8]) {
        let octets = message.len() + EACH;
        let before = self.inner.waiting.fetch_sub(octets, Ordering::Relaxed);
        let half = self.inner.max_memory / 2;
        if before >= half && before - octets < half {
            self.inner.room.notify_waiters();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(octets: usize) -> Arc<Vec<u8>> {
        Arc::new(vec![7; octets])
    }

    #[tokio::test]
    async fn a_line_holds_so_much_and_is_dead_beyond() {
        let (line, mut taken) = Line::open(false, 10 * (100 + EACH));
        for _ in 0..10 {
            line.tell(&message(100));
        }
        assert!(!line.has_room());
        line.tell(&message(1));
        line.overflow().await;
        // What comes behind a gap is not taken, room or not.
        (0..10).for_each(|_| drop(taken.next_now().unwrap()));
        line.tell(&message(1));
        assert_eq!(taken.next_now(), None);
    }

    #[tokio::test]
    async fn who_waits_for_room_is_told() {
        let (line, mut taken) = Line::open(true, 4 * (100 + EACH));
        (0..4).for_each(|_| line.tell(&message(100)));
        let waiting = tokio::spawn({
            let line = line.clone();
            async move { line.room().await }
        });
        tokio::task::yield_now().await;
        taken.next().await.unwrap();
        tokio::task::yield_now().await;
        assert!(!waiting.is_finished(), "more than half waits");
        (0..2).for_each(|_| drop(taken.next_now().unwrap()));
        waiting.await.unwrap();
        assert_eq!(line.waiting(), 100 + EACH);
    }
}

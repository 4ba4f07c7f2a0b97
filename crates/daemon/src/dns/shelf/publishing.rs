//! What is served changes as a whole, and many changes at once are one.
//!
//! ```text
//!  a change that waits for nobody (a reload) --> stock ---------------------------------------------> every DNS thread
//!  one of many (a zone has come)             --> stock --> thread (dns-publish), at most every 50 ms --> every DNS thread
//!  what was served before                              --> the same thread frees it, once nobody answers from it
//! ```
//! To put ten thousand zones together takes milliseconds: where each of them that comes did so, a catalog would take their
//! square.

use super::{Shelf, Stock};
use crate::dns::LOOK_EVERY;
use crate::dns::served::Served;
use std::io;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::thread;
use std::time::{Duration, Instant};
use tokio::sync::watch;

/// How often what many zones change is published at most. Nobody notices so little beside the way from a primary.
const AT_MOST_EVERY: Duration = Duration::from_millis(50);

/// A change of the stock, by its number.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::dns) struct Change(pub(super) u64);

/// What the thread is to do.
#[derive(Debug)]
enum Work {
    /// Something has changed that is not served yet.
    Publish,
    /// This is served no more: to give a large zone's memory back takes a while, and the last one who answered from it
    /// would have to.
    Free(Arc<Served>),
}

/// The thread of one service. It ends with the last copy.
#[derive(Clone, Debug)]
pub(super) struct Publisher {
    work: Sender<Work>,
}

/// What the thread knows of the shelf, for as long as somebody else has it.
struct Publishing {
    work: Receiver<Work>,
    stock: Weak<Mutex<Stock>>,
    published: Weak<watch::Sender<Arc<Served>>>,
}

impl Publisher {
    pub(super) fn start(
        stock: &Arc<Mutex<Stock>>,
        published: &Arc<watch::Sender<Arc<Served>>>,
    ) -> io::Result<Publisher> {
        let (sender, work) = channel();
        let publishing =
            Publishing { work, stock: Arc::downgrade(stock), published: Arc::downgrade(published) };
        thread::Builder::new().name("dns-publish".to_owned()).spawn(move || publishing.run())?;
        Ok(Publisher { work: sender })
    }

    fn give(&self, work: Work) {
        // The thread ends only when nobody can give it anything.
        let _ = self.work.send(work);
    }
}

impl Shelf {
    /// Changes the stock, and publishes it with all that waited before this returns.
    pub(super) fn publish(&self, change: impl FnOnce(&mut Stock)) {
        let mut stock = self.stock();
        change(&mut stock);
        stock.changes += 1;
        let old = put(&mut stock, &self.published);
        drop(stock);
        self.publisher.give(Work::Free(old));
    }

    /// Changes the stock, and has it published with what else changes in these moments.
    pub(super) fn publish_soon(&self, change: impl FnOnce(&mut Stock)) -> Change {
        let mut stock = self.stock();
        change(&mut stock);
        stock.changes += 1;
        if !std::mem::replace(&mut stock.is_waiting, true) {
            self.publisher.give(Work::Publish);
        }
        Change(stock.changes)
    }

    /// Ends when a change is served.
    pub(in crate::dns) fn served(&self, change: Change) -> impl Future<Output = ()> + Send + use<> {
        let mut published = self.published();
        async move {
            // Otherwise nobody serves anything any more.
            let _ = published.wait_for(|served| served.as_of >= change).await;
        }
    }
}

impl Publishing {
    fn run(self) {
        let mut old = Vec::<Arc<Served>>::new();
        loop {
            let patience = if old.is_empty() { Duration::MAX } else { LOOK_EVERY };
            match self.work.recv_timeout(patience) {
                Ok(Work::Free(served)) => old.push(served),
                Ok(Work::Publish) => {
                    let begin = Instant::now();
                    old.extend(self.publish());
                    // Half of a processor at most, however many zones there are.
                    thread::sleep(AT_MOST_EVERY.max(begin.elapsed()));
                }
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => return,
            }
            old.retain_mut(|served| Arc::get_mut(served).is_none());
        }
    }

    /// Publishes what waits. Answers with what was served before.
    fn publish(&self) -> Option<Arc<Served>> {
        let (stock, published) = (self.stock.upgrade()?, self.published.upgrade()?);
        let mut stock = stock.lock().unwrap_or_else(PoisonError::into_inner);
        stock.is_waiting.then(|| put(&mut stock, &published))
    }
}

/// Publishes the stock, under its lock, so that nobody publishes what was before. Answers with what was served before.
fn put(stock: &mut Stock, published: &watch::Sender<Arc<Served>>) -> Arc<Served> {
    stock.is_waiting = false;
    published.send_replace(Arc::new(stock.served()))
}

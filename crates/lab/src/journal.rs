//! A bounded record with any number of readers.
//!
//! Writers append and never wait. A reader keeps a place and asks for what came after it; one that falls so far
//! behind that entries were thrown away is told how many. Nobody can slow down anybody else.

use std::collections::VecDeque;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// A reader's place in a journal: how many entries were written before it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place(u64);

/// The latest entries of something that goes on.
#[derive(Debug)]
pub struct Journal<T> {
    kept: Mutex<Kept<T>>,
    written: Condvar,
    most: usize,
}

#[derive(Debug)]
struct Kept<T> {
    entries: VecDeque<T>,
    /// Entries written and thrown away since.
    dropped: u64,
}

/// What a reader gets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Page<T> {
    /// The entries after the reader's place, oldest first.
    pub entries: Vec<T>,
    /// Entries after the reader's place that are no longer kept.
    pub missed: u64,
    /// Where to go on.
    pub next: Place,
}

impl<T: Clone> Journal<T> {
    /// An empty journal that keeps the `most` latest entries.
    pub fn keeping(most: usize) -> Self {
        let kept = Kept { entries: VecDeque::new(), dropped: 0 };
        Journal { kept: Mutex::new(kept), written: Condvar::new(), most }
    }

    /// Adds entries in order.
    pub fn write(&self, entries: impl IntoIterator<Item = T>) {
        let mut kept = self.kept();
        kept.entries.extend(entries);
        while kept.entries.len() > self.most {
            kept.entries.pop_front();
            kept.dropped += 1;
        }
        drop(kept);
        self.written.notify_all();
    }

    /// The place after the last entry: where a reader begins who wants news only.
    pub fn end(&self) -> Place {
        self.kept().end()
    }

    /// What was written after `place`, at once.
    pub fn read(&self, place: Place) -> Page<T> {
        self.kept().page(place)
    }

    /// What was written after `place`; waits for it up to `patience`.
    pub fn wait(&self, place: Place, patience: Duration) -> Page<T> {
        let kept = self.kept();
        let nothing_new = |kept: &mut Kept<T>| kept.end() <= place;
        let waited = self.written.wait_timeout_while(kept, patience, nothing_new);
        let (kept, _) = waited.unwrap_or_else(PoisonError::into_inner);
        kept.page(place)
    }

    /// A writer that panicked has left whole entries only.
    fn kept(&self) -> MutexGuard<'_, Kept<T>> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<T: Clone> Kept<T> {
    fn end(&self) -> Place {
        Place(self.dropped + self.entries.len() as u64)
    }

    fn page(&self, place: Place) -> Page<T> {
        let skipped = usize::try_from(place.0.saturating_sub(self.dropped)).unwrap_or(usize::MAX);
        let entries = self.entries.iter().skip(skipped).cloned().collect();
        Page { entries, missed: self.dropped.saturating_sub(place.0), next: self.end().max(place) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_reader_gets_everything_once_and_learns_what_it_missed() {
        let journal = Journal::keeping(3);
        let early = journal.end();
        journal.write([1, 2]);
        let page = journal.read(early);
        assert_eq!((page.entries, page.missed), (vec![1, 2], 0));
        assert_eq!(journal.read(page.next).entries, [0; 0]);
        journal.write([3, 4, 5]);
        assert_eq!(journal.read(page.next).entries, [3, 4, 5]);
        let late = journal.read(early);
        assert_eq!((late.entries, late.missed), (vec![3, 4, 5], 2));
        assert_eq!(late.next, journal.end());
    }

    #[test]
    fn a_waiting_reader_is_woken_by_the_writer() {
        let journal = Journal::keeping(3);
        std::thread::scope(|scope| {
            let reader = scope.spawn(|| journal.wait(Place::default(), Duration::from_secs(60)));
            journal.write(["news"]);
            assert_eq!(reader.join().unwrap().entries, ["news"]);
        });
        assert_eq!(journal.wait(journal.end(), Duration::ZERO).entries, [""; 0]);
    }
}

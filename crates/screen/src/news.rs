//! What happened, newest first. Something that flaps is one row that counts.

use api::EventRow;
use std::collections::VecDeque;

/// Rows that are kept.
const MOST: usize = 250;
/// Events about one subject that follow each other within so many ms are one row.
const FLAP_MS: u64 = 1500;

/// The latest events.
#[derive(Clone, Debug, Default)]
pub(crate) struct News {
    rows: VecDeque<Row>,
    /// The number of the next event. What comes again after a lost connection was seen before.
    next: u64,
}

/// One event, or several of a kind.
#[derive(Clone, Debug)]
pub(crate) struct Row {
    /// The latest of them.
    pub(crate) event: EventRow,
    /// When the first was, ms since the start.
    pub(crate) first_ms: u64,
    /// How many there were.
    pub(crate) times: u32,
}

impl News {
    /// Takes an event that was not seen before.
    pub(crate) fn take(&mut self, event: EventRow) {
        if event.seq < self.next {
            return;
        }
        self.next = event.seq.saturating_add(1);
        let is_again = |row: &Row| (&row.event.subject, &row.event.kind) == (&event.subject, &event.kind);
        let before = self.rows.iter_mut().find(|row| !event.subject.is_empty() && is_again(row));
        match before {
            Some(row) if event.at_ms.saturating_sub(row.event.at_ms) <= FLAP_MS => {
                row.times = row.times.saturating_add(1);
                row.event = event;
            }
            _ => {
                self.rows.truncate(MOST - 1);
                self.rows.push_front(Row { first_ms: event.at_ms, event, times: 1 });
            }
        }
    }

    /// The rows, newest first.
    pub(crate) fn rows(&self) -> impl Iterator<Item = &Row> {
        self.rows.iter()
    }

    /// When somebody did something to the world, newest first.
    pub(crate) fn faults(&self) -> impl Iterator<Item = u64> {
        self.rows.iter().filter(|row| row.event.kind == "fault").map(|row| row.event.at_ms)
    }
}

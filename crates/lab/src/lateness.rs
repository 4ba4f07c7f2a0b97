//! How late the measuring machine itself is.

use crate::history::{LATENESS_WINDOW, Laggard, Late, LatenessLog};
use std::sync::Arc;
use std::time::Duration;
use terms::Timestamp;

/// Gathers the worst lateness of one laggard, window by window.
#[derive(Debug)]
pub(crate) struct Worst {
    who: Laggard,
    log: Arc<LatenessLog>,
    window: Option<Late>,
    began: Timestamp,
}

impl Worst {
    pub(crate) fn of(who: Laggard, log: Arc<LatenessLog>) -> Self {
        Worst { who, log, window: None, began: Timestamp::ZERO }
    }

    /// Something happened at `now`, late by `by`.
    pub(crate) fn note(&mut self, now: Timestamp, by: Duration) {
        if now.since(self.began) >= LATENESS_WINDOW {
            self.log.write(self.window.take());
            self.began = now;
        }
        if self.window.is_none_or(|worst| worst.by < by) {
            self.window = Some(Late { at: now, who: self.who, by });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::journal::Place;

    #[test]
    fn the_worst_of_each_window_is_kept() {
        let log = Arc::new(LatenessLog::keeping(10));
        let mut worst = Worst::of(Laggard::Prober, Arc::clone(&log));
        let at = |ms: u64| Timestamp::ZERO + Duration::from_millis(1000 + ms);
        for (ms, micros) in [(0, 5), (3, 70), (9, 20), (11, 8), (40, 1)] {
            worst.note(at(ms), Duration::from_micros(micros));
        }
        let seen: Vec<_> = log.read(Place::default()).entries.iter().map(|late| (late.at, late.by)).collect();
        assert_eq!(seen, [(at(3), Duration::from_micros(70)), (at(11), Duration::from_micros(8))]);
    }
}

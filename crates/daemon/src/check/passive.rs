//! Looks at what the built-in DNS service has answered since the last look.

use crate::dns::Tally;
use ::dns::ResponseCode;
use check::Finding;
use check::passive::{Answers, Expectation};
use std::sync::{Mutex, PoisonError};
use terms::ServiceName;
use tokio::sync::watch;

#[derive(Debug)]
pub(crate) struct Asker {
    bad: Vec<ResponseCode>,
    expectation: Expectation,
    service: ServiceName,
    tallies: watch::Receiver<Vec<Tally>>,
    /// What had been answered at the last look.
    before: Mutex<Answers>,
}

impl Asker {
    pub(super) fn new(
        bad: Vec<ResponseCode>,
        expectation: Expectation,
        service: ServiceName,
        tallies: watch::Receiver<Vec<Tally>>,
    ) -> Self {
        let asker = Asker { bad, expectation, service, tallies, before: Mutex::default() };
        *asker.before.lock().unwrap_or_else(PoisonError::into_inner) = asker.count();
        asker
    }

    /// One look.
    pub(super) fn ask(&self) -> Finding {
        let now = self.count();
        let mut before = self.before.lock().unwrap_or_else(PoisonError::into_inner);
        let since =
            Answers { all: now.all.saturating_sub(before.all), bad: now.bad.saturating_sub(before.bad) };
        *before = now;
        self.expectation.judge(since)
    }

    /// Everything that was answered since the start. An answer that the system did not take is bad, whatever it says.
    fn count(&self) -> Answers {
        let counts = crate::dns::total(&self.tallies.borrow(), &self.service);
        let all: u64 = counts.replies().map(|(_, number)| number).sum();
        let bad: u64 =
            counts.replies().filter(|(code, _)| self.bad.contains(code)).map(|(_, number)| number).sum();
        Answers { all, bad: bad.saturating_add(counts.unsent).min(all) }
    }
}

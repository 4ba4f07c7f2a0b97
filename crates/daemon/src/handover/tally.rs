//! What was given, taken and kept.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// Why a connection is not another site's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Why {
    /// One of its ends has closed it, or this kernel does not tell its state.
    Undumpable,
    /// No site can be reached that may take it.
    Unreachable,
    /// No service at the other site takes connections of its address.
    NoService,
    /// The other site's kernel cannot make it.
    Kernel,
    /// The other site's service does not take it.
    Service,
    /// The other site was not heard any more.
    Lost,
    /// The other site took too long.
    Late,
    /// The kernel refuses to hold its packets.
    Unfenced,
    /// Its socket has taken something in while its state was on its way.
    Changed,
    /// More waits in it than may go from one site to another.
    TooMuch,
    /// Too much of others was on its way at the same time.
    Crowded,
    /// It is lost: the way between the sites broke when it had ended here, and the other site does not know; or its service here
    /// left in the moment when it came.
    Broken,
}

impl Why {
    /// A few words, for people.
    pub(crate) fn words(self) -> &'static str {
        match self {
            Why::Undumpable => "that an end has closed or that the kernel does not tell of",
            Why::Unreachable => "as no site could be reached",
            Why::NoService => "of a service that takes none at the other site",
            Why::Kernel => "as the other site's kernel refused",
            Why::Service => "as the other site's service refused",
            Why::Lost => "as the other site was not heard any more",
            Why::Late => "as the other site took too long",
            Why::Changed => "that took something in while their state was on its way",
            Why::Broken => "lost, as the way between the sites broke or its service left",
            Why::Unfenced => "as the kernel did not hold their packets",
            Why::TooMuch => "in which too much waits",
            Why::Crowded => "as too much went at the same time",
        }
    }

    /// One word, for metrics and the API.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Why::Undumpable => "undumpable",
            Why::Unreachable => "unreachable",
            Why::NoService => "no-service",
            Why::Kernel => "kernel",
            Why::Service => "service",
            Why::Lost => "lost",
            Why::Late => "late",
            Why::Unfenced => "unfenced",
            Why::Changed => "changed",
            Why::TooMuch => "too-much",
            Why::Crowded => "crowded",
            Why::Broken => "broken",
        }
    }
}

/// The numbers, since the daemon started. Copies count the same.
#[derive(Clone, Debug, Default)]
pub(crate) struct Tally(Arc<Mutex<Numbers>>);

/// The numbers.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Numbers {
    /// Connections that are another site's now.
    pub(crate) given: u64,
    /// Connections of another site that are this one's now.
    pub(crate) taken: u64,
    /// Attempts after which a connection was not another site's, by their reason.
    pub(crate) kept: BTreeMap<Why, u64>,
    /// How long the packets of a given connection were held, at most.
    pub(crate) longest_stall: Duration,
    /// How long the packets of all given ones were, together.
    pub(crate) total_stall: Duration,
}

impl Tally {
    pub(crate) fn numbers(&self) -> Numbers {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn with(&self, change: impl FnOnce(&mut Numbers)) {
        change(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner));
    }

    pub(super) fn give(&self, stall: Duration) {
        self.with(|numbers| {
            numbers.given += 1;
            numbers.longest_stall = numbers.longest_stall.max(stall);
            numbers.total_stall += stall;
        });
    }

    pub(super) fn take(&self) {
        self.with(|numbers| numbers.taken += 1);
    }

    pub(super) fn keep(&self, why: Why) {
        self.with(|numbers| *numbers.kept.entry(why).or_default() += 1);
    }
}

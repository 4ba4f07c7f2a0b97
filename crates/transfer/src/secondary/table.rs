//! The states of a zone, and the table: state and stimulus give what is next.

use std::fmt;
use terms::Timestamp;

/// What a zone does. `again` is the primary that said meanwhile that there is another version.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum State {
    Waiting { until: Timestamp },
    Asking { primary: usize, again: Option<usize> },
    FetchingChanges { primary: usize, again: Option<usize> },
    FetchingWhole { primary: usize, again: Option<usize> },
}

/// A state, without what belongs to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum StateName {
    /// Until it is time to ask.
    Waiting,
    /// A primary was asked for its version.
    Asking,
    /// What has changed is on its way.
    FetchingChanges,
    /// All of it is on its way.
    FetchingWhole,
}

impl fmt::Display for StateName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            StateName::Waiting => "waiting",
            StateName::Asking => "asking",
            StateName::FetchingChanges => "fetching-changes",
            StateName::FetchingWhole => "fetching-whole",
        })
    }
}

/// What happened, as far as the table goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stimulus {
    /// It is time to ask.
    Due,
    /// That primary says that there is another version.
    Notified(usize),
    /// The primary has a newer version; whether there is one here whose changes can be asked for.
    Newer { has_version: bool },
    /// The primary has no newer version.
    Same,
    /// What was asked for is in place.
    Fetched,
    /// It did not come.
    Failed { more_primaries: bool },
}

/// What is next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Next {
    /// Nothing changes.
    Stay,
    /// Ask that primary.
    Ask(usize),
    /// Ask that primary when this is done.
    Remember(usize),
    /// Fetch what has changed.
    FetchChanges(usize),
    /// Fetch everything.
    FetchWhole(usize),
    /// The version is right; wait.
    Confirm,
    /// The version is new; wait.
    Rest,
    /// Every primary was asked in vain; wait.
    GiveUp,
}

impl State {
    pub(super) fn name(self) -> StateName {
        match self {
            State::Waiting { .. } => StateName::Waiting,
            State::Asking { .. } => StateName::Asking,
            State::FetchingChanges { .. } => StateName::FetchingChanges,
            State::FetchingWhole { .. } => StateName::FetchingWhole,
        }
    }

    /// The primary that it has to do with.
    pub(super) fn primary(self) -> usize {
        match self {
            State::Waiting { .. } => 0,
            State::Asking { primary, .. }
            | State::FetchingChanges { primary, .. }
            | State::FetchingWhole { primary, .. } => primary,
        }
    }

    /// Who is to be asked when this is done.
    pub(super) fn again(self) -> Option<usize> {
        match self {
            State::Waiting { .. } => None,
            State::Asking { again, .. }
            | State::FetchingChanges { again, .. }
            | State::FetchingWhole { again, .. } => again,
        }
    }

    pub(super) fn remember(&mut self, notifier: usize) {
        match self {
            State::Waiting { .. } => {}
            State::Asking { again, .. }
            | State::FetchingChanges { again, .. }
            | State::FetchingWhole { again, .. } => *again = Some(notifier),
        }
    }

    pub(super) fn next(self, stimulus: Stimulus) -> Next {
        match (self, stimulus) {
            (State::Waiting { .. }, Stimulus::Due) => Next::Ask(0),
            (State::Waiting { .. }, Stimulus::Notified(primary)) => Next::Ask(primary),
            // An answer that nobody waits for any more.
            (
                State::Waiting { .. },
                Stimulus::Newer { .. } | Stimulus::Same | Stimulus::Fetched | Stimulus::Failed { .. },
            ) => Next::Stay,

            (State::Asking { primary, .. }, Stimulus::Newer { has_version: true }) => {
                Next::FetchChanges(primary)
            }
            (State::Asking { primary, .. }, Stimulus::Newer { has_version: false }) => {
                Next::FetchWhole(primary)
            }
            (State::Asking { .. }, Stimulus::Same) => Next::Confirm,

            (State::FetchingChanges { .. } | State::FetchingWhole { .. }, Stimulus::Fetched) => Next::Rest,
            (State::FetchingChanges { .. } | State::FetchingWhole { .. }, Stimulus::Same) => Next::Confirm,
            (State::FetchingChanges { primary, .. }, Stimulus::Failed { .. }) => Next::FetchWhole(primary),

            (
                State::Asking { primary, .. } | State::FetchingWhole { primary, .. },
                Stimulus::Failed { more_primaries: true },
            ) => Next::Ask(primary + 1),
            (
                State::Asking { .. } | State::FetchingWhole { .. },
                Stimulus::Failed { more_primaries: false },
            ) => Next::GiveUp,

            (
                State::Asking { .. } | State::FetchingChanges { .. } | State::FetchingWhole { .. },
                Stimulus::Notified(primary),
            ) => Next::Remember(primary),
            (
                State::Asking { .. } | State::FetchingChanges { .. } | State::FetchingWhole { .. },
                Stimulus::Due,
            ) => Next::Stay,
            (State::Asking { .. }, Stimulus::Fetched) => Next::Stay,
            (State::FetchingChanges { .. } | State::FetchingWhole { .. }, Stimulus::Newer { .. }) => {
                Next::Stay
            }
        }
    }
}

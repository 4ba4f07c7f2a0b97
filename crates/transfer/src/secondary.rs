//! A zone that is kept current from its primaries: the timers of its SOA record (RFC 1035 section 3.3.13, RFC 1034
//! section 4.3.5), and NOTIFY (RFC 1996).
//!
//! ```text
//!             time, notified                  newer
//!   waiting ────────────────> asking ──────────────────> fetching
//!      ^                       │  │ older, no answer        │  │
//!      │      the same version │  └─> the next primary      │  └─ no use: all of it, then the next primary
//!      ├───────────────────────┘                            │
//!      └────────────────────────────────────────────────────┘ has come, or every primary was asked in vain
//! ```
//! Beside that runs the time for which the zone may be served: it begins anew with every answer of a primary, and when
//! it is over the zone is expired until there is one.

mod table;

use std::collections::VecDeque;
use std::time::Duration;
pub use table::StateName;
use table::{Next, State, Stimulus};
use terms::{Authority, Timestamp};

/// Nobody asks more often than this, whatever the zone says. The driver does not hear of NOTIFY more often, either.
pub const SHORTEST: Duration = Duration::from_secs(1);
/// A version may be served for as long at least, once a primary has confirmed it: one whose time is over before anybody could ask
/// again would come and go.
const SHORTEST_LIFE: Duration = Duration::from_secs(3);
/// Until the first question again, while there is no zone whose timers could say it; doubled after each.
const FIRST_RETRY: Duration = Duration::from_secs(1);
const LONGEST_RETRY: Duration = Duration::from_secs(600);

/// What happens to a zone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Input {
    /// Its deadline has come.
    Timer,
    /// A primary says that there is another version. The number says which primary.
    Notified(usize),
    /// The primary that was asked has this version.
    Answered(Authority),
    /// What was asked for has come and is to be served: this version.
    Fetched(Authority),
    /// The primary that was asked has no other version than we.
    Unchanged,
    /// What was asked for did not come, or is of no use.
    Failed,
}

/// What is to be done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Output {
    /// Ask the primary with this number for its version.
    Ask(usize),
    /// Fetch what has changed from that primary, and all of it if it does not know that.
    FetchChanges(usize),
    /// Fetch all of it.
    FetchWhole(usize),
    /// Do not serve it any more: nobody knows whether it is still right.
    Expire,
    /// Serve it again.
    Revive,
}

/// What there is of the zone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Held {
    /// Nothing yet.
    Nothing,
    /// This version, which may be served.
    Current {
        /// The version.
        authority: Authority,
        /// Until then, unless a primary says again that it is right. What was kept by an earlier process was right
        /// before the clock began, so this is the end and not the beginning.
        expires: Timestamp,
    },
    /// This version, which no primary has confirmed in time.
    Expired {
        /// The version.
        authority: Authority,
        /// When its time was over.
        expires: Timestamp,
    },
}

impl Held {
    /// A version that a primary has just said to be right.
    fn confirmed(authority: Authority, now: Timestamp) -> Held {
        Held::Current { authority, expires: now + lifetime(authority) }
    }

    /// The version that there is, served or not.
    pub fn authority(self) -> Option<Authority> {
        match self {
            Held::Nothing => None,
            Held::Current { authority, .. } | Held::Expired { authority, .. } => Some(authority),
        }
    }

    /// When it expires, or did.
    pub fn expires(self) -> Option<Timestamp> {
        match self {
            Held::Nothing => None,
            Held::Current { expires, .. } | Held::Expired { expires, .. } => Some(expires),
        }
    }
}

/// One zone.
#[derive(Clone, Debug)]
pub struct Secondary {
    primaries: usize,
    state: State,
    held: Held,
    /// How often in a row every primary was asked in vain.
    failures: u32,
    outputs: VecDeque<Output>,
}

impl Secondary {
    /// A zone with so many primaries, at least one, and what there is of it. It asks at once.
    pub fn new(primaries: usize, held: Held, now: Timestamp) -> Secondary {
        let mut zone = Secondary {
            primaries: primaries.max(1),
            state: State::Waiting { until: now },
            held,
            failures: 0,
            outputs: VecDeque::new(),
        };
        zone.expire(now);
        zone
    }

    /// Takes in what happened.
    pub fn handle(&mut self, input: Input, now: Timestamp) {
        let stimulus = match input {
            Input::Timer => {
                self.expire(now);
                match self.state {
                    State::Waiting { until } if until <= now => Stimulus::Due,
                    _ => return,
                }
            }
            Input::Notified(primary) => Stimulus::Notified(primary.min(self.primaries - 1)),
            Input::Answered(theirs) => match self.held.authority() {
                Some(ours) if theirs.serial == ours.serial => Stimulus::Same,
                Some(ours) if Authority::is_newer(theirs.serial, ours.serial) => {
                    Stimulus::Newer { has_version: true }
                }
                // It lags behind, and says nothing about ours.
                Some(_) => self.failed(),
                None => Stimulus::Newer { has_version: false },
            },
            Input::Fetched(authority) => {
                let was_expired = matches!(self.held, Held::Expired { .. });
                self.held = Held::confirmed(authority, now);
                // Only the newer version is served, which the driver has put in place already.
                if was_expired {
                    self.outputs.push_back(Output::Revive);
                }
                Stimulus::Fetched
            }
            Input::Unchanged => Stimulus::Same,
            Input::Failed => self.failed(),
        };
        self.carry_out(self.state.next(stimulus), now);
    }

    fn failed(&self) -> Stimulus {
        Stimulus::Failed { more_primaries: self.state.primary() + 1 < self.primaries }
    }

    fn carry_out(&mut self, next: Next, now: Timestamp) {
        match next {
            Next::Stay => {}
            Next::Ask(primary) => {
                let again = self.state.again().filter(|&notifier| notifier != primary);
                self.state = State::Asking { primary, again };
                self.outputs.push_back(Output::Ask(primary));
            }
            Next::Remember(primary) => self.state.remember(primary),
            Next::FetchChanges(primary) => {
                self.state = State::FetchingChanges { primary, again: self.state.again() };
                self.outputs.push_back(Output::FetchChanges(primary));
            }
            Next::FetchWhole(primary) => {
                self.state = State::FetchingWhole { primary, again: self.state.again() };
                self.outputs.push_back(Output::FetchWhole(primary));
            }
            Next::Confirm => {
                self.confirm(now);
                self.wait(now);
            }
            Next::Rest => self.wait(now),
            Next::GiveUp => {
                self.failures = self.failures.saturating_add(1);
                let pause = self.retry();
                self.wait_for(pause, now);
            }
        }
    }

    /// A primary has said that the version is right.
    fn confirm(&mut self, now: Timestamp) {
        match self.held {
            Held::Nothing => {}
            Held::Current { authority, .. } => self.held = Held::confirmed(authority, now),
            Held::Expired { authority, .. } => {
                self.held = Held::confirmed(authority, now);
                self.outputs.push_back(Output::Revive);
            }
        }
    }

    fn wait(&mut self, now: Timestamp) {
        self.failures = 0;
        let refresh = self.held.authority().map_or(0, |authority| authority.refresh);
        self.wait_for(seconds(refresh), now);
    }

    /// Waits, unless somebody has said meanwhile that there is news. Whatever the zone says, there is a question before
    /// its time is over.
    fn wait_for(&mut self, pause: Duration, now: Timestamp) {
        let again = self.state.again();
        let longest = self.held.authority().map_or(Duration::MAX, |authority| lifetime(authority) / 2);
        let pause = pause.min(longest);
        self.state = State::Waiting { until: now + pause.max(SHORTEST) };
        if let Some(primary) = again {
            self.carry_out(Next::Ask(primary), now);
        }
    }

    /// How long to wait after every primary was asked in vain.
    fn retry(&self) -> Duration {
        match self.held.authority() {
            Some(authority) => seconds(authority.retry),
            None => (FIRST_RETRY * 2u32.saturating_pow(self.failures.min(16) - 1)).min(LONGEST_RETRY),
        }
    }

    fn expire(&mut self, now: Timestamp) {
        if let Held::Current { authority, expires } = self.held
            && expires <= now
        {
            self.held = Held::Expired { authority, expires };
            self.outputs.push_back(Output::Expire);
        }
    }

    /// The next thing to do.
    pub fn poll_output(&mut self) -> Option<Output> {
        self.outputs.pop_front()
    }

    /// When [`Input::Timer`] is due.
    pub fn deadline(&self) -> Option<Timestamp> {
        let next = match self.state {
            State::Waiting { until } => Some(until),
            State::Asking { .. } | State::FetchingChanges { .. } | State::FetchingWhole { .. } => None,
        };
        let end = match self.held {
            Held::Current { expires, .. } => Some(expires),
            Held::Nothing | Held::Expired { .. } => None,
        };
        [next, end].into_iter().flatten().min()
    }

    /// What it does.
    pub fn state(&self) -> StateName {
        self.state.name()
    }

    /// What there is of the zone.
    pub fn held(&self) -> Held {
        self.held
    }
}

/// How long a version may be served after a primary has confirmed it.
pub fn lifetime(authority: Authority) -> Duration {
    seconds(authority.expire).max(SHORTEST_LIFE)
}

/// A timer of an SOA record.
fn seconds(timer: u32) -> Duration {
    Duration::from_secs(u64::from(timer))
}

#[cfg(test)]
mod tests;

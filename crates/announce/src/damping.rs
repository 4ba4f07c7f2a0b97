//! Back-off after failed withdrawals, so that a group that flaps does not make the Internet flap with it.

use serde::{Deserialize, Serialize};
use terms::Timestamp;

use crate::{Backoff, Memory, State};

/// What earlier failures still cost.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Damping {
    /// Failed withdrawals in a row.
    failures: u32,
    /// The group is not announced before this.
    not_before: Timestamp,
    /// Since when it is up without having failed for good.
    up_since: Option<Timestamp>,
}

impl Damping {
    pub(crate) fn new(memory: Memory, backoff: &Backoff, now: Timestamp) -> Self {
        let not_before = now + memory.back_off_left.min(backoff.cap);
        Damping { failures: memory.failures, not_before, up_since: None }
    }

    /// One more failed withdrawal.
    pub(crate) fn charge(&mut self, backoff: &Backoff, now: Timestamp) {
        self.failures = self.failures.saturating_add(1);
        self.not_before = now + backoff.delay(self.failures);
    }

    /// The group is in this state from now on.
    pub(crate) fn entered(&mut self, state: State, now: Timestamp) {
        self.up_since = match state {
            State::Up | State::Suspect => self.up_since.or(Some(now)),
            State::Boot | State::Warm | State::Held | State::Drain | State::Down | State::Off => None,
        };
    }

    /// Forgets the failures when the group was up for long enough; says how many there were.
    pub(crate) fn forgive(&mut self, backoff: &Backoff, now: Timestamp) -> Option<u32> {
        if now < self.forgiven_at(backoff)? {
            return None;
        }
        Some(std::mem::take(&mut self.failures))
    }

    /// When the failures will be forgotten, if there are any and nothing fails until then.
    pub(crate) fn forgiven_at(&self, backoff: &Backoff) -> Option<Timestamp> {
        let since = self.up_since.filter(|_| self.failures > 0)?;
        Some(since + backoff.forgiven_after)
    }

    /// Failed withdrawals in a row.
    pub(crate) fn failures(&self) -> u32 {
        self.failures
    }

    /// What the next start is to know.
    pub(crate) fn memory(&self, now: Timestamp) -> Memory {
        Memory { failures: self.failures, back_off_left: self.not_before.since(now) }
    }

    /// Before this the group is not announced again.
    pub(crate) fn not_before(&self) -> Timestamp {
        self.not_before
    }
}

//! Back-off after failed withdrawals, so that a group that flaps does not make the Internet flap with it.

use serde::{Deserialize, Serialize};
use terms::Timestamp;

use crate::{Backoff, Level, Memory};

/// What earlier failures still cost.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Damping {
    /// Failed withdrawals in a row.
    failures: u32,
    /// The group is not announced before this.
    not_before: Timestamp,
    /// Since when it is announced without having failed.
    announced_since: Option<Timestamp>,
}

impl Damping {
    pub(crate) fn new(memory: Memory, now: Timestamp) -> Self {
        Damping { failures: memory.failures, not_before: now, announced_since: None }
    }

    /// One more failed withdrawal.
    pub(crate) fn charge(&mut self, backoff: &Backoff, now: Timestamp) {
        self.failures = self.failures.saturating_add(1);
        self.not_before = now + backoff.delay(self.failures);
    }

    /// The group is announced at this level from now on.
    pub(crate) fn announced(&mut self, level: Level, now: Timestamp) {
        self.announced_since = match level {
            Level::None => None,
            Level::Normal => Some(now),
        };
    }

    /// Forgets the failures when the group was announced for long enough; says how many there were.
    pub(crate) fn forgive(&mut self, backoff: &Backoff, now: Timestamp) -> Option<u32> {
        if now < self.forgiven_at(backoff)? {
            return None;
        }
        Some(std::mem::take(&mut self.failures))
    }

    /// When the failures will be forgotten, if there are any and nothing fails until then.
    pub(crate) fn forgiven_at(&self, backoff: &Backoff) -> Option<Timestamp> {
        let since = self.announced_since.filter(|_| self.failures > 0)?;
        Some(since + backoff.forgiven_after)
    }

    pub(crate) fn memory(&self) -> Memory {
        Memory { failures: self.failures }
    }

    /// Before this the group is not announced again.
    pub(crate) fn not_before(&self) -> Timestamp {
        self.not_before
    }
}

//! How long the parts of one handover wait.

use std::time::Duration;

/// How long the giver of a connection waits for the taker; what others wait follows from it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Patience(Duration);

impl Default for Patience {
    /// Less than it takes TCP to give anything up.
    fn default() -> Self {
        Patience(Duration::from_millis(800))
    }
}

impl Patience {
    #[cfg(test)]
    pub(super) fn of(giver: Duration) -> Self {
        Patience(giver)
    }

    /// From the moment when a connection is frozen.
    pub(super) fn giver(self) -> Duration {
        self.0
    }

    /// From the moment when its socket is made at the other site: longer than the giver waits.
    pub(super) fn taker(self) -> Duration {
        self.0 * 5 / 4
    }

    /// How long a fence lasts if nobody takes it down: longer than anybody waits.
    pub(super) fn fence(self) -> Duration {
        self.0 * 5 / 2
    }
}

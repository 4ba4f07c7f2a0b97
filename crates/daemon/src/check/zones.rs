//! Looks at the zones of the built-in DNS service.

use crate::clock::Clock;
use crate::dns::Inventory;
use ::check::zones::{Expectation, Standing};
use check::Finding;
use terms::ServiceName;
use tokio::sync::watch;

#[derive(Debug)]
pub(crate) struct Asker {
    pub(super) expectation: Expectation,
    pub(super) service: ServiceName,
    pub(super) inventory: watch::Receiver<Inventory>,
    pub(super) clock: Clock,
}

impl Asker {
    /// One look.
    pub(super) fn ask(&self) -> Finding {
        let inventory = self.inventory.borrow();
        let zones = inventory.get(&self.service).into_iter().flatten();
        let standing = zones.map(|(zone, stock)| {
            let standing = match stock {
                None => Standing::Unavailable,
                Some(stock) => stock.signatures_end.map_or(Standing::Unsigned, Standing::SignedUntil),
            };
            (zone, standing)
        });
        self.expectation.judge(standing, self.clock.wall())
    }
}

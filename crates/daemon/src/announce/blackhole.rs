//! What peers are to drop: it stands beside the groups in the decision, and no machine hears of it.

use super::Decider;
use crate::export::blackhole::Blackhole;
use std::net::IpAddr;
use std::sync::Arc;

impl Decider {
    /// The same loop, with what peers are to drop from before the start.
    pub(crate) fn blackholing(mut self, blackholes: Arc<[Blackhole]>) -> Self {
        self.drop_traffic(blackholes);
        self
    }

    /// Has peers drop what is sent there, and nothing else.
    pub(super) fn drop_traffic(&mut self, blackholes: Arc<[Blackhole]>) {
        self.blackholes = blackholes;
        self.publish(None);
    }

    /// Where the services of every group are asked.
    pub(super) fn addresses(&self) -> Arc<[IpAddr]> {
        self.groups.iter().flat_map(|(group, _)| group.addresses.iter().copied()).collect()
    }
}

//! What an operator decides about one session.

use crate::Interval;
use crate::session::StateName;
use serde::{Deserialize, Serialize};
use std::num::NonZeroU8;

/// What an operator decides about one session.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    /// How fast we send and how fast the other end may; the slower end decides in each direction.
    pub interval: Interval,
    /// So many packets of ours in a row may be missing before the other end gives up.
    pub multiplier: NonZeroU8,
    /// Say nothing before the other end was heard (RFC 5880 section 6.1).
    pub passive: bool,
}

impl Settings {
    /// bfd.DesiredMinTxInterval: at least a second unless the session is up, so that sessions that come to nothing cost
    /// nothing (RFC 5880 section 6.8.3).
    pub(super) fn desired_min_tx(&self, state: StateName) -> Interval {
        match state {
            StateName::Up => self.interval,
            StateName::AdminDown | StateName::Down | StateName::Init => self.interval.max(Interval::SLOW),
        }
    }
}

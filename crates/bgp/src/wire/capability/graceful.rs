//! Graceful restart: what a speaker promises for the time that it restarts (RFC 4724 section 3, RFC 8538 section 2).

use crate::wire::nlri;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use terms::Family;

const RESTARTING: u16 = 0x8000;
const NOTIFICATION: u16 = 0x4000;
/// Of a family: it went on forwarding.
const FORWARDING: u8 = 0x80;

/// The longest restart that can be announced, in seconds.
pub const LONGEST_RESTART: u16 = 0x0fff;

/// What a speaker promises for the time that it restarts.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct GracefulRestart {
    /// It has just restarted (R bit): its neighbour is not to wait for its End-of-RIB.
    pub restarting: bool,
    /// A NOTIFICATION other than a hard reset is survived as well (N bit, RFC 8538).
    pub notification: bool,
    /// How long its restart takes at most, in seconds: 0 to [`LONGEST_RESTART`], what is longer is written as that.
    pub time: u16,
    /// Families that it can keep, and whether it went on forwarding during its last restart (F bit).
    pub families: BTreeMap<Family, bool>,
}

impl GracefulRestart {
    /// None if the value is cut short. Families that are not spoken here are left out.
    pub(super) fn decode(value: &[u8]) -> Option<Self> {
        let (head, families) = value.split_first_chunk()?;
        let head = u16::from_be_bytes(*head);
        let (families, rest) = families.as_chunks();
        let families = families.iter().filter_map(|&[high, low, safi, flags]| {
            Some((nlri::family(u16::from_be_bytes([high, low]), safi)?, flags & FORWARDING != 0))
        });
        rest.is_empty().then(|| GracefulRestart {
            restarting: head & RESTARTING != 0,
            notification: head & NOTIFICATION != 0,
            time: head & LONGEST_RESTART,
            families: families.collect(),
        })
    }

    pub(super) fn encode(&self) -> Vec<u8> {
        let restarting = if self.restarting { RESTARTING } else { 0 };
        let notification = if self.notification { NOTIFICATION } else { 0 };
        let head = restarting | notification | self.time.min(LONGEST_RESTART);
        let mut value = head.to_be_bytes().to_vec();
        for (&family, &forwarding) in &self.families {
            let [high, low] = nlri::afi(family).to_be_bytes();
            let flags = if forwarding { FORWARDING } else { 0 };
            value.extend_from_slice(&[high, low, nlri::SAFI_UNICAST, flags]);
        }
        value
    }
}

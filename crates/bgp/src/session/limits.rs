//! How many prefixes a neighbour may announce (RFC 4486 section 4).
//!
//! Counted are the prefixes of a family that stand announced in this session: one that is announced again counts once,
//! one that is withdrawn, or treated so (RFC 7606), counts no more. Nothing else about a route matters: what a
//! neighbour sends is what the bound is for, not what is made of it. To count without being deceived takes the
//! prefixes themselves, so they are remembered, and only for a family that has a bound: the bound also bounds the
//! memory, at some 40 octets a prefix. Where a prefix has several paths (RFC 7911), each of them counts.
//!
//! ```text
//!   0 ──────────── 60 % ───────── 80 % ─────────── bound ── one more
//!                   └ warning again  └ warning, once          └ Cease/1, then a long pause
//! ```

use crate::session::Event;
use crate::wire::nlri::{self, Nlri};
use crate::wire::notification::{ErrorCode, Notification};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;
use terms::Family;

/// The pause after a neighbour announced too many prefixes. It is long because somebody has to do something about it:
/// whoever changes the bound ends it.
pub const LIMIT_PAUSE: Duration = Duration::from_secs(3600);

/// Of the bound, in percent: from here on people are warned.
const WARN_AT: u64 = 80;
/// Of the bound, in percent: once it is below this, people may be warned again.
const CALM_AT: u64 = 60;

/// More prefixes of a family than the bound.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct TooMany {
    pub(crate) family: Family,
    pub(crate) limit: u32,
}

impl TooMany {
    /// What the neighbour is told: which family, and the bound (RFC 4486 section 4).
    pub(crate) fn notification(self) -> Notification {
        let [high, low] = nlri::afi(self.family).to_be_bytes();
        let data = [&[high, low, nlri::SAFI_UNICAST][..], &self.limit.to_be_bytes()].concat();
        Notification::new(ErrorCode::MAXIMUM_PREFIXES, data)
    }
}

/// What stands announced in the families that have a bound.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(crate) struct Counted(BTreeMap<Family, Standing>);

#[derive(Debug, Default, Serialize, Deserialize)]
struct Standing {
    limit: u32,
    /// Each path with its identifier (RFC 7911).
    paths: BTreeSet<Nlri>,
    /// Those from before the neighbour began to tell everything again, and not told again yet (RFC 7313).
    stale: BTreeSet<Nlri>,
    warned: bool,
}

impl Counted {
    /// Takes over bounds. The families in the answer were not counted so far: what stands announced in them is not
    /// known until the neighbour tells it again.
    pub(crate) fn bound(&mut self, limits: &BTreeMap<Family, u32>) -> BTreeSet<Family> {
        self.0.retain(|family, _| limits.contains_key(family));
        let mut fresh = BTreeSet::new();
        for (&family, &limit) in limits {
            let standing = self.0.entry(family).or_insert_with(|| {
                fresh.insert(family);
                Standing::default()
            });
            standing.limit = limit;
        }
        fresh
    }

    /// The first family that has more than its bound, which happens when a bound is lowered.
    pub(crate) fn too_many(&self) -> Result<(), TooMany> {
        let exceeded = self.0.iter().find(|(_, standing)| standing.is_exceeded());
        exceeded.map_or(Ok(()), |(&family, standing)| Err(TooMany { family, limit: standing.limit }))
    }

    /// How many stand announced in each family that has a bound.
    pub(crate) fn prefixes(&self) -> BTreeMap<Family, usize> {
        self.0.iter().map(|(&family, standing)| (family, standing.len())).collect()
    }

    /// These are announced. Answers with a warning when the bound comes near.
    pub(crate) fn announce(&mut self, paths: impl Iterator<Item = Nlri>) -> Result<Option<Event>, TooMany> {
        let mut warning = None;
        for path in paths {
            let family = path.prefix.family();
            let Some(standing) = self.0.get_mut(&family) else { continue };
            standing.stale.remove(&path);
            standing.paths.insert(path);
            if standing.is_exceeded() {
                return Err(TooMany { family, limit: standing.limit });
            }
            if standing.reaches(WARN_AT) && !std::mem::replace(&mut standing.warned, true) {
                let (count, limit) = (standing.len(), standing.limit);
                warning = Some(Event::ManyPrefixes { family, count, limit });
            }
        }
        Ok(warning)
    }

    /// These are withdrawn.
    pub(crate) fn withdraw(&mut self, paths: impl Iterator<Item = Nlri>) {
        for path in paths {
            let Some(standing) = self.0.get_mut(&path.prefix.family()) else { continue };
            standing.paths.remove(&path);
            standing.stale.remove(&path);
            standing.calm();
        }
    }

    /// All of a family is told again from here on: what is not told again is withdrawn in the end.
    pub(crate) fn begin_again(&mut self, family: Family) {
        if let Some(standing) = self.0.get_mut(&family) {
            let mut before = std::mem::take(&mut standing.paths);
            standing.stale.append(&mut before);
        }
    }

    /// All of a family was told again.
    pub(crate) fn end_again(&mut self, family: Family) {
        if let Some(standing) = self.0.get_mut(&family) {
            standing.stale.clear();
            standing.calm();
        }
    }
}

impl Standing {
    fn len(&self) -> usize {
        self.paths.len() + self.stale.len()
    }

    fn count(&self) -> u64 {
        u64::try_from(self.len()).unwrap_or(u64::MAX)
    }

    fn calm(&mut self) {
        self.warned &= self.reaches(CALM_AT);
    }

    fn is_exceeded(&self) -> bool {
        self.count() > u64::from(self.limit)
    }

    /// Whether so many percent of the bound stand announced.
    fn reaches(&self, percent: u64) -> bool {
        self.count().saturating_mul(100) >= u64::from(self.limit) * percent
    }
}

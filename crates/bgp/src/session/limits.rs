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
//! A saved session does without what is remembered: a million prefixes would hold up every decision for as long as they
//! take to be written, and fill a recording. So the session does nothing about its count by itself. Where the count
//! passes one of these marks, it asks to be told so, and that is an input like any other: a recording has it, and a
//! session that was read back and remembers nothing does the same about it.
//!
//! ```text
//!   UPDATE ──► remembered, counted ──► a mark is passed ──► [`Session::poll_input`](crate::session::Session::poll_input)
//!                                                                   │ the driver feeds it at once
//!   warning, or Cease/1 ◄── judged ◄── [`Input::Counted`] ◄─────────┘
//! ```

use crate::session::{Event, Input};
use crate::wire::negotiated::Negotiated;
use crate::wire::nlri::{self, Nlri, NlriError};
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

/// How much memory is given back at a time: so many prefixes.
const STEP: usize = 1024;

/// What stands announced in the families that have a bound; nothing unless the session is up.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(crate) struct Counted {
    families: BTreeMap<Family, Standing>,
    /// What is remembered no longer, and not freed yet: a million prefixes at once would hold up every decision.
    #[serde(skip)]
    leaving: Vec<BTreeSet<Nlri>>,
}

#[derive(Debug, Default, Serialize, Deserialize)]
struct Standing {
    limit: u32,
    warned: bool,
    #[serde(skip)]
    remembered: Remembered,
}

/// What it takes to count a family.
#[derive(Debug, Default)]
struct Remembered {
    /// Each path with its identifier (RFC 7911).
    paths: BTreeSet<Nlri>,
    /// Those from before the neighbour began to tell everything again, and not told again yet (RFC 7313).
    stale: BTreeSet<Nlri>,
    /// How many there were when there were more than the bound, if only for a moment: nothing more is remembered.
    exceeded: Option<usize>,
}

/// Where a count is between 0 and the bound.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Mark {
    /// Another warning would be news.
    Calm,
    Between,
    /// The bound is near.
    Near,
    Beyond,
}

impl Counted {
    /// The session is over, and what it counted with it.
    pub(crate) fn forget(&mut self) {
        for Standing { remembered, .. } in std::mem::take(&mut self.families).into_values() {
            self.leave(remembered.paths);
            self.leave(remembered.stale);
        }
    }

    /// Takes over bounds. The families in the answer were not counted so far: what stands announced in them is not
    /// known until the neighbour tells it again.
    pub(crate) fn bound(&mut self, limits: &BTreeMap<Family, u32>) -> BTreeSet<Family> {
        let unbound = self.families.extract_if(.., |family, _| !limits.contains_key(family));
        for (_, Standing { remembered, .. }) in unbound.collect::<Vec<_>>() {
            self.leave(remembered.paths);
            self.leave(remembered.stale);
        }
        let mut fresh = BTreeSet::new();
        for (&family, &limit) in limits {
            let standing = self.families.entry(family).or_insert_with(|| {
                fresh.insert(family);
                Standing::default()
            });
            standing.limit = limit;
            standing.look();
        }
        fresh
    }

    /// How many stand announced in each family that has a bound.
    pub(crate) fn prefixes(&self) -> BTreeMap<Family, usize> {
        self.families.iter().map(|(&family, standing)| (family, standing.remembered.len())).collect()
    }

    /// These are announced.
    pub(crate) fn announce(&mut self, paths: impl Iterator<Item = Nlri>) {
        for path in paths {
            let Some(standing) = self.families.get_mut(&path.prefix.family()) else { continue };
            if standing.remembered.exceeded.is_none() {
                standing.remembered.stale.remove(&path);
                standing.remembered.paths.insert(path);
                standing.look();
            }
        }
    }

    /// These are withdrawn.
    pub(crate) fn withdraw(&mut self, paths: impl Iterator<Item = Nlri>) {
        for path in paths {
            let Some(standing) = self.families.get_mut(&path.prefix.family()) else { continue };
            standing.remembered.paths.remove(&path);
            standing.remembered.stale.remove(&path);
        }
    }

    /// All of a family is told again from here on: what is not told again is withdrawn in the end.
    pub(crate) fn begin_again(&mut self, family: Family) {
        if let Some(Standing { remembered, .. }) = self.families.get_mut(&family) {
            let mut before = std::mem::take(&mut remembered.paths);
            remembered.stale.append(&mut before);
        }
    }

    /// All of a family was told again.
    pub(crate) fn end_again(&mut self, family: Family) {
        if let Some(Standing { remembered, .. }) = self.families.get_mut(&family) {
            let gone = std::mem::take(&mut remembered.stale);
            self.leave(gone);
        }
    }

    fn leave(&mut self, paths: BTreeSet<Nlri>) {
        self.leaving.extend((!paths.is_empty()).then_some(paths));
    }

    /// Gives back a little of the memory of what is remembered no longer.
    pub(crate) fn tidy(&mut self) {
        let Some(paths) = self.leaving.last_mut() else { return };
        if (0..STEP).any(|_| paths.pop_first().is_none()) {
            self.leaving.pop();
        }
    }

    /// Whether memory is still to be given back.
    pub(crate) fn is_untidy(&self) -> bool {
        !self.leaving.is_empty()
    }

    /// What the session is to be told of the count; nothing once it was.
    pub(crate) fn poll_input(&self) -> Option<Input> {
        self.families.iter().find_map(|(&family, standing)| {
            let count = standing.news()?;
            Some(Input::Counted { family, count })
        })
    }

    /// So many stand announced. Answers with a warning when the bound is near.
    pub(crate) fn judge(&mut self, family: Family, count: usize) -> Result<Option<Event>, TooMany> {
        let Some(standing) = self.families.get_mut(&family) else { return Ok(None) };
        let limit = standing.limit;
        let was_warned = standing.warned;
        match standing.mark(count) {
            Mark::Beyond => return Err(TooMany { family, limit }),
            Mark::Near => standing.warned = true,
            Mark::Calm => standing.warned = false,
            Mark::Between => {}
        }
        let is_news = standing.warned && !was_warned;
        Ok(is_news.then_some(Event::ManyPrefixes { family, count, limit }))
    }

    /// What is remembered, for whoever goes on with the session.
    pub(crate) fn announced(&self, negotiated: &Negotiated) -> Announced {
        let told = |family, paths: &BTreeSet<Nlri>| {
            let mut octets = Vec::new();
            nlri::encode(paths, negotiated.add_path(family).receive, &mut octets);
            octets
        };
        let families = self.families.iter().map(|(&family, Standing { remembered, .. })| {
            let (paths, stale) = (told(family, &remembered.paths), told(family, &remembered.stale));
            (family, AnnouncedFamily { paths, stale })
        });
        Announced(families.collect())
    }

    /// Goes on with what was remembered elsewhere.
    pub(crate) fn remember(
        &mut self,
        announced: &Announced,
        negotiated: &Negotiated,
    ) -> Result<(), NlriError> {
        for (family, AnnouncedFamily { paths, stale }) in &announced.0 {
            let Some(standing) = self.families.get_mut(family) else { continue };
            let read = |octets| nlri::decode(octets, *family, negotiated.add_path(*family).receive);
            standing.remembered.paths = read(paths)?.into_iter().collect();
            standing.remembered.stale = read(stale)?.into_iter().collect();
            standing.look();
        }
        Ok(())
    }
}

impl Standing {
    /// Looks whether there are more than the bound.
    fn look(&mut self) {
        let count = self.remembered.len();
        self.remembered.exceeded = (self.mark(count) == Mark::Beyond).then_some(count);
    }

    /// How many stand announced, if that is news.
    fn news(&self) -> Option<usize> {
        let count = self.remembered.exceeded.unwrap_or(self.remembered.len());
        let is_news = match self.mark(count) {
            Mark::Beyond => true,
            Mark::Near => !self.warned,
            Mark::Between => false,
            Mark::Calm => self.warned,
        };
        is_news.then_some(count)
    }

    fn mark(&self, count: usize) -> Mark {
        let (count, limit) = (u64::try_from(count).unwrap_or(u64::MAX), u64::from(self.limit));
        let reaches = |percent| count.saturating_mul(100) >= limit * percent;
        match count {
            0 => Mark::Calm,
            count if count > limit => Mark::Beyond,
            _ if reaches(WARN_AT) => Mark::Near,
            _ if reaches(CALM_AT) => Mark::Between,
            _ => Mark::Calm,
        }
    }
}

impl Remembered {
    fn len(&self) -> usize {
        self.paths.len() + self.stale.len()
    }
}

/// What a neighbour has announced in the families that have a bound: what a saved session does without, for a program
/// that goes on with it and has to count on.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Announced(BTreeMap<Family, AnnouncedFamily>);

/// Prefixes as an UPDATE of the session has them.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
struct AnnouncedFamily {
    #[serde(with = "crate::hex")]
    paths: Vec<u8>,
    #[serde(with = "crate::hex")]
    stale: Vec<u8>,
}

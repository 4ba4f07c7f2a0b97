//! How the operator runs the sites: what every site file says, and what stands in the operator's own data centre.
//!
//! ```toml
//! [site]                  # for the file of every site
//! drain = "3s"
//! linger = "3s"
//! bfd = "50ms"            # they and their routers watch the link between them, 3 packets
//! dependency = true       # the sites check that they reach the data centre
//!
//! [fleet]                 # a fleet store, in the data centre
//! min_sites = 2
//! ```
//! A world file and a scenario say it in the same words; what a scenario says counts.

use document::Table;
use serde::Serialize;
use std::num::NonZeroU16;
use std::ops::RangeInclusive;
use std::time::Duration;

/// What a scenario can wait for.
const TIMES: RangeInclusive<Duration> = Duration::ZERO..=Duration::from_secs(300);

/// What BFD can be asked for.
const BFD_INTERVALS: RangeInclusive<Duration> = Duration::from_millis(10)..=Duration::from_secs(60);

/// So many missing packets in a row are a dead link, at either end.
pub const BFD_MULTIPLIER: u8 = 3;

/// How the operator runs the sites.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Operation {
    /// How long a drained site is announced as the last resort before it is withdrawn.
    pub drain: Duration,
    /// How long the service answers on after an orderly stop has withdrawn.
    pub linger: Duration,
    /// The interval at which each site and its router watch the link between them; none leaves it to BGP.
    pub bfd: Option<Duration>,
    /// Whether every site checks that it reaches the operator's own data centre.
    pub dependency: bool,
    /// Whether every site looks after connections that routing moves; the sites need a fleet for it.
    pub continuity: bool,
    /// The fleet store.
    pub fleet: Option<Fleet>,
}

/// A fleet store that every site is told of.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Fleet {
    /// The smallest number of sites that stay announced; none leaves it to the daemons.
    pub min_sites: Option<NonZeroU16>,
}

impl Default for Operation {
    fn default() -> Self {
        let short = Duration::from_secs(3);
        Operation {
            drain: short,
            linger: short,
            bfd: None,
            dependency: false,
            continuity: false,
            fleet: None,
        }
    }
}

impl Operation {
    /// Whether a world with it needs the operator's own data centre.
    pub fn has_core(&self) -> bool {
        self.dependency || self.fleet.is_some()
    }
}

/// What a file says about it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Written {
    drain: Option<Duration>,
    linger: Option<Duration>,
    bfd: Option<Duration>,
    dependency: Option<bool>,
    continuity: Option<bool>,
    fleet: Option<Fleet>,
}

impl Written {
    /// Reads the two sections of a file; none if something in them is wrong.
    pub(crate) fn read(root: &Table<'_>) -> Option<Written> {
        let mut written = Written::default();
        let mut good = true;
        let mut time = |value: document::Value<'_>, bounds: RangeInclusive<Duration>| {
            let read = value.duration_in(bounds);
            good &= read.is_some() || !value.is_given();
            read.map(|time| time.value)
        };
        if let Some(site) = root.optional("site").table() {
            written.drain = time(site.optional("drain"), TIMES);
            written.linger = time(site.optional("linger"), TIMES);
            written.bfd = time(site.optional("bfd"), BFD_INTERVALS);
            let dependency = site.optional("dependency");
            written.dependency = dependency.flag().map(|flag| flag.value);
            good &= written.dependency.is_some() || !dependency.is_given();
            let continuity = site.optional("continuity");
            written.continuity = continuity.flag().map(|flag| flag.value);
            good &= written.continuity.is_some() || !continuity.is_given();
            if written.continuity == Some(true) && !root.optional("fleet").is_given() {
                let hint = "sites tell each other of their connections through its store: add `[fleet]`";
                let message = "`continuity` needs a fleet";
                continuity.document().fault_with_hint(continuity.key_span(), message, hint);
                good = false;
            }
        }
        if let Some(fleet) = root.optional("fleet").table() {
            let value = fleet.optional("min_sites");
            let min_sites = value.number::<NonZeroU16>().map(|number| number.value);
            good &= min_sites.is_some() || !value.is_given();
            written.fleet = Some(Fleet { min_sites });
        }
        good.then_some(written)
    }

    /// The operation with what is written put in place of what was.
    pub fn over(&self, before: &Operation) -> Operation {
        Operation {
            drain: self.drain.unwrap_or(before.drain),
            linger: self.linger.unwrap_or(before.linger),
            bfd: self.bfd.or(before.bfd),
            dependency: self.dependency.unwrap_or(before.dependency),
            continuity: self.continuity.unwrap_or(before.continuity),
            fleet: self.fleet.or(before.fleet),
        }
    }
}

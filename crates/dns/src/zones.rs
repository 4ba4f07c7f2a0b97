//! All zones that one server serves.

use crate::name::Name;
use crate::table::{NameHash, Table};
use crate::zone::Zone;
use std::num::NonZeroU32;
use std::sync::Arc;
use terms::{DomainName, RecordType};

/// The zones of a server: immutable, so that a reload is the swap of an `Arc<Zones>`. A zone that did not change is
/// shared between the old and the new one.
#[derive(Debug)]
pub struct Zones {
    /// In canonical order of their names.
    zones: Vec<Entry>,
    /// A [`Table`] of their places in `zones`, counted from 1.
    table: Vec<u8>,
    /// Labels of the longest apex.
    deepest: usize,
    /// Octets of all images.
    octets: usize,
}

/// A zone that this server is there for.
#[derive(Clone, Debug)]
enum Entry {
    Served(Arc<Zone>),
    /// It has expired, or has not come yet: whoever asks is told SERVFAIL, and asks another server.
    Unavailable(DomainName),
}

impl Entry {
    fn apex(&self) -> &DomainName {
        match self {
            Entry::Served(zone) => zone.apex(),
            Entry::Unavailable(apex) => apex,
        }
    }
}

/// Who has the say over a name.
pub(crate) enum Found<'z> {
    /// A zone that is served.
    Home(Home<'z>),
    /// One that cannot be served now.
    Unavailable,
}

/// Where the answer to a question is to be looked up.
pub(crate) struct Home<'z> {
    pub(crate) zone: &'z Zone,
    /// The hash of the name.
    pub(crate) hash: NameHash,
    /// Whether the name is that of another zone below this one, so that it exists whatever this one says.
    pub(crate) is_child: bool,
}

/// Two zones have one name.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the zone {0} is there twice")]
pub struct TwiceError(pub DomainName);

impl Zones {
    /// Puts zones together.
    ///
    /// # Errors
    /// Two of them have the same apex.
    pub fn new(zones: Vec<Arc<Zone>>) -> Result<Zones, TwiceError> {
        Zones::with_unavailable(zones, Vec::new())
    }

    /// Puts zones together with the names of those that cannot be served now.
    ///
    /// # Errors
    /// Two of them have the same apex.
    pub fn with_unavailable(
        zones: Vec<Arc<Zone>>,
        unavailable: Vec<DomainName>,
    ) -> Result<Zones, TwiceError> {
        let unavailable = unavailable.into_iter().map(Entry::Unavailable);
        let mut zones: Vec<Entry> = zones.into_iter().map(Entry::Served).chain(unavailable).collect();
        zones.sort_by(|a, b| a.apex().cmp(b.apex()));
        if let Some(pair) = zones.windows(2).find(|pair| pair[0].apex() == pair[1].apex()) {
            return Err(TwiceError(pair[0].apex().clone()));
        }
        let hash = |zone: &Entry| NameHash::of(&zone.apex().as_wire().to_ascii_lowercase());
        // More zones than can be numbered do not fit into memory.
        let numbers = (1..).filter_map(NonZeroU32::new);
        let entries: Vec<_> = zones.iter().zip(numbers).map(|(zone, number)| (hash(zone), number)).collect();
        let deepest = zones.iter().map(|zone| zone.apex().labels().count()).max().unwrap_or(0);
        let mut all = Zones { table: Table::of(&entries), zones, deepest, octets: 0 };
        all.octets = all.iter().map(|zone| zone.octets().len()).sum();
        Ok(all)
    }

    /// Octets of the images of all zones.
    pub(crate) fn octets(&self) -> usize {
        self.octets
    }

    /// The zones that are served, in canonical order of their names.
    pub fn iter(&self) -> impl Iterator<Item = &Arc<Zone>> {
        self.zones.iter().filter_map(|zone| match zone {
            Entry::Served(zone) => Some(zone),
            Entry::Unavailable(_) => None,
        })
    }

    /// The names of the zones that cannot be served now.
    pub fn unavailable(&self) -> impl Iterator<Item = &DomainName> {
        self.zones.iter().filter_map(|zone| match zone {
            Entry::Served(_) => None,
            Entry::Unavailable(apex) => Some(apex),
        })
    }

    /// The zone of this name, if it is served.
    pub fn get(&self, apex: &DomainName) -> Option<&Arc<Zone>> {
        let at = self.zones.binary_search_by(|zone| zone.apex().cmp(apex)).ok()?;
        match &self.zones[at] {
            Entry::Served(zone) => Some(zone),
            Entry::Unavailable(_) => None,
        }
    }

    /// The zone that has the say over a name: the nearest above it. Only DS is a question for the parent, where that
    /// is served here too (RFC 4035 section 3.1.4.1).
    pub(crate) fn find(&self, name: &Name, kind: RecordType) -> Option<Found<'_>> {
        let mut hash = NameHash::ROOT;
        let (mut nearest, mut above) = (self.zone_at(hash, &[0]), None);
        for (depth, (label, suffix)) in name.labels_from_the_root().enumerate() {
            hash = hash.below(label);
            if depth < self.deepest
                && let Some(zone) = self.zone_at(hash, suffix)
            {
                above = nearest.replace(zone);
            }
        }
        let zone = nearest?;
        let (entry, is_child) = match above {
            Some(parent) if kind == RecordType::DS && zone.apex().as_wire().len() == name.length() => {
                (parent, true)
            }
            _ => (zone, false),
        };
        Some(match entry {
            Entry::Served(zone) => Found::Home(Home { zone, hash, is_child }),
            Entry::Unavailable(_) => Found::Unavailable,
        })
    }

    fn zone_at(&self, hash: NameHash, lower: &[u8]) -> Option<&Entry> {
        let at = |number: u32| self.zones.get((number as usize).checked_sub(1)?);
        let is_it = |number| at(number).is_some_and(|zone| zone.apex().as_wire().eq_ignore_ascii_case(lower));
        at(Table::new(&self.table).find(hash, is_it)?)
    }
}

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
    zones: Vec<Arc<Zone>>,
    /// A [`Table`] of their places in `zones`, counted from 1.
    table: Vec<u8>,
    /// Labels of the longest apex.
    deepest: usize,
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
#[error("the zone {0} is there twice: remove one of the two files")]
pub struct TwiceError(pub DomainName);

impl Zones {
    /// Puts zones together.
    ///
    /// # Errors
    /// Two of them have the same apex.
    pub fn new(mut zones: Vec<Arc<Zone>>) -> Result<Zones, TwiceError> {
        zones.sort_by(|a, b| a.apex().cmp(b.apex()));
        if let Some(pair) = zones.windows(2).find(|pair| pair[0].apex() == pair[1].apex()) {
            return Err(TwiceError(pair[0].apex().clone()));
        }
        let hash = |zone: &Zone| NameHash::of(&zone.apex().as_wire().to_ascii_lowercase());
        // More zones than can be numbered do not fit into memory.
        let numbers = (1..).filter_map(NonZeroU32::new);
        let entries: Vec<_> = zones.iter().zip(numbers).map(|(zone, number)| (hash(zone), number)).collect();
        let deepest = zones.iter().map(|zone| zone.apex().labels().count()).max().unwrap_or(0);
        Ok(Zones { zones, table: Table::of(&entries), deepest })
    }

    /// The zones in canonical order of their names.
    pub fn iter(&self) -> impl Iterator<Item = &Arc<Zone>> {
        self.zones.iter()
    }

    /// The zone that has the say over a name: the nearest above it. Only DS is a question for the parent, where that
    /// is served here too (RFC 4035 section 3.1.4.1).
    pub(crate) fn find(&self, name: &Name, kind: RecordType) -> Option<Home<'_>> {
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
        match above {
            Some(parent) if kind == RecordType::DS && zone.apex().as_wire().len() == name.length() => {
                Some(Home { zone: parent, hash, is_child: true })
            }
            _ => Some(Home { zone, hash, is_child: false }),
        }
    }

    fn zone_at(&self, hash: NameHash, lower: &[u8]) -> Option<&Zone> {
        let at = |number: u32| self.zones.get((number as usize).checked_sub(1)?);
        let is_it = |number| at(number).is_some_and(|zone| zone.apex().as_wire().eq_ignore_ascii_case(lower));
        at(Table::new(&self.table).find(hash, is_it)?).map(|zone| &**zone)
    }
}

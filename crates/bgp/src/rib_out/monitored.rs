//! What the neighbour was told, said once more to somebody who monitors.

use super::{RibOut, take_fitting};
use crate::wire::update::Update;
use std::collections::{BTreeMap, BTreeSet};
use terms::{Attributes, Family, Prefix, RouteSet};

impl RibOut {
    /// Whole UPDATEs that announce these routes as the neighbour hears them, packed by equal attributes.
    pub(crate) fn updates(&self, routes: &RouteSet) -> Vec<Vec<u8>> {
        let mut alike: BTreeMap<(Family, &Attributes), BTreeSet<Prefix>> = BTreeMap::new();
        for (&prefix, attributes) in routes {
            alike.entry((prefix.family(), attributes)).or_default().insert(prefix);
        }
        let mut updates = Vec::new();
        for ((family, attributes), mut prefixes) in alike {
            let with_path = self.negotiated.add_path(family).send;
            // What was told fitted.
            let Ok(room) = self.room(&self.announcement(family, attributes, Vec::new()), family) else {
                continue;
            };
            while !prefixes.is_empty() {
                let fitting = take_fitting(&mut prefixes, family, with_path, room);
                updates.extend(self.announcement(family, attributes, fitting).encode(&self.negotiated));
            }
        }
        updates
    }

    /// End-of-RIB of each family that the neighbour was told to the end.
    pub(crate) fn ends_of_rib(&self) -> Vec<Vec<u8>> {
        let complete = self.negotiated.families.difference(&self.end_of_rib);
        complete.filter_map(|&family| Update::end_of_rib(family).encode(&self.negotiated).ok()).collect()
    }
}

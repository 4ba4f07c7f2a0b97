//! Local networks: the router that each lies behind, and how many devices are on it.

use super::Reader;
use crate::world::{Lan, Network};
use document::Table;
use std::collections::BTreeSet;

/// Devices for which the block of a LAN has addresses.
const MOST_DEVICES: u8 = 12;

impl<'d> Reader<'d> {
    pub(super) fn lans(&self, tables: &[Table<'d>], networks: &[Network]) -> Option<Vec<Lan>> {
        let mut routers = BTreeSet::new();
        let read = |table: &Table<'d>| {
            let written = (table.required("name"), table.required("router"));
            let devices = table.required("devices").number_in(1..=MOST_DEVICES);
            let name = written.0.text().and_then(|name| self.take(name.value, &name.span));
            let router = self.router(&written.1, networks);
            let lan = Lan { name: name?, router: router?, devices: devices?.value };
            if !routers.insert(lan.router) {
                self.document.fault(written.1.span(), "this router has a LAN already");
                return None;
            }
            let take = |number| self.take(&lan.device_name(number), &written.0.span()).map(drop);
            (0..lan.devices).try_for_each(take)?;
            Some(lan)
        };
        let lans: Vec<Option<Lan>> = tables.iter().map(read).collect();
        lans.into_iter().collect()
    }
}

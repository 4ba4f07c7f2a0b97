//! What a host says of its DNS service: the secrets that it knows, and the serial numbers of its zones.

use super::Said;
use crate::dns::Inventory;
use ::dns::Keyring;
use api::{FleetHost, HostZone};
use std::collections::BTreeMap;
use tokio::sync::watch;

/// Most zones that a host tells the others of: every change is a write to the store that all sites hear.
pub(super) const MOST_ZONES: usize = 256;

/// Where it comes from.
#[derive(Clone, Debug)]
pub(crate) struct DnsSaid {
    /// The secrets of cookies that this host has.
    pub(crate) keyring: watch::Receiver<Keyring>,
    /// The zones that it serves.
    pub(crate) inventory: watch::Receiver<Inventory>,
}

impl DnsSaid {
    /// Until there is something new to say. Where nobody is left who could have news, for ever.
    pub(super) async fn changed(&mut self) {
        let DnsSaid { keyring, inventory } = self;
        let news = tokio::select! {
            news = keyring.changed() => news,
            news = inventory.changed() => news,
        };
        if news.is_err() {
            std::future::pending().await
        }
    }

    /// The same of a host with this DNS service.
    pub(super) fn of(&mut self, said: Said) -> Said {
        let cookies = Some(self.keyring.borrow_and_update().number());
        let inventory = self.inventory.borrow_and_update();
        let served = inventory.values().flatten().filter_map(|(zone, stock)| Some((zone, (*stock)?)));
        let zones = served.take(MOST_ZONES).map(|(zone, stock)| HostZone {
            name: zone.to_string(),
            serial: stock.serial,
            behind: None,
        });
        Said { cookies, zones: zones.collect(), ..said }
    }
}

#[cfg(test)]
impl DnsSaid {
    /// Of a host without zones, which never has news.
    pub(crate) fn for_test() -> Self {
        let keyring = Keyring::new(7, ::dns::Secret([1; 16]), terms::WallTime(0));
        DnsSaid { keyring: watch::channel(keyring).1, inventory: watch::Sender::default().subscribe() }
    }
}

/// Says of every zone of every host how far it is behind the newest, in serial number arithmetic (RFC 1982).
pub(super) fn compare(hosts: &mut [FleetHost]) {
    let mut newest = BTreeMap::<String, u32>::new();
    for zone in hosts.iter().flat_map(|host| &host.zones) {
        let known = newest.entry(zone.name.clone()).or_insert(zone.serial);
        if (zone.serial.wrapping_sub(*known) as i32) > 0 {
            *known = zone.serial;
        }
    }
    for zone in hosts.iter_mut().flat_map(|host| &mut host.zones) {
        let newest = newest.get(&zone.name).copied().unwrap_or(zone.serial);
        zone.behind = Some(newest.wrapping_sub(zone.serial)).filter(|&behind| behind > 0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_zone_is_compared_with_the_newest() {
        let host = |site: &str, zones: &[(&str, u32)]| {
            let zones: Vec<_> = zones
                .iter()
                .map(|(name, serial)| serde_json::json!({ "name": name, "serial": serial }))
                .collect();
            let host = serde_json::json!({ "site": site, "host": site, "version": "1", "started": 1, "city": null,
                                           "at": null, "groups": [], "zones": zones });
            serde_json::from_value::<FleetHost>(host).unwrap()
        };
        let mut hosts = [
            host("london", &[("a.", 7), ("b.", u32::MAX)]),
            host("paris", &[("a.", 9), ("b.", 1)]),
            host("tokyo", &[("a.", 9), ("c.", 5)]),
        ];
        compare(&mut hosts);
        let behind: Vec<Vec<u32>> = hosts
            .iter()
            .map(|host| host.zones.iter().map(|zone| zone.behind.unwrap_or(0)).collect())
            .collect();
        assert_eq!(behind, [[2, 2], [0, 0], [0, 0]]);
    }
}

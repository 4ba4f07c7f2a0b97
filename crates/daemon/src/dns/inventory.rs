//! What zones are served, once a second: serial numbers, and until when their signatures are good.
//!
//! ```text
//!   zones of every server (latest) ──> take stock ──inventory (latest)──> check of the zones, status, metrics, fleet
//! ```

use super::{Tally, served};
use crate::clock::Clock;
use ::dns::{Zone, Zones};
use std::collections::BTreeMap;
use std::sync::{Arc, Weak};
use std::time::Duration;
use terms::{DomainName, ServiceName, WallTime};
use tokio::sync::watch;
use tokio::time::sleep;

const LOOK_EVERY: Duration = Duration::from_secs(1);

/// Every zone, by service and name; none where it cannot be served now.
pub(crate) type Inventory = BTreeMap<ServiceName, BTreeMap<DomainName, Option<Stock>>>;

/// How one zone stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Stock {
    pub(crate) serial: u32,
    /// When the first of its signatures ends; none if it has none.
    pub(crate) signatures_end: Option<WallTime>,
}

/// Keeps the inventory for as long as somebody looks at it.
pub(crate) async fn take_stock(
    tallies: watch::Receiver<Vec<Tally>>,
    clock: Clock,
    inventory: watch::Sender<Inventory>,
) {
    let mut known = Known::default();
    while !inventory.is_closed() {
        let served = served(&tallies.borrow());
        let now = known.count(&served, clock.wall());
        inventory.send_if_modified(|shown| {
            let changes = *shown != now;
            *shown = now;
            changes
        });
        sleep(LOOK_EVERY).await;
    }
}

/// Zones that were looked at before: to find the first end of a million signatures takes a while.
#[derive(Debug, Default)]
struct Known {
    /// By where the zone lies in memory, for as long as it does.
    ends: BTreeMap<usize, (Weak<Zone>, Option<WallTime>)>,
}

impl Known {
    fn count(&mut self, served: &BTreeMap<ServiceName, Arc<Zones>>, now: WallTime) -> Inventory {
        self.ends.retain(|_, (zone, _)| zone.strong_count() > 0);
        let mut inventory = Inventory::new();
        for (service, zones) in served {
            let stock = |zone: &Arc<Zone>| {
                let stock = Stock { serial: zone.serial(), signatures_end: self.end(zone, now) };
                (zone.apex().clone(), Some(stock))
            };
            let unavailable = zones.unavailable().map(|apex| (apex.clone(), None));
            inventory.insert(service.clone(), zones.iter().map(stock).chain(unavailable).collect());
        }
        inventory
    }

    fn end(&mut self, zone: &Arc<Zone>, now: WallTime) -> Option<WallTime> {
        let look = || (Arc::downgrade(zone), zone.signatures_end(now));
        self.ends.entry(Arc::as_ptr(zone) as usize).or_insert_with(look).1
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ::dns::zone;

    #[test]
    fn zones_are_counted_and_forgotten() {
        let text =
            |serial| format!("$ORIGIN a.\n@ 60 SOA ns h {serial} 1 1 1 1\n 60 NS ns\nns 60 A 192.0.2.1\n");
        let parsed = |serial: u32| Arc::new(zone::parse(&text(serial)).unwrap());
        let mut known = Known::default();
        let mut serials = |zone: Arc<Zone>| {
            let zones = Arc::new(Zones::new(vec![zone]).unwrap());
            let served = BTreeMap::from([("dns".parse().unwrap(), zones)]);
            let inventory = known.count(&served, WallTime(0));
            let stock = inventory.into_values().flatten();
            (
                stock.map(|(zone, stock)| (zone.to_string(), stock.unwrap().serial)).collect::<Vec<_>>(),
                known.ends.len(),
            )
        };
        assert_eq!(serials(parsed(1)), (vec![("a.".to_owned(), 1)], 1));
        assert_eq!(serials(parsed(7)), (vec![("a.".to_owned(), 7)], 1), "the first one is gone");
    }

    #[test]
    fn a_zone_that_cannot_be_served_is_counted_too() {
        let zones = Arc::new(Zones::with_unavailable(Vec::new(), vec!["gone.".parse().unwrap()]).unwrap());
        let served = BTreeMap::from([("dns".parse().unwrap(), zones)]);
        let inventory = Known::default().count(&served, WallTime(0));
        let of_service = inventory.into_values().next().unwrap();
        assert_eq!(of_service, BTreeMap::from([("gone.".parse().unwrap(), None)]));
    }
}

//! What zones are served, once a second: serial numbers, and until when their signatures are good.
//!
//! ```text
//!   zones of every server (latest) ──> take stock ──inventory (latest)──> check of the zones, status, metrics, fleet
//! ```

use super::served::Served;
use super::{Tally, served};
use crate::clock::Clock;
use ::dns::{SignatureEnds, Zone};
use std::collections::BTreeMap;
use std::sync::{Arc, Weak};
use std::time::Duration;
use terms::{DomainName, ServiceName, WallTime};
use tokio::sync::watch;
use tokio::task::spawn_blocking;
use tokio::time::sleep;

const LOOK_EVERY: Duration = Duration::from_secs(1);
/// Ends of signatures that are remembered of the image of a zone. A signer renews those that end first.
const ENDS: usize = 1000;

/// Every zone, by service and name; none where it cannot be served now. One that a catalog has listed lately is not there
/// before it has come: every site waits for it, and none is worse than another.
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
        // Every change makes another zone, and a look at all of a large one would keep this thread from its checks.
        let count = spawn_blocking(move || {
            let now = known.count(&served, clock.wall());
            (known, now)
        });
        let now;
        (known, now) = match count.await {
            Ok(counted) => counted,
            Err(panicked) if panicked.is_panic() => std::panic::resume_unwind(panicked.into_panic()),
            // The program ends.
            Err(_) => return,
        };
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
    ends: BTreeMap<(ServiceName, DomainName), Seen>,
}

/// What was seen of a zone.
#[derive(Debug)]
struct Seen {
    /// The version, for as long as it is served.
    version: Weak<Zone>,
    end: Option<WallTime>,
    /// Another version that lies over the same image is soon looked through.
    ends: SignatureEnds,
}

impl Known {
    fn count(&mut self, served: &BTreeMap<ServiceName, Arc<Served>>, now: WallTime) -> Inventory {
        let mut inventory = Inventory::new();
        for (service, served) in served {
            let zones = &served.zones;
            let stock = |zone: &Arc<Zone>| {
                let stock = Stock { serial: zone.serial(), signatures_end: self.end(service, zone, now) };
                (zone.apex().clone(), Some(stock))
            };
            let unavailable = zones.unavailable().filter(|apex| !served.awaited.contains(apex));
            let unavailable = unavailable.map(|apex| (apex.clone(), None));
            inventory.insert(service.clone(), zones.iter().map(stock).chain(unavailable).collect());
        }
        self.ends.retain(|(service, apex), _| {
            inventory.get(service).is_some_and(|zones| zones.contains_key(apex))
        });
        inventory
    }

    fn end(&mut self, service: &ServiceName, zone: &Arc<Zone>, now: WallTime) -> Option<WallTime> {
        if !zone.is_signed() {
            return None;
        }
        let new = || Seen { version: Weak::new(), end: None, ends: SignatureEnds::new(ENDS) };
        let seen = self.ends.entry((service.clone(), zone.apex().clone())).or_insert_with(new);
        if !std::ptr::eq(seen.version.as_ptr(), Arc::as_ptr(zone)) {
            (seen.version, seen.end) = (Arc::downgrade(zone), seen.ends.first(zone, now));
        }
        seen.end
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ::dns::{Zones, zone};
    use std::collections::BTreeSet;

    /// What is served, and what is waited for.
    fn served(zones: Zones, awaited: &[&str]) -> BTreeMap<ServiceName, Arc<Served>> {
        let served = Served {
            tap: None,
            zones: Arc::new(zones),
            keys: BTreeMap::new(),
            policies: Arc::default(),
            journals: BTreeMap::new(),
            bells: Arc::default(),
            comparing: BTreeSet::new(),
            awaited: awaited.iter().map(|name| name.parse().unwrap()).collect(),
            as_of: Default::default(),
        };
        BTreeMap::from([("dns".parse().unwrap(), Arc::new(served))])
    }

    #[test]
    fn zones_are_counted_and_forgotten() {
        let parsed = |serial: u32, end: u32| {
            let signature = format!("RRSIG SOA 13 1 60 20{end}0101000000 20200101000000 1 a. AAAA");
            let text = format!(
                "$ORIGIN a.\n@ 60 SOA ns.b. h.b. {serial} 1 1 1 1\n 60 NS ns.b.\n 60 NSEC a. SOA NS\n 60 {signature}\n"
            );
            Arc::new(zone::parse(&text).unwrap())
        };
        let mut known = Known::default();
        let mut count = |zones: Vec<Arc<Zone>>| {
            let inventory = known.count(&served(Zones::new(zones).unwrap(), &[]), WallTime(0));
            let stock = inventory.into_values().flatten();
            let year = |end: WallTime| 1970 + end.0 / 1000 / 31_556_952;
            let stock =
                stock.map(|(_, stock)| stock.map(|stock| (stock.serial, stock.signatures_end.map(year))));
            (stock.flatten().collect::<Vec<_>>(), known.ends.len())
        };
        assert_eq!(count(vec![parsed(1, 30)]), (vec![(1, Some(2030))], 1));
        assert_eq!(count(vec![parsed(7, 31)]), (vec![(7, Some(2031))], 1), "another version");
        assert_eq!(count(Vec::new()), (Vec::new(), 0), "the zone is gone");
    }

    #[test]
    fn a_zone_that_cannot_be_served_is_counted_too() {
        let names = vec!["gone.".parse().unwrap(), "new.".parse().unwrap()];
        let served = served(Zones::with_unavailable(Vec::new(), names).unwrap(), &["new."]);
        let inventory = Known::default().count(&served, WallTime(0));
        let of_service = inventory.into_values().next().unwrap();
        assert_eq!(of_service, BTreeMap::from([("gone.".parse().unwrap(), None)]), "not what nobody has yet");
    }
}

//! The orders that stand, on disk: who ordered what, when, until when and why. What was announced is never kept.
//!
//! They lie in the store of this machine, beside what the groups remember. If they cannot be read, no earlier order
//! stands, and an alarm stands until the next order is on disk.

use crate::clock;
use crate::event::{Event, Source};
use crate::events::Bus;
use crate::memory;
use ::fleet::{Embedded, Key, local};
use announce::Intent;
use api::IntentKind;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;
use terms::{GroupName, Reason, WallTime};

/// One order that stands about one group.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Standing {
    /// What, by whom and why; never [`Intent::Normal`].
    pub(crate) intent: Intent,
    /// When it was given.
    pub(crate) when: WallTime,
    /// Until when it stands; none: until another order.
    pub(crate) until: Option<WallTime>,
}

/// The orders that stand, by group.
pub(crate) type Orders = BTreeMap<GroupName, Standing>;

impl Standing {
    /// What is left of its time, by the clock on the wall: only a restart asks it.
    pub(crate) fn left(&self, now: WallTime) -> Option<Duration> {
        Some(clock::left(self.when, self.until?, now))
    }

    /// As the API shows it.
    pub(crate) fn shown(&self) -> api::Intent {
        let order = self.intent.order();
        api::Intent {
            kind: kind(&self.intent),
            who: order.map(|order| order.who.clone()),
            when: Some(self.when),
            until: self.until,
            reason: order.map(|order| order.reason.clone()),
        }
    }
}

/// The word for an intent.
pub(crate) fn kind(intent: &Intent) -> IntentKind {
    match intent {
        Intent::Normal => IntentKind::Normal,
        Intent::Drain(_) => IntentKind::Drain,
        Intent::Withdraw { .. } => IntentKind::Withdraw,
        Intent::Freeze(_) => IntentKind::Freeze,
        Intent::ForceAnnounce(_) => IntentKind::ForceAnnounce,
    }
}

/// The orders that still stand from the last process. What ran out while there was none is told.
pub(crate) async fn recall(store: Option<&Embedded>, now: WallTime, bus: &Bus) -> Orders {
    // Whoever opened the store has told why there is none.
    let Some(store) = store else { return Orders::new() };
    let mut orders: Orders = match local::recall(store, &Key::orders()).await {
        Ok(orders) => orders.unwrap_or_default(),
        Err(error) => {
            let (path, reason) = (PathBuf::from(memory::FILE), Reason::from(error.to_string()));
            bus.tell(&Event::OrdersUnreadable { path, reason }, Source::Process);
            return Orders::new();
        }
    };
    orders.retain(|group, standing| {
        let stands = standing.left(now).is_none_or(|left| !left.is_zero());
        if !stands {
            let order = Reason::from(standing.intent.to_string());
            bus.tell(&Event::OrderExpired { order }, Source::Group(group));
        }
        stands
    });
    orders
}

/// Keeps these orders and no others; when this returns they would survive a power cut.
pub(crate) async fn keep(store: Option<&Embedded>, orders: &Orders) -> Result<(), Reason> {
    let Some(store) = store else {
        return Err(Reason::from("the store of this machine could not be opened"));
    };
    local::keep(store, &Key::orders(), orders).await.map_err(|error| Reason::from(error.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::ORDERS_NOT_KEPT;
    use announce::Order;
    use serde_json::json;

    const NOON: u64 = 1_795_442_400_000;

    fn drain(until: Option<u64>) -> Orders {
        let order = Order { who: "alice".into(), reason: "kernel upgrade".into() };
        let standing =
            Standing { intent: Intent::Drain(order), when: WallTime(NOON), until: until.map(WallTime) };
        Orders::from([("dns".parse().unwrap(), standing)])
    }

    fn store() -> (tempfile::TempDir, Embedded) {
        let directory = tempfile::tempdir().unwrap();
        let store = memory::open(directory.path(), &Bus::for_test()).unwrap().unwrap();
        (directory, store)
    }

    #[tokio::test]
    async fn orders_are_recalled_as_they_were_given() {
        let ((_directory, store), bus) = (store(), Bus::for_test());
        let orders = drain(Some(NOON + 600_000));
        keep(Some(&store), &orders).await.unwrap();
        assert_eq!(recall(Some(&store), WallTime(NOON + 60_000), &bus).await, orders);
        assert_eq!(bus.latest(), []);
    }

    #[tokio::test]
    async fn an_order_that_ran_out_meanwhile_is_told_and_stands_no_longer() {
        let ((_directory, store), bus) = (store(), Bus::for_test());
        keep(Some(&store), &drain(Some(NOON + 1000))).await.unwrap();
        assert_eq!(recall(Some(&store), WallTime(NOON + 1000), &bus).await, Orders::new());
        assert_eq!(bus.latest()[0].kind, "order-expired");
    }

    #[test]
    fn a_wall_clock_that_was_set_neither_ends_an_order_before_its_time_nor_makes_it_longer() {
        let standing = drain(Some(NOON + 600_000)).into_values().next().unwrap();
        let left = |now: u64| standing.left(WallTime(now)).unwrap().as_secs();
        assert_eq!([left(NOON), left(NOON + 599_000), left(NOON + 600_000)], [600, 1, 0]);
        assert_eq!(left(NOON - 86_400_000), 600, "set back by a day");
        assert_eq!(drain(None).into_values().next().unwrap().left(WallTime(u64::MAX)), None);
    }

    #[tokio::test]
    async fn what_is_not_understood_alarms_until_the_next_order_is_kept_and_costs_the_orders_alone() {
        let unreadable = [
            json!(null),
            json!(7),
            json!({"dns": 7}),
            json!({"Dns": {}}),
            json!({"dns": {"intent": "Drown"}}),
        ];
        for content in unreadable {
            let ((_directory, store), bus) = (store(), Bus::for_test());
            local::keep(&store, &Key::orders(), &content).await.unwrap();
            local::keep(&store, &Key::memories(), &memory::Memories::new()).await.unwrap();
            assert_eq!(recall(Some(&store), WallTime(NOON), &bus).await, Orders::new());
            assert_eq!(bus.alarms()[0].kind, ORDERS_NOT_KEPT, "{content:?}");
            memory::recall(Some(&store), &bus).await;
            assert_eq!(bus.latest().len(), 1, "nothing else is lost");
            bus.tell(&Event::OrdersKept, Source::Process);
            assert_eq!(bus.alarms(), []);
        }
    }
}

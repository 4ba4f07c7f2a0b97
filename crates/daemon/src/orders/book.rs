//! The orders that stand, on disk: who ordered what, when, until when and why. What was announced is never kept.
//!
//! One small file under the state directory. If it cannot be read, no earlier order stands: the file is put aside for
//! people to look at, and an alarm stands until the next order is on disk.

use crate::event::{Event, Source};
use crate::events::Bus;
use crate::state_file;
use announce::Intent;
use api::IntentKind;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;
use terms::{GroupName, Reason, WallTime};

/// The file's name under the state directory.
const FILE: &str = "orders.json";

/// What an unreadable file is called afterwards.
const PUT_ASIDE: &str = "orders.json.unreadable";

const SCHEMA: u32 = 1;

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

#[derive(Serialize, Deserialize)]
struct Document {
    schema: u32,
    groups: Orders,
}

impl Standing {
    /// What is left of its time, by the clock on the wall: only a restart asks it. However that clock was set in the
    /// meantime, an order does not stand for longer than it was given for.
    pub(crate) fn left(&self, now: WallTime) -> Option<Duration> {
        let until = self.until?;
        let given = until.0.saturating_sub(self.when.0);
        Some(Duration::from_millis(until.0.saturating_sub(now.0).min(given)))
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
pub(crate) fn recall(state_dir: &Path, now: WallTime, bus: &Bus) -> Orders {
    let path = state_dir.join(FILE);
    let mut orders = match read(&path) {
        Ok(orders) => orders,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Orders::new(),
        Err(error) => {
            // Where it cannot be moved, the next order replaces it.
            let _ = std::fs::rename(&path, state_dir.join(PUT_ASIDE));
            let reason = Reason::from(error.to_string());
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

fn read(path: &Path) -> io::Result<Orders> {
    let document: Document = state_file::read(path)?;
    if document.schema != SCHEMA {
        return Err(io::Error::other(format!("schema {}, this daemon knows {SCHEMA}", document.schema)));
    }
    Ok(document.groups)
}

/// The file, for whoever may block.
#[derive(Clone, Debug)]
pub(crate) struct Book {
    state_dir: PathBuf,
}

impl Book {
    pub(crate) fn under(state_dir: &Path) -> Self {
        Book { state_dir: state_dir.to_owned() }
    }

    /// Where the orders are kept.
    pub(crate) fn path(&self) -> PathBuf {
        self.state_dir.join(FILE)
    }

    /// Keeps these orders and no others; returns once they would survive a power cut.
    pub(crate) fn write(&self, orders: &Orders) -> io::Result<()> {
        state_file::replace(&self.state_dir, FILE, &Document { schema: SCHEMA, groups: orders.clone() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::ORDERS_NOT_KEPT;
    use announce::Order;

    const NOON: u64 = 1_795_442_400_000;

    fn drain(until: Option<u64>) -> Orders {
        let order = Order { who: "alice".into(), reason: "kernel upgrade".into() };
        let standing =
            Standing { intent: Intent::Drain(order), when: WallTime(NOON), until: until.map(WallTime) };
        Orders::from([("dns".parse().unwrap(), standing)])
    }

    #[test]
    fn orders_are_recalled_as_they_were_given() {
        let (directory, bus) = (tempfile::tempdir().unwrap(), Bus::for_test());
        let orders = drain(Some(NOON + 600_000));
        Book::under(directory.path()).write(&orders).unwrap();
        assert_eq!(recall(directory.path(), WallTime(NOON + 60_000), &bus), orders);
        assert_eq!(bus.latest(), []);
    }

    #[test]
    fn an_order_that_ran_out_meanwhile_is_told_and_stands_no_longer() {
        let (directory, bus) = (tempfile::tempdir().unwrap(), Bus::for_test());
        Book::under(directory.path()).write(&drain(Some(NOON + 1000))).unwrap();
        assert_eq!(recall(directory.path(), WallTime(NOON + 1000), &bus), Orders::new());
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

    #[test]
    fn an_unreadable_file_is_put_aside_and_alarms_until_the_next_order_is_kept() {
        let unreadable: [&[u8]; 4] =
            [b"", b"\xff", b"{\"schema\":9,\"groups\":{}}", b"{\"schema\":1,\"groups\":7}"];
        for content in unreadable {
            let (directory, bus) = (tempfile::tempdir().unwrap(), Bus::for_test());
            std::fs::write(directory.path().join(FILE), content).unwrap();
            assert_eq!(recall(directory.path(), WallTime(NOON), &bus), Orders::new());
            assert_eq!(bus.alarms()[0].kind, ORDERS_NOT_KEPT, "{content:?}");
            assert_eq!(std::fs::read(directory.path().join(PUT_ASIDE)).unwrap(), content);
            bus.tell(&Event::OrdersKept, Source::Process);
            assert_eq!(bus.alarms(), []);
        }
    }
}

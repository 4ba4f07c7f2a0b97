//! What survives a restart: how often each group failed in a row and until when that costs, so that a daemon that is
//! started again does not forget its back-off. Never what was announced.
//!
//! It lies in the store of this machine, one file under the state directory that is whole after a crash. Operators'
//! orders lie there, too. A file that cannot be read costs both and nothing else: the daemon says so and starts
//! without them.

use crate::error::Error;
use crate::event::{Event, Source};
use crate::events::Bus;
use ::fleet::{Embedded, Key, OpenError, Opened, local};
use announce::Memory;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;
use terms::{GroupName, Reason, WallTime};
use tokio::sync::watch;

/// The file's name under the state directory.
pub(crate) const FILE: &str = "state.redb";

/// What each group remembers.
pub(crate) type Memories = BTreeMap<GroupName, Kept>;

/// What one group remembers, with the wall's time, which the next process can read, too.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Kept {
    failures: u32,
    /// When the back-off is over. A file that does not say it costs the failures alone.
    #[serde(default)]
    back_off_until: WallTime,
}

impl Kept {
    /// What is to be kept of this, which is so now.
    pub(crate) fn new(memory: Memory, now: WallTime) -> Self {
        let left = u64::try_from(memory.back_off_left.as_millis()).unwrap_or(u64::MAX);
        Kept { failures: memory.failures, back_off_until: WallTime(now.0.saturating_add(left)) }
    }

    /// What is left of it now. A clock that was set back makes the wait longer; how long it can be, the machine
    /// bounds.
    pub(crate) fn memory(self, now: WallTime) -> Memory {
        let left = self.back_off_until.0.saturating_sub(now.0);
        Memory { failures: self.failures, back_off_left: Duration::from_millis(left) }
    }
}

/// Opens the store of this machine. One that another daemon uses ends the start, because two daemons would announce
/// the same; one that cannot be opened is told, and nothing is remembered, no order either.
pub(crate) fn open(state_dir: &Path, bus: &Bus) -> Result<Option<Embedded>, Error> {
    let path = state_dir.join(FILE);
    match Embedded::open(&path) {
        Ok(Opened { store, damaged }) => {
            if let Some((reason, path)) = damaged {
                let (orders, why) = (path.clone(), reason.clone());
                bus.tell(&Event::OrdersUnreadable { path: orders, reason: why }, Source::Process);
                bus.tell(&Event::MemoryUnreadable { path, reason }, Source::Process);
            }
            Ok(Some(store))
        }
        Err(error @ OpenError::InUse(_)) => Err(Error::State(error)),
        Err(OpenError::Stuck { reason, .. } | OpenError::Refused { reason, .. }) => {
            let (orders, why) = (path.clone(), reason.clone());
            bus.tell(&Event::OrdersUnwritable { path: orders, reason: why }, Source::Process);
            bus.tell(&Event::MemoryUnwritable { path, reason }, Source::Process);
            Ok(None)
        }
    }
}

/// What the last process remembered; nothing when there was none or it is not understood, which is told.
pub(crate) async fn recall(store: Option<&Embedded>, bus: &Bus) -> Memories {
    let Some(store) = store else { return Memories::new() };
    match local::recall(store, &Key::memories()).await {
        Ok(memories) => memories.unwrap_or_default(),
        Err(error) => {
            let reason = Reason::from(error.to_string());
            bus.tell(&Event::MemoryUnreadable { path: FILE.into(), reason }, Source::Process);
            Memories::new()
        }
    }
}

/// Writes what is to be remembered whenever it changes, until nobody is left who could change it.
pub(crate) async fn keep(store: Option<Embedded>, mut memories: watch::Receiver<Memories>, bus: Bus) {
    while memories.changed().await.is_ok() {
        let latest = memories.borrow_and_update().clone();
        let Some(store) = &store else { continue };
        if let Err(error) = local::keep(store, &Key::memories(), &latest).await {
            let reason = Reason::from(error.to_string());
            bus.tell(&Event::MemoryUnwritable { path: FILE.into(), reason }, Source::Process);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::ORDERS_NOT_KEPT;

    fn failed(times: u32) -> Memories {
        let memory = Memory { failures: times, back_off_left: Duration::from_secs(5) };
        Memories::from([("dns".parse().unwrap(), Kept::new(memory, WallTime(1_000)))])
    }

    #[tokio::test]
    async fn what_was_kept_is_recalled_by_the_next_process() {
        let directory = tempfile::tempdir().unwrap();
        let state_dir = directory.path().join("made/when/missing");
        let (sender, receiver) = watch::channel(Memories::new());
        let bus = Bus::for_test();
        let store = open(&state_dir, &bus).unwrap();
        let keeping = tokio::spawn(keep(store, receiver, bus.clone()));
        sender.send_replace(failed(3));
        drop(sender);
        keeping.await.unwrap();
        let store = open(&state_dir, &bus).unwrap();
        assert_eq!(recall(store.as_ref(), &bus).await, failed(3));
        assert_eq!(bus.latest(), []);
    }

    #[tokio::test]
    async fn a_damaged_file_is_told_and_costs_nothing_but_the_back_off_and_the_orders() {
        let directory = tempfile::tempdir().unwrap();
        let bus = Bus::for_test();
        std::fs::write(directory.path().join(FILE), "no store").unwrap();
        let store = open(directory.path(), &bus).unwrap();
        assert_eq!(recall(store.as_ref(), &bus).await, Memories::new());
        assert_eq!(bus.latest().len(), 2);
        assert_eq!(bus.alarms()[0].kind, ORDERS_NOT_KEPT);
    }

    #[tokio::test]
    async fn what_is_not_understood_is_told() {
        let directory = tempfile::tempdir().unwrap();
        let bus = Bus::for_test();
        let store = open(directory.path(), &bus).unwrap();
        local::keep(store.as_ref().unwrap(), &Key::memories(), &"words").await.unwrap();
        assert_eq!(recall(store.as_ref(), &bus).await, Memories::new());
        assert_eq!(bus.latest().len(), 1);
    }

    #[tokio::test]
    async fn a_state_directory_that_cannot_be_is_told_and_the_daemon_lives() {
        let directory = tempfile::tempdir().unwrap();
        let blocked = directory.path().join("blocked");
        std::fs::write(&blocked, "a file where a directory should be").unwrap();
        let bus = Bus::for_test();
        let store = open(&blocked, &bus).unwrap();
        assert!(store.is_none());
        assert_eq!(recall(store.as_ref(), &bus).await, Memories::new());
        assert_eq!(bus.latest().len(), 2);
        assert_eq!(bus.alarms()[0].kind, ORDERS_NOT_KEPT);
    }

    #[test]
    fn a_second_daemon_on_the_same_directory_is_refused() {
        let directory = tempfile::tempdir().unwrap();
        let bus = Bus::for_test();
        let _first = open(directory.path(), &bus).unwrap();
        assert!(matches!(open(directory.path(), &bus), Err(Error::State(OpenError::InUse(_)))));
    }

    #[test]
    fn the_time_between_two_processes_is_taken_off_the_back_off() {
        let kept = Kept::new(Memory { failures: 2, back_off_left: Duration::from_secs(10) }, WallTime(1_000));
        let left = |now| kept.memory(WallTime(now)).back_off_left.as_millis();
        assert_eq!([1_000, 4_000, 11_000, 900_000].map(left), [10_000, 7_000, 0, 0]);
    }
}

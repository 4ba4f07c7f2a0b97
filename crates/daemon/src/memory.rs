//! What survives a restart: how often each group failed in a row and until when that costs, so that a daemon that is
//! started again does not forget its back-off. Never what was announced.
//!
//! One small file under the state directory. A file that cannot be read costs the back-off and nothing else: the daemon
//! says so and starts without it.

use crate::event::{Event, Source};
use crate::events::Bus;
use crate::state_file;
use announce::Memory;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;
use terms::{GroupName, Reason, WallTime};
use tokio::sync::watch;

/// The file's name under the state directory.
const FILE: &str = "memory.json";

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

#[derive(Serialize, Deserialize)]
struct Document {
    schema: u32,
    groups: Memories,
}

const SCHEMA: u32 = 1;

/// What the last process remembered; nothing when there was none or its file is unusable, which is told.
pub(crate) fn recall(state_dir: &Path, bus: &Bus) -> Memories {
    let path = state_dir.join(FILE);
    match read(&path) {
        Ok(memories) => memories,
        Err(error) if error.kind() == io::ErrorKind::NotFound => Memories::new(),
        Err(error) => {
            let reason = Reason::from(error.to_string());
            bus.tell(&Event::MemoryUnreadable { path, reason }, Source::Process);
            Memories::new()
        }
    }
}

fn read(path: &Path) -> io::Result<Memories> {
    let document: Document = state_file::read(path)?;
    if document.schema != SCHEMA {
        return Err(io::Error::other(format!("schema {}, this daemon knows {SCHEMA}", document.schema)));
    }
    Ok(document.groups)
}

fn write(state_dir: &Path, memories: &Memories) -> io::Result<()> {
    state_file::replace(state_dir, FILE, &Document { schema: SCHEMA, groups: memories.clone() })
}

/// Writes what is to be remembered whenever it changes, until nobody is left who could change it.
pub(crate) async fn keep(state_dir: PathBuf, mut memories: watch::Receiver<Memories>, bus: Bus) {
    while memories.changed().await.is_ok() {
        let (latest, directory) = (memories.borrow_and_update().clone(), state_dir.clone());
        let written = tokio::task::spawn_blocking(move || write(&directory, &latest)).await;
        if let Err(error) = written.unwrap_or_else(|broken| Err(io::Error::other(broken))) {
            let (path, reason) = (state_dir.join(FILE), Reason::from(error.to_string()));
            bus.tell(&Event::MemoryUnwritable { path, reason }, Source::Process);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
        let keeping = tokio::spawn(keep(state_dir.clone(), receiver, bus.clone()));
        sender.send_replace(failed(3));
        drop(sender);
        keeping.await.unwrap();
        assert_eq!(recall(&state_dir, &bus), failed(3));
        assert_eq!(bus.latest(), []);
    }

    #[test]
    fn an_unusable_file_is_told_and_costs_nothing_but_the_back_off() {
        let directory = tempfile::tempdir().unwrap();
        let bus = Bus::for_test();
        let unusable: [&[u8]; 5] = [
            b"",
            b"\xff\xfe",
            b"{\"schema\":2,\"groups\":{}}",
            b"{\"schema\":1,\"groups\":{\"dns\":{\"failures\":-1}}}",
            b"[",
        ];
        for (told, content) in (1..).zip(unusable) {
            std::fs::write(directory.path().join(FILE), content).unwrap();
            assert_eq!(recall(directory.path(), &bus), Memories::new());
            assert_eq!(bus.latest().len(), told, "{content:?}");
        }
    }

    #[test]
    fn the_time_between_two_processes_is_taken_off_the_back_off() {
        let kept = Kept::new(Memory { failures: 2, back_off_left: Duration::from_secs(10) }, WallTime(1_000));
        let left = |now| kept.memory(WallTime(now)).back_off_left.as_millis();
        assert_eq!([1_000, 4_000, 11_000, 900_000].map(left), [10_000, 7_000, 0, 0]);
    }

    #[test]
    fn a_file_of_an_earlier_daemon_is_read() {
        let document: Document =
            serde_json::from_str(r#"{"schema":1,"groups":{"dns":{"failures":3}}}"#).unwrap();
        let memory = document.groups.values().next().unwrap().memory(WallTime(5));
        assert_eq!(memory, Memory { failures: 3, back_off_left: Duration::ZERO });
    }

    #[test]
    fn a_first_start_has_nothing_to_recall_and_nothing_to_tell() {
        let directory = tempfile::tempdir().unwrap();
        let bus = Bus::for_test();
        assert_eq!(recall(directory.path(), &bus), Memories::new());
        assert_eq!(bus.latest(), []);
    }

    #[test]
    fn a_write_that_fails_leaves_the_old_file() {
        let directory = tempfile::tempdir().unwrap();
        write(directory.path(), &failed(1)).unwrap();
        let blocked = directory.path().join("blocked");
        std::fs::write(&blocked, "a file where a directory should be").unwrap();
        assert!(write(&blocked, &failed(2)).is_err());
        assert_eq!(read(&directory.path().join(FILE)).unwrap(), failed(1));
    }
}

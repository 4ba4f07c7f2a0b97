//! What survives a restart: how often each group failed in a row, so that a daemon that is started again does not
//! forget its back-off. Never what was announced.
//!
//! One small file under the state directory, replaced in one step, so that a reader finds the old or the new one. A
//! file that cannot be read costs the back-off and nothing else: the daemon says so and starts without it.

use crate::event::{Event, Source};
use crate::events::Bus;
use announce::Memory;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use terms::{GroupName, Reason};
use tokio::sync::watch;

/// The file's name under the state directory.
const FILE: &str = "memory.json";

/// Most octets that are read of it; thousands of groups fit.
const LIMIT: u64 = 1 << 20;

/// What each group remembers.
pub(crate) type Memories = BTreeMap<GroupName, Memory>;

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
    let mut text = String::new();
    std::fs::File::open(path)?.take(LIMIT).read_to_string(&mut text)?;
    let document: Document = serde_json::from_str(&text)?;
    if document.schema != SCHEMA {
        return Err(io::Error::other(format!("schema {}, this daemon knows {SCHEMA}", document.schema)));
    }
    Ok(document.groups)
}

fn write(state_dir: &Path, memories: &Memories) -> io::Result<()> {
    std::fs::create_dir_all(state_dir)?;
    let mut file = tempfile::NamedTempFile::new_in(state_dir)?;
    serde_json::to_writer(&mut file, &Document { schema: SCHEMA, groups: memories.clone() })?;
    file.write_all(b"\n")?;
    file.as_file().sync_all()?;
    file.persist(state_dir.join(FILE))?;
    // The name is on disk only once the directory is.
    std::fs::File::open(state_dir)?.sync_all()
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
        Memories::from([("dns".parse().unwrap(), Memory { failures: times })])
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

//! How long the processes of a world waited for a processor.
//!
//! The kernel counts it for every thread in `/proc/PID/task/TID/schedstat`: time on a processor, time spent ready and
//! waiting, both in nanoseconds, and the number of turns. A sleeping thread waits for nothing, so a program that is
//! slow by itself leaves no trace here.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// The waiting of each thread so far.
#[derive(Debug)]
pub(crate) struct RunDelay {
    proc: PathBuf,
    /// A process that is not counted: the lab, whose lateness is measured where it matters.
    without: u32,
    waited: BTreeMap<(u32, u32), u64>,
}

impl RunDelay {
    /// Counts the processes of this `/proc` from now on, but for one.
    pub(crate) fn of(proc: &Path, without: u32) -> Self {
        let mut delay = RunDelay { proc: proc.to_owned(), without, waited: BTreeMap::new() };
        delay.since_last();
        delay
    }

    /// What was waited since this was asked last: of each process the thread that waited longest, added up, because
    /// news passes through the processes one after the other. A process that came since then counts from its start.
    pub(crate) fn since_last(&mut self) -> Duration {
        let mut waited = BTreeMap::new();
        let mut total = 0;
        for process in numbers(&self.proc).filter(|process| *process != self.without) {
            let mut worst = 0;
            let tasks = self.proc.join(process.to_string()).join("task");
            for thread in numbers(&tasks) {
                let Some(now) = waiting(&tasks.join(thread.to_string()).join("schedstat")) else { continue };
                let before = self.waited.get(&(process, thread)).copied().unwrap_or_default();
                worst = worst.max(now.saturating_sub(before));
                waited.insert((process, thread), now);
            }
            total += worst;
        }
        self.waited = waited;
        Duration::from_nanos(total)
    }
}

/// Names in a directory that are numbers. A process that ends meanwhile is no error: it waits no more.
fn numbers(directory: &Path) -> impl Iterator<Item = u32> {
    let entries = fs::read_dir(directory).into_iter().flatten().flatten();
    entries.filter_map(|entry| entry.file_name().to_str()?.parse().ok())
}

/// The second number of a `schedstat`.
fn waiting(file: &Path) -> Option<u64> {
    fs::read_to_string(file).ok()?.split_ascii_whitespace().nth(1)?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn thread(proc: &Path, process: u32, thread: u32, waited: u64) {
        let directory = proc.join(format!("{process}/task/{thread}"));
        fs::create_dir_all(&directory).unwrap();
        fs::write(directory.join("schedstat"), format!("123456 {waited} 17\n")).unwrap();
    }

    #[test]
    fn the_worst_thread_of_each_process_counts() {
        let proc = tempfile::tempdir().unwrap();
        fs::create_dir_all(proc.path().join("self")).unwrap();
        thread(proc.path(), 1, 1, 1_000_000);
        thread(proc.path(), 7, 7, 5_000);
        thread(proc.path(), 7, 8, 9_000);
        let mut delay = RunDelay::of(proc.path(), 1);
        assert_eq!(delay.since_last(), Duration::ZERO, "what was before does not count");
        thread(proc.path(), 1, 1, 9_000_000);
        thread(proc.path(), 7, 7, 6_000);
        thread(proc.path(), 7, 8, 9_300);
        thread(proc.path(), 9, 9, 400);
        assert_eq!(delay.since_last(), Duration::from_nanos(1_000 + 400));
        fs::remove_dir_all(proc.path().join("7")).unwrap();
        assert_eq!(delay.since_last(), Duration::ZERO, "who is gone waits no more");
    }

    #[test]
    fn this_machine_counts() {
        let mut delay = RunDelay::of(Path::new("/proc"), 0);
        delay.since_last();
        assert!(!delay.waited.is_empty());
    }
}

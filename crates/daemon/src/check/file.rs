//! Looks at a file.

use crate::clock::Clock;
use check::Finding;
use check::file::{Expectation, Facts, Version};
use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::UNIX_EPOCH;
use terms::{Verdict, WallTime};
use tokio::sync::Semaphore;

#[derive(Debug)]
pub(crate) struct Asker {
    path: Arc<PathBuf>,
    expectation: Expectation,
    clock: Clock,
    last: Mutex<Option<Version>>,
    /// One look at a time: on a file system that hangs, they would otherwise pile up.
    turn: Arc<Semaphore>,
}

/// What a look at a file shows.
enum Look {
    Missing,
    NoFile,
    File { modified: WallTime, content: Vec<u8> },
}

impl Asker {
    pub(super) fn new(path: PathBuf, expectation: Expectation, clock: Clock) -> Self {
        let turn = Arc::new(Semaphore::new(1));
        Asker { path: Arc::new(path), expectation, clock, last: Mutex::default(), turn }
    }

    /// One look.
    pub(super) async fn ask(&self) -> io::Result<Finding> {
        let Ok(turn) = Arc::clone(&self.turn).try_acquire_owned() else {
            return Ok(Verdict::timeout("the last look at the file still hangs").into());
        };
        let (path, wants_content) = (Arc::clone(&self.path), self.expectation.contains.is_some());
        let look = tokio::task::spawn_blocking(move || {
            let _turn = turn;
            look(&path, wants_content)
        });
        let look = look.await.map_err(io::Error::other)??;
        let facts = match &look {
            Look::Missing => Facts::Missing,
            Look::NoFile => Facts::NoFile,
            Look::File { modified, content } => Facts::File { modified: *modified, content },
        };
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        Ok(self.expectation.judge(&facts, &mut last, self.clock.now(), self.clock.wall()))
    }
}

fn look(path: &Path, wants_content: bool) -> io::Result<Look> {
    let metadata = match std::fs::metadata(path) {
        Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => {
            return Ok(Look::Missing);
        }
        metadata => metadata?,
    };
    // Opening another thing, such as a pipe, could wait for ever.
    if !metadata.is_file() {
        return Ok(Look::NoFile);
    }
    let since_1970 = metadata.modified()?.duration_since(UNIX_EPOCH).unwrap_or_default();
    let modified = WallTime(u64::try_from(since_1970.as_millis()).unwrap_or(u64::MAX));
    let mut content = Vec::new();
    if wants_content {
        File::open(path)?.take(Expectation::LONGEST as u64).read_to_end(&mut content)?;
    }
    Ok(Look::File { modified, content })
}

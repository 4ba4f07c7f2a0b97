//! The writer's thread: numbers the lines, writes them, and begins a new file when one is full.

use std::fs::{File, OpenOptions};
use std::io::{self, BufWriter, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, TryRecvError};

use crate::{Header, Trouble};

/// What waits for the writer.
#[derive(Debug)]
pub(crate) enum Entry {
    /// A JSON object for the file of that number.
    Line { file: u64, line: Vec<u8> },
    /// Nothing more is to be written.
    Close,
}

/// The files.
#[derive(Debug)]
pub(crate) struct Writer {
    path: PathBuf,
    limit: u64,
    header: Vec<u8>,
    file: BufWriter<File>,
    /// The number of the file, and its octets so far.
    number: u64,
    octets: u64,
    seq: u64,
    /// The number of the file that is wanted.
    wanted: Arc<AtomicU64>,
    lost: Arc<AtomicU64>,
    lost_told: u64,
}

impl Writer {
    pub(crate) fn create(
        path: &Path,
        limit: u64,
        header: &Header,
        wanted: Arc<AtomicU64>,
        lost: Arc<AtomicU64>,
    ) -> io::Result<Self> {
        let mut header = serde_json::to_vec(header)?;
        header.push(b'\n');
        let mut file = begin_file(path)?;
        file.write_all(&header)?;
        file.flush()?;
        Ok(Writer {
            path: path.to_owned(),
            limit,
            file,
            number: wanted.load(Ordering::Relaxed),
            octets: header.len() as u64,
            header,
            seq: 0,
            wanted,
            lost,
            lost_told: 0,
        })
    }

    /// Writes until there is nothing more to come, or the disk fails.
    pub(crate) fn run(mut self, queue: &Receiver<Entry>, mut tell: impl FnMut(Trouble)) {
        loop {
            match self.next(queue) {
                Ok(Some((number, line))) => {
                    if let Err(error) = self.write(number, &line) {
                        return tell(Trouble::Ended { path: self.path, error });
                    }
                }
                Ok(None) => return,
                Err(error) => return tell(Trouble::Ended { path: self.path, error }),
            }
            let lines = self.lost.load(Ordering::Relaxed);
            if lines > self.lost_told {
                self.lost_told = lines;
                tell(Trouble::Lost { lines });
            }
        }
    }

    /// The next line; before waiting for it, what is written goes to the kernel, which outlives this process.
    fn next(&mut self, queue: &Receiver<Entry>) -> io::Result<Option<(u64, Vec<u8>)>> {
        let entry = match queue.try_recv() {
            Ok(entry) => Some(entry),
            Err(TryRecvError::Empty) => {
                self.file.flush()?;
                queue.recv().ok()
            }
            Err(TryRecvError::Disconnected) => None,
        };
        match entry {
            Some(Entry::Line { file, line }) => Ok(Some((file, line))),
            Some(Entry::Close) | None => self.file.flush().map(|()| None),
        }
    }

    fn write(&mut self, number: u64, line: &[u8]) -> io::Result<()> {
        if number > self.number {
            self.file.flush()?;
            self.file = begin_file(&self.path)?;
            self.file.write_all(&self.header)?;
            self.octets = self.header.len() as u64;
            self.number = number;
        }
        // A line for the file before can be overtaken by one for this file. Its machine begins anew here, so the
        // line is not missed.
        if number < self.number {
            return Ok(());
        }
        self.seq += 1;
        let head = format!("{{\"seq\":{},", self.seq);
        let rest = line.strip_prefix(b"{").unwrap_or(line);
        for part in [head.as_bytes(), rest, b"\n"] {
            self.file.write_all(part)?;
            self.octets += part.len() as u64;
        }
        if self.octets >= self.limit {
            self.wanted.store(self.number + 1, Ordering::Relaxed);
        }
        Ok(())
    }
}

/// An empty file that only this user can read; the one that was there is kept beside it.
fn begin_file(path: &Path) -> io::Result<BufWriter<File>> {
    match std::fs::rename(path, path.with_added_extension("1")) {
        Ok(()) => {}
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        Err(error) => return Err(error),
    }
    let file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
    Ok(BufWriter::new(file))
}

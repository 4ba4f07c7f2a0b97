//! Results as files. A place that cannot be written is found before a world is started, not after its story.

use crate::replay::History;
use serde::{Deserialize, Serialize};
use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::{Path, PathBuf};

/// A result cannot be written.
#[derive(Debug, thiserror::Error)]
#[error("cannot write {}: {error}", .path.display())]
pub struct WriteError {
    /// Where to.
    pub path: PathBuf,
    /// What the system said.
    pub error: io::Error,
}

/// The files into which a history goes.
#[derive(Clone, Debug, Default)]
pub struct HistoryFiles {
    /// As one JSON document.
    pub json: Option<PathBuf>,
    /// As a page that shows it again.
    pub html: Option<PathBuf>,
}

impl HistoryFiles {
    pub(crate) fn open(&self) -> Result<Vec<(Form, Output)>, WriteError> {
        let wanted = [(Form::Json, &self.json), (Form::Html, &self.html)];
        let wanted = wanted.into_iter().filter_map(|(form, path)| Some((form, path.as_deref()?)));
        wanted.map(|(form, path)| Ok((form, Output::open(path)?))).collect()
    }
}

/// A file that waits for a result.
#[derive(Debug)]
pub(crate) struct Output {
    path: PathBuf,
    file: File,
}

impl Output {
    /// Opens it, and makes it where there is none. What is in it stays until there is something better.
    pub(crate) fn open(path: &Path) -> Result<Self, WriteError> {
        match OpenOptions::new().write(true).create(true).truncate(false).open(path) {
            Ok(file) => Ok(Output { path: path.to_owned(), file }),
            Err(error) => Err(WriteError { path: path.to_owned(), error }),
        }
    }

    /// The file that was opened in another process under this path.
    pub(crate) fn handed_over(path: PathBuf, file: OwnedFd) -> Self {
        Output { path, file: file.into() }
    }

    /// The path under which it was opened.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Puts a text in the place of what was there.
    pub(crate) fn write_with(&self, text: impl FnOnce() -> io::Result<Vec<u8>>) -> Result<(), WriteError> {
        let written = text().and_then(|text| self.replace(&text));
        written.map_err(|error| WriteError { path: self.path.clone(), error })
    }

    fn replace(&self, text: &[u8]) -> io::Result<()> {
        // A pipe or a terminal has nothing in it that could be replaced.
        if self.file.metadata()?.is_file() {
            self.file.set_len(0)?;
        }
        (&self.file).write_all(text)
    }
}

impl AsFd for Output {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.file.as_fd()
    }
}

/// What a history is written as.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Form {
    /// One JSON document.
    Json,
    /// The page with the document inside.
    Html,
}

impl Form {
    /// The text of the file.
    pub(crate) fn text(self, history: &History) -> io::Result<Vec<u8>> {
        match self {
            Form::Json => {
                let mut text = serde_json::to_vec(history)?;
                text.push(b'\n');
                Ok(text)
            }
            Form::Html => page::replay(history),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_new_result_takes_the_place_of_the_old_one() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("out");
        std::fs::write(&path, "a long old result").unwrap();
        let output = Output::open(&path).unwrap();
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "a long old result");
        output.write_with(|| Ok(b"new".to_vec())).unwrap();
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "new");
    }

    #[test]
    fn a_place_that_is_not_there_is_named() {
        let error = Output::open(Path::new("/no/such/place")).unwrap_err().to_string();
        assert!(error.starts_with("cannot write /no/such/place: No such file"), "{error}");
    }
}

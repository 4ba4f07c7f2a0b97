//! What went wrong, and what was being done.

use std::fmt;
use std::io;

/// A system call that failed: what was tried, and what the kernel answered.
#[derive(Debug, thiserror::Error)]
#[error("cannot {attempt}: {source}")]
pub struct Error {
    attempt: String,
    source: io::Error,
}

/// The result of a system call.
pub type Result<T> = std::result::Result<T, Error>;

impl Error {
    /// An error met while trying to `attempt`, such as "add 198.18.0.53/32 to lo".
    pub fn new(attempt: impl fmt::Display, source: impl Into<io::Error>) -> Self {
        Error { attempt: attempt.to_string(), source: source.into() }
    }

    /// The kernel's answer.
    pub fn kind(&self) -> io::ErrorKind {
        self.source.kind()
    }

    /// The kernel's answer as a number (`errno`), if it was one.
    pub fn errno(&self) -> Option<i32> {
        self.source.raw_os_error()
    }
}

impl From<Error> for io::Error {
    fn from(error: Error) -> io::Error {
        io::Error::new(error.kind(), error)
    }
}

/// Adds to any error of the standard library or of `nix` what was being tried.
pub(crate) trait Attempt<T> {
    /// The words are only made when they are needed.
    fn attempt<D: fmt::Display>(self, attempt: impl FnOnce() -> D) -> Result<T>;
}

impl<T, E: Into<io::Error>> Attempt<T> for std::result::Result<T, E> {
    fn attempt<D: fmt::Display>(self, attempt: impl FnOnce() -> D) -> Result<T> {
        self.map_err(|source| Error::new(attempt(), source))
    }
}

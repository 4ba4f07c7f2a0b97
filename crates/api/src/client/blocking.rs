//! The same client for a command that has nothing else to do while it waits.

use super::{ClientError, Server};
use crate::Live;
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::io;
use std::path::PathBuf;
use std::time::Duration;
use tokio::runtime::{Builder, Runtime};

/// Asks the server behind one socket and waits for it. Not for use inside a tokio runtime.
pub struct Client {
    inner: super::Client,
    runtime: Runtime,
}

impl Client {
    /// A client of the daemon or lab whose socket this is. Fails only where the system has no descriptors left.
    pub fn of(server: Server, socket: impl Into<PathBuf>) -> io::Result<Self> {
        let runtime = Builder::new_current_thread().enable_all().build()?;
        Ok(Client { inner: super::Client::of(server, socket), runtime })
    }

    /// The same client, for requests that take the server longer than [`PATIENCE`](super::PATIENCE).
    pub fn patient(self, patience: Duration) -> Self {
        Client { inner: self.inner.patient(patience), ..self }
    }

    /// The document at `path`.
    pub fn get<T: DeserializeOwned>(&self, path: &str) -> Result<T, ClientError> {
        self.runtime.block_on(self.inner.get(path))
    }

    /// Sends `body` to `path`; the document that comes back.
    pub fn post<T: DeserializeOwned>(&self, path: &str, body: &impl Serialize) -> Result<T, ClientError> {
        self.runtime.block_on(self.inner.post(path, body))
    }

    /// The rows at `path`, as they come, until the server ends them.
    pub fn follow<T: DeserializeOwned>(
        &self,
        path: &str,
    ) -> Result<impl Iterator<Item = Result<T, ClientError>>, ClientError> {
        let mut rows = self.runtime.block_on(self.inner.follow(path))?;
        Ok(std::iter::from_fn(move || self.runtime.block_on(rows.next()).transpose()))
    }

    /// The messages of the live stream, as they come, until the server ends them.
    pub fn live(self) -> Result<impl Iterator<Item = Result<Live, ClientError>>, ClientError> {
        let mut messages = self.runtime.block_on(self.inner.live())?;
        Ok(std::iter::from_fn(move || self.runtime.block_on(messages.next()).transpose()))
    }
}

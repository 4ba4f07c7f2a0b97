//! A stream of JSON rows, one a line.

use super::lines::Lines;
use super::{ClientError, MAX_ROW};
use hyper::body::Incoming;
use serde::de::DeserializeOwned;
use std::marker::PhantomData;

/// Rows as they come.
pub struct Rows<T> {
    lines: Lines,
    row: PhantomData<fn() -> T>,
}

impl<T: DeserializeOwned> Rows<T> {
    pub(super) fn of(path: &str, body: Incoming) -> Self {
        Rows { lines: Lines::of(path, body, MAX_ROW), row: PhantomData }
    }

    /// Waits for the next row; none when the server ended the stream. A row that is cut off by the end is dropped.
    pub async fn next(&mut self) -> Result<Option<T>, ClientError> {
        while let Some(line) = self.lines.next().await? {
            if !line.trim_ascii().is_empty() {
                let row = serde_json::from_slice(&line);
                return row.map(Some).map_err(|error| self.lines.not_understood(error));
            }
        }
        Ok(None)
    }
}

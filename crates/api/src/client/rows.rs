//! A stream of JSON rows, one a line.

use super::{ClientError, MAX_ROW};
use http_body_util::BodyExt;
use hyper::body::Incoming;
use serde::de::DeserializeOwned;
use std::marker::PhantomData;

/// Rows as they come.
pub struct Rows<T> {
    path: String,
    body: Incoming,
    /// What came and was not yet handed out; shorter than [`MAX_ROW`] plus one frame.
    buffer: Vec<u8>,
    row: PhantomData<fn() -> T>,
}

impl<T: DeserializeOwned> Rows<T> {
    pub(super) fn of(path: &str, body: Incoming) -> Self {
        Rows { path: path.to_owned(), body, buffer: Vec::new(), row: PhantomData }
    }

    /// Waits for the next row; none when the server ended the stream. A row that is cut off by the end is dropped.
    pub async fn next(&mut self) -> Result<Option<T>, ClientError> {
        loop {
            if let Some(end) = self.buffer.iter().position(|&byte| byte == b'\n') {
                let line: Vec<u8> = self.buffer.drain(..=end).collect();
                if line.trim_ascii().is_empty() {
                    continue;
                }
                let not_understood = |error| ClientError::NotUnderstood { path: self.path.clone(), error };
                return serde_json::from_slice(&line).map(Some).map_err(not_understood);
            }
            if self.buffer.len() > MAX_ROW {
                return Err(self.broken(format!("a row is longer than {MAX_ROW} bytes").into()));
            }
            match self.body.frame().await {
                None => return Ok(None),
                Some(Err(error)) => return Err(self.broken(error.into())),
                Some(Ok(frame)) => self.buffer.extend(frame.data_ref().into_iter().flatten()),
            }
        }
    }

    fn broken(&self, error: Box<dyn std::error::Error + Send + Sync>) -> ClientError {
        ClientError::Broken { path: self.path.clone(), error }
    }
}

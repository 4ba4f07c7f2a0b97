//! The lines of an answer, as they come.

use super::ClientError;
use http_body_util::BodyExt;
use hyper::body::Incoming;

/// Lines, each shorter than a bound.
pub(super) struct Lines {
    path: String,
    body: Incoming,
    /// Longest line that is read, bytes.
    longest: usize,
    /// What came and was not yet handed out; shorter than the bound plus one frame.
    buffer: Vec<u8>,
}

impl Lines {
    pub(super) fn of(path: &str, body: Incoming, longest: usize) -> Self {
        Lines { path: path.to_owned(), body, longest, buffer: Vec::new() }
    }

    /// Waits for the next line; none when the server ended the stream. A line that is cut off by the end is dropped.
    pub(super) async fn next(&mut self) -> Result<Option<Vec<u8>>, ClientError> {
        let mut seen = 0;
        loop {
            if let Some(end) = self.buffer[seen..].iter().position(|&byte| byte == b'\n') {
                return Ok(Some(self.buffer.drain(..=seen + end).collect()));
            }
            seen = self.buffer.len();
            if seen > self.longest {
                return Err(self.broken(format!("a line is longer than {} bytes", self.longest).into()));
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

    /// A line that does not say what was asked for.
    pub(super) fn not_understood(&self, error: serde_json::Error) -> ClientError {
        ClientError::NotUnderstood { path: self.path.clone(), error }
    }
}

//! The live stream, as the page reads it: server-sent events of three lines (WHATWG HTML, section 9.2).

use super::lines::Lines;
use super::{ClientError, MAX_ANSWER};
use crate::Live;
use hyper::body::Incoming;

/// Messages as they come.
pub struct Messages {
    lines: Lines,
    /// What the next `data:` is.
    name: String,
}

impl Messages {
    /// A message can be as long as a whole answer: it may hold the last minute of a large world.
    pub(super) fn of(path: &str, body: Incoming) -> Self {
        Messages { lines: Lines::of(path, body, MAX_ANSWER), name: String::new() }
    }

    /// Waits for the next message; none when the server ended the stream. Events whose name is not known are left out.
    pub async fn next(&mut self) -> Result<Option<Live>, ClientError> {
        while let Some(line) = self.lines.next().await? {
            if let Some(name) = line.strip_prefix(b"event:") {
                self.name = String::from_utf8_lossy(name.trim_ascii()).into_owned();
            } else if let Some(content) = line.strip_prefix(b"data:") {
                let message = Live::read(&self.name, content);
                if let Some(message) = message.map_err(|error| self.lines.not_understood(error))? {
                    return Ok(Some(message));
                }
            }
        }
        Ok(None)
    }
}

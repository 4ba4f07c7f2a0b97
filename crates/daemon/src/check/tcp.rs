//! Calls a server and listens to its greeting.

use super::way;
use check::tcp::Expectation;
use check::{Finding, Progress};
use config::Way;
use std::io;
use tokio::io::AsyncReadExt;

#[derive(Debug)]
pub(crate) struct Asker {
    pub(super) way: Way,
    pub(super) expectation: Expectation,
}

impl Asker {
    /// One connection.
    pub(super) async fn ask(&self) -> io::Result<Finding> {
        let mut stream = way::tcp(self.way).await?;
        let (mut said, mut length, mut ended) = ([0; Expectation::LONGEST], 0, false);
        loop {
            if let Progress::Done(verdict) = self.expectation.judge(&said[..length], ended) {
                return Ok(verdict.into());
            }
            let octets = stream.read(&mut said[length..]).await?;
            length += octets;
            ended = octets == 0;
        }
    }
}

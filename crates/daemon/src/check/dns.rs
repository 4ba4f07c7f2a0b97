//! Asks a name server.

use super::way;
use crate::clock::Clock;
use check::dns::Expectation;
use check::{Finding, Judged};
use config::Way;
use rand::random;
use std::io;

/// Largest datagram that is read: more than the query allows.
const REPLY_OCTETS: usize = 4096;

#[derive(Debug)]
pub(crate) struct Asker {
    pub(super) way: Way,
    pub(super) expectation: Expectation,
    pub(super) clock: Clock,
}

impl Asker {
    /// One question, one answer.
    pub(super) async fn ask(&self) -> io::Result<Finding> {
        let socket = way::udp(self.way).await?;
        let id = random();
        socket.send(&self.expectation.query(id)).await?;
        let mut reply = [0; REPLY_OCTETS];
        loop {
            let octets = socket.recv(&mut reply).await?;
            match self.expectation.judge(id, &reply[..octets], self.clock.wall()) {
                Judged::NotOurs => {}
                Judged::Reply(finding) => return Ok(finding),
            }
        }
    }
}

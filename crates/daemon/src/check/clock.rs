//! Asks a time server.

use super::way;
use crate::clock::Clock;
use check::clock::Expectation;
use check::{Finding, Judged};
use config::Way;
use rand::random;
use std::io;
use std::net::SocketAddr;

/// Largest datagram that is read: a message of 48 octets with extensions.
const REPLY_OCTETS: usize = 1024;

#[derive(Debug)]
pub(crate) struct Asker {
    pub(super) server: SocketAddr,
    pub(super) expectation: Expectation,
    pub(super) clock: Clock,
}

impl Asker {
    /// One question, one answer.
    pub(super) async fn ask(&self) -> io::Result<Finding> {
        let socket = way::udp(Way { to: self.server, from: None }).await?;
        let nonce = random();
        let asked = self.clock.wall();
        socket.send(&Expectation::query(nonce)).await?;
        let mut reply = [0; REPLY_OCTETS];
        loop {
            let octets = socket.recv(&mut reply).await?;
            match self.expectation.judge(nonce, &reply[..octets], asked, self.clock.wall()) {
                Judged::NotOurs => {}
                Judged::Reply(finding) => return Ok(finding),
            }
        }
    }
}

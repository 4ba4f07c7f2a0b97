//! `clock = { server = "10.0.0.1", max_skew = "500ms" }`

use super::Question;
use check::clock::Expectation;
use document::Table;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

/// The port of NTP (RFC 5905).
const PORT: u16 = 123;
const SHORTEST_SKEW: Duration = Duration::from_millis(10);
const LONGEST_SKEW: Duration = Duration::from_secs(86_400);

/// A question to a time server.
#[derive(Clone, Debug)]
pub(crate) struct Clock {
    pub(super) server: IpAddr,
    port: u16,
    expectation: Expectation,
}

impl Clock {
    pub(super) fn question(&self) -> Question {
        let server = SocketAddr::new(self.server, self.port);
        Question::Clock { server, expectation: self.expectation }
    }
}

pub(super) fn read(table: &Table) -> Option<Clock> {
    let server = table.required("server").parse::<IpAddr>();
    let port = table.optional("port").number_in(1..=u16::MAX);
    let max_skew = table.optional("max_skew").duration_in(SHORTEST_SKEW..=LONGEST_SKEW);
    let max_skew = max_skew.map_or(Duration::from_secs(1), |duration| duration.value);
    Some(Clock {
        server: server?.value,
        port: port.map_or(PORT, |port| port.value),
        expectation: Expectation { max_skew },
    })
}

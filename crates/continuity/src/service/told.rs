//! What the daemon says to a service.

use super::LONGEST_LINE;
use std::net::SocketAddr;

/// One message of the daemon.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Told {
    /// The service has joined.
    Joined,
    /// The daemon hangs up, and why.
    Refused(String),
    /// This site is being left: how many connections would the service give away? Whatever it wished before is over.
    Drain,
    /// This site is not being left any more.
    Resume,
    /// There is a way to another site for one connection. The answer repeats the number of the turn.
    Turn(u64),
    /// The connection that was offered in this turn is another site's, and its socket has ended.
    Moved(u64),
    /// It goes on here.
    Stays(u64),
    /// A connection that another site has given. Its socket comes along.
    Given {
        /// The client's end.
        client: SocketAddr,
        /// The service's end.
        service: SocketAddr,
        /// What its service at the other site knew of it.
        state: Vec<u8>,
    },
}

impl Told {
    /// The octets of the packet.
    pub fn encode(&self) -> Vec<u8> {
        let (mut line, state) = match self {
            Told::Joined => ("joined".to_owned(), &[][..]),
            Told::Refused(reason) => (refusal(reason), &[][..]),
            Told::Drain => ("drain".to_owned(), &[][..]),
            Told::Resume => ("resume".to_owned(), &[][..]),
            Told::Turn(turn) => (format!("turn {turn}"), &[][..]),
            Told::Moved(turn) => (format!("moved {turn}"), &[][..]),
            Told::Stays(turn) => (format!("stays {turn}"), &[][..]),
            Told::Given { client, service, state } => (format!("given {client} {service}"), &state[..]),
        };
        line.push('\n');
        let mut octets = line.into_bytes();
        octets.extend(state);
        octets
    }
}

/// One line, whatever the reason quotes.
fn refusal(reason: &str) -> String {
    let reason = reason.replace(|character: char| !(character == ' ' || character.is_ascii_graphic()), "?");
    let line = format!("refused {reason}");
    line.chars().take(LONGEST_LINE).collect()
}

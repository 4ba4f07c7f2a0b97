//! What a service says.

use super::{LONGEST, LONGEST_LINE, VERSION};
use crate::handover::Message;
use std::collections::BTreeSet;
use std::fmt;
use std::net::SocketAddr;
use std::str::FromStr;

/// One message of a service.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Said {
    /// It serves these addresses and cooperates.
    Join(Join),
    /// It has no place for another connection.
    Full,
    /// It has.
    Room,
    /// While this site is being left: so many of its connections it would give away now.
    Wish(u32),
    /// It uses a turn: a connection that it has nothing in hand for. Its socket comes along.
    Offer {
        /// The number of the turn.
        turn: u64,
        /// What the service knows of it, in its own words.
        state: Vec<u8>,
    },
    /// It does not use the turn of this number: it has none to give any more.
    Pass(u64),
}

/// Who joins.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Join {
    /// How the service calls itself, for operators.
    pub name: ServiceName,
    /// Where it serves, at least one.
    pub addresses: BTreeSet<SocketAddr>,
}

/// The name of a service: 1 to 32 letters, digits, `-`, `_` and `.`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct ServiceName(String);

/// Why octets are no message of a service. The words are for whoever writes one.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unclear {
    /// There is no line feed within [`LONGEST_LINE`] octets, or what is before it is not ASCII.
    #[error("a message is a line of ASCII words, of at most {LONGEST_LINE} octets, and a line feed")]
    Line,
    /// Its first word is none that a service says, or other words follow it than belong there.
    #[error("no service says `{0}`")]
    Words(String),
    /// It speaks another version.
    #[error("it speaks version {0}, and this daemon speaks {VERSION}")]
    Version(String),
    /// A name that is none.
    #[error("a name has 1 to {} letters, digits, `-`, `_` and `.`", ServiceName::LONGEST)]
    Name,
    /// No address, too many, or one that is none.
    #[error("it joins with 1 to {} addresses, such as 198.18.0.53:7 and [2001:db8:53::53]:7", Join::MOST)]
    Addresses,
    /// Octets follow the line of a message that has no state.
    #[error("octets follow the line")]
    Trailing,
    /// The state is longer than it may be.
    #[error("a state has at most {} octets", Message::MOST_STATE)]
    TooLong,
}

impl Join {
    /// Addresses that a service may join with.
    pub const MOST: usize = 16;
}

impl ServiceName {
    const LONGEST: usize = 32;
}

impl FromStr for ServiceName {
    type Err = Unclear;

    fn from_str(text: &str) -> Result<Self, Unclear> {
        let is_fit = |octet: u8| octet.is_ascii_alphanumeric() || b"-_.".contains(&octet);
        let is_name = (1..=Self::LONGEST).contains(&text.len()) && text.bytes().all(is_fit);
        if is_name { Ok(ServiceName(text.to_owned())) } else { Err(Unclear::Name) }
    }
}

impl fmt::Display for ServiceName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Said {
    /// Reads a message, all of it.
    pub fn decode(packet: &[u8]) -> Result<Self, Unclear> {
        if packet.len() > LONGEST {
            return Err(Unclear::TooLong);
        }
        let end = packet.iter().take(LONGEST_LINE + 1).position(|octet| *octet == b'\n');
        let (line, state) = packet.split_at(end.ok_or(Unclear::Line)?);
        // Whoever reads what is wrong reads it on a terminal.
        let line = str::from_utf8(line).ok().filter(|line| line.bytes().all(is_visible));
        let line = line.ok_or(Unclear::Line)?;
        let state = &state[1..];
        let said = match line.split(' ').collect::<Vec<_>>()[..] {
            ["join", VERSION, name, ref addresses @ ..] => Said::Join(join(name, addresses)?),
            ["join", version, ..] => return Err(Unclear::Version(version.to_owned())),
            ["full"] => Said::Full,
            ["room"] => Said::Room,
            ["wish", count] => Said::Wish(number(count, line)?),
            ["offer", turn] => return offer(number(turn, line)?, state),
            ["pass", turn] => Said::Pass(number(turn, line)?),
            _ => return Err(unknown(line)),
        };
        if state.is_empty() { Ok(said) } else { Err(Unclear::Trailing) }
    }
}

fn is_visible(octet: u8) -> bool {
    octet == b' ' || octet.is_ascii_graphic()
}

fn unknown(line: &str) -> Unclear {
    Unclear::Words(line.to_owned())
}

/// Digits and nothing else.
fn number<T: FromStr>(word: &str, line: &str) -> Result<T, Unclear> {
    let is_number = word.bytes().all(|octet| octet.is_ascii_digit());
    word.parse().ok().filter(|_| is_number).ok_or_else(|| unknown(line))
}

fn offer(turn: u64, state: &[u8]) -> Result<Said, Unclear> {
    if state.len() > Message::MOST_STATE {
        return Err(Unclear::TooLong);
    }
    Ok(Said::Offer { turn, state: state.to_vec() })
}

fn join(name: &str, addresses: &[&str]) -> Result<Join, Unclear> {
    let name = name.parse()?;
    if !(1..=Join::MOST).contains(&addresses.len()) {
        return Err(Unclear::Addresses);
    }
    let addresses: Option<_> = addresses.iter().map(|word| address(word)).collect();
    Ok(Join { name, addresses: addresses.ok_or(Unclear::Addresses)? })
}

/// An address and a port that others can reach, without an interface.
fn address(word: &str) -> Option<SocketAddr> {
    let address: SocketAddr = word.parse().ok()?;
    let has_scope = matches!(address, SocketAddr::V6(v6) if v6.scope_id() != 0);
    let is_good = address.port() != 0 && !address.ip().is_unspecified() && !has_scope;
    is_good.then(|| SocketAddr::new(address.ip().to_canonical(), address.port()))
}

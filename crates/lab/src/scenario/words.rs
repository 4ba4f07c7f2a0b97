//! What may stand in the slots of a sentence: names, times, limits, numbers, states, lines of a site file.

mod number;

pub use number::{Count, Factor, Percent};

use crate::hostile::ScriptName;
use crate::sentence::{Kind, Mention, Slot};
use document::DurationError;
use std::fmt::{self, Display};
use std::net::{IpAddr, Ipv4Addr};
use std::str::FromStr;
use std::time::Duration;
use terms::{DomainName, Family, NameError, PeerName, SiteName};

/// A word that is not what its slot needs.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum WordError {
    /// Not a factor.
    #[error("a factor is a number with at most two decimals, such as 3 or 0.25, and not zero")]
    Factor,
    /// Not a number of things.
    #[error("it is a whole number such as 0 or 2")]
    Count,
    /// Not a share.
    #[error("a share is a whole number from 1% to 99%")]
    Percent,
    /// Not a multicast group.
    #[error("a group is an IPv4 address from 224.0.1.0 to 239.255.255.255")]
    Group,
    /// Not a line of a site file.
    #[error("a line is `key = value`, as the site file writes it")]
    Line,
    /// Not a word of a short list.
    #[error("it is one of {0}")]
    OneOf(String),
}

/// A length of time, written with its unit: `250ms`, `5s`, `2m`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Time(Duration);

impl Time {
    /// A time of so many microseconds.
    pub fn from_micros(micros: u64) -> Self {
        Time(Duration::from_micros(micros))
    }

    /// The time as a duration.
    pub fn duration(self) -> Duration {
        self.0
    }
}

impl FromStr for Time {
    type Err = DurationError;
    fn from_str(text: &str) -> Result<Self, DurationError> {
        document::parse_duration(text).map(Time)
    }
}

impl Display for Time {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let micros = self.0.as_micros();
        let units = [(60_000_000, "m"), (1_000_000, "s"), (1_000, "ms")];
        match units.iter().find(|(scale, _)| micros > 0 && micros.is_multiple_of(*scale)) {
            Some((scale, unit)) => write!(f, "{}{unit}", micros / scale),
            None => write!(f, "{micros}us"),
        }
    }
}

impl Slot for Time {}

/// A time within which something must happen; `plus path` allows the round trip of the new path on top.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limit {
    /// The time without the path.
    pub time: Time,
    /// Whether the new path's round trip is measured apart and does not count.
    pub plus_path: bool,
}

impl FromStr for Limit {
    type Err = DurationError;
    fn from_str(text: &str) -> Result<Self, DurationError> {
        let (time, plus_path) = match text.strip_suffix(" plus path") {
            Some(time) => (time, true),
            None => (text, false),
        };
        Ok(Limit { time: time.parse()?, plus_path })
    }
}

impl Display for Limit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", self.time, if self.plus_path { " plus path" } else { "" })
    }
}

impl Slot for Limit {}

/// A multicast group (RFC 5771): what routers forward. Groups that stay on their link, 224.0.0.0/24, are none.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Group(Ipv4Addr);

impl Group {
    /// Its address.
    pub fn address(self) -> Ipv4Addr {
        self.0
    }
}

impl FromStr for Group {
    type Err = WordError;
    fn from_str(text: &str) -> Result<Self, WordError> {
        let address: Ipv4Addr = text.parse().map_err(|_| WordError::Group)?;
        let stays = address.octets()[..3] == [224, 0, 0];
        if address.is_multicast() && !stays { Ok(Group(address)) } else { Err(WordError::Group) }
    }
}

impl Display for Group {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl Slot for Group {}

/// One line of a site file: `linger = "90s"`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    text: String,
    key_length: usize,
}

impl Line {
    /// What stands left of the equals sign.
    pub fn key(&self) -> &str {
        &self.text[..self.key_length]
    }

    /// The text with its first line of this key replaced by this one; none if it has no such line.
    pub fn put_into(&self, text: &str) -> Option<String> {
        let has_key = |line: &str| line.split_once('=').is_some_and(|(key, _)| key.trim() == self.key());
        let place = text.lines().position(has_key)?;
        let lines = text.lines().enumerate().map(|(at, line)| if at == place { &self.text } else { line });
        Some(lines.flat_map(|line| [line, "\n"]).collect())
    }
}

impl FromStr for Line {
    type Err = WordError;
    fn from_str(text: &str) -> Result<Self, WordError> {
        let (key, value) = text.split_once('=').ok_or(WordError::Line)?;
        let is_bare = |c: u8| c.is_ascii_alphanumeric() || c == b'_' || c == b'-';
        let key_length = key.trim_end().len();
        if key_length == 0 || !key.trim_end().bytes().all(is_bare) || value.trim().is_empty() {
            return Err(WordError::Line);
        }
        Ok(Line { text: text.to_owned(), key_length })
    }
}

impl Display for Line {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl Slot for Line {}

/// Words that somebody uses.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Words(String);

impl Words {
    /// Whether somebody used them, in capitals or not.
    pub fn are_in(&self, said: &str) -> bool {
        said.to_lowercase().contains(&self.0.to_lowercase())
    }
}

impl FromStr for Words {
    type Err = std::convert::Infallible;
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Ok(Words(text.to_owned()))
    }
}

impl Display for Words {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Slot for Words {}

macro_rules! node_names {
    ($($(#[$doc:meta])* $name:ident is a $kind:ident;)+) => {$(
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(SiteName);

        impl $name {
            /// The name as text.
            pub fn as_str(&self) -> &str {
                self.0.as_str()
            }
        }

        impl FromStr for $name {
            type Err = NameError;
            fn from_str(text: &str) -> Result<Self, NameError> {
                text.parse().map($name)
            }
        }

        impl Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }

        impl Slot for $name {
            fn mention(&self) -> Option<Mention<'_>> {
                Some(Mention { kind: Kind::$kind, name: self.as_str() })
            }
        }
    )+};
}

node_names! {
    /// The name of a client: its city.
    ClientName is a Client;
    /// The name of any node: a client, a router or a site.
    NodeName is a Node;
    /// The name of a host's node: a client, a device on a LAN, or a host of a site.
    HostName is a Host;
    /// The name of a router's node.
    RouterName is a Router;
    /// The name of a LAN.
    LanName is a Lan;
}

impl Slot for SiteName {
    fn mention(&self) -> Option<Mention<'_>> {
        Some(Mention { kind: Kind::Site, name: self.as_str() })
    }
}

impl Slot for Family {}
impl Slot for PeerName {}
impl Slot for IpAddr {}

impl Slot for DomainName {}
impl Slot for ScriptName {}

macro_rules! one_of {
    ($($(#[$doc:meta])* $name:ident: $($(#[$meaning:meta])* $variant:ident = $word:literal),+;)+) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum $name {
            $($(#[$meaning])* $variant,)+
        }

        impl $name {
            /// Every word there is.
            pub const ALL: &'static [$name] = &[$($name::$variant),+];

            /// The word.
            pub fn as_str(self) -> &'static str {
                match self {
                    $($name::$variant => $word,)+
                }
            }
        }

        impl FromStr for $name {
            type Err = WordError;
            fn from_str(text: &str) -> Result<Self, WordError> {
                let found = $name::ALL.iter().find(|candidate| candidate.as_str() == text);
                let words = || $name::ALL.iter().map(|word| word.as_str()).collect::<Vec<_>>().join(", ");
                found.copied().ok_or_else(|| WordError::OneOf(words()))
            }
        }

        impl Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.as_str())
            }
        }

        impl Slot for $name {}
    )+};
}

one_of! {
    /// A state of a site's announcement group.
    State:
        /// The service has not come up yet.
        Boot = "boot",
        /// Ready, and not yet checked often enough.
        Warm = "warm",
        /// Announced.
        Up = "up",
        /// Announced, after a failed check.
        Suspect = "suspect",
        /// Announced as the last resort, because the checks failed and the fleet cannot spare the site.
        Held = "held",
        /// On its way out of service: announced as the last resort.
        Drain = "drain",
        /// Withdrawn, because the checks failed or the drain is over.
        Down = "down",
        /// Withdrawn, because an operator said so.
        Off = "off";
    /// How strongly a site announces.
    Output:
        /// Not at all.
        None = "none",
        /// As the last resort: graceful shutdown (RFC 8326).
        Gshut = "gshut",
        /// Less preferred than usual.
        Depref = "depref",
        /// As configured.
        Normal = "normal";
    /// What a peer was told about the service's prefixes.
    Told:
        /// They are reachable here.
        Announced = "announced",
        /// They are no longer reachable here.
        Withdrawn = "withdrawn";
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_replaces_the_first_of_its_key_and_nothing_else() {
        let line: Line = "asn = 7".parse().unwrap();
        let file = "[site]\nasn   = 1 # ours\n\n[[peer]]\nasn = 2\n";
        assert_eq!(line.put_into(file).unwrap(), "[site]\nasn = 7\n\n[[peer]]\nasn = 2\n");
        assert_eq!(line.put_into("[site]\nname = \"asn\"\n"), None);
        for bad in ["asn", "= 7", "asn =", "[asn] = 7", "a b = 7"] {
            assert_eq!(bad.parse::<Line>(), Err(WordError::Line), "{bad}");
        }
    }
}

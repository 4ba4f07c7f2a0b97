//! Names that operators give to things.

use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

/// Why a text is no name.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NameError {
    /// Empty or longer than a DNS label.
    #[error("a name has 1 to 63 characters, this one has {0}")]
    Length(usize),
    /// A character that a name must not have.
    #[error("a name is made of a-z, 0-9 and `-`, and begins and ends with a letter or digit; `{0}` is not")]
    Character(String),
}

/// A name is one DNS label of lower-case letters, digits and hyphens (RFC 1035 section 2.3.1), so that it can stand
/// in an NSID, a metric, a file name and a TXT answer without quoting.
fn label(text: &str) -> Result<String, NameError> {
    if text.is_empty() || text.len() > 63 {
        return Err(NameError::Length(text.len()));
    }
    let inner = |c: u8| c.is_ascii_lowercase() || c.is_ascii_digit();
    let bytes = text.as_bytes();
    let edges = inner(bytes[0]) && inner(bytes[bytes.len() - 1]);
    if edges && bytes.iter().all(|&c| inner(c) || c == b'-') {
        Ok(text.to_owned())
    } else {
        Err(NameError::Character(text.to_owned()))
    }
}

macro_rules! names {
    ($($(#[$doc:meta])* $name:ident;)+) => {$(
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(String);

        impl $name {
            /// The name as text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl FromStr for $name {
            type Err = NameError;
            fn from_str(text: &str) -> Result<Self, NameError> {
                label(text).map($name)
            }
        }

        impl TryFrom<String> for $name {
            type Error = NameError;
            fn try_from(text: String) -> Result<Self, NameError> {
                text.parse()
            }
        }

        impl From<$name> for String {
            fn from(name: $name) -> String {
                name.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(&self.0)
            }
        }
    )+};
}

names! {
    /// A place that announces the address; also its NSID and its answer to `CH TXT id.server`.
    SiteName;
    /// One of the machines of a site; also its answer to `CH TXT hostname.bind`.
    HostName;
    /// A service that answers on anycast addresses.
    ServiceName;
    /// A BGP neighbour.
    PeerName;
    /// A monitoring station that is told what happens in the sessions.
    CollectorName;
    /// Prefixes that go up and down together, and the services behind them.
    GroupName;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_one_label() {
        assert_eq!("lon-1".parse::<SiteName>().unwrap().as_str(), "lon-1");
        for wrong in ["", "-lon", "lon-", "Lon", "lon.1", "lon 1", &"x".repeat(64)] {
            assert!(wrong.parse::<SiteName>().is_err(), "{wrong}");
        }
    }
}

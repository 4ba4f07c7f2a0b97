//! The three kinds of BGP communities: labels that networks attach to routes for each other.

use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

/// A standard community (RFC 1997), written `asn:value`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Community(pub u32);

/// An extended community (RFC 4360): eight octets whose first one or two say what the rest means.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct ExtendedCommunity(pub [u8; 8]);

/// A large community (RFC 8092), written `asn:value:value`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct LargeCommunity {
    /// The network that defines the meaning.
    pub global: u32,
    /// First value, chosen by that network.
    pub first: u32,
    /// Second value, chosen by that network.
    pub second: u32,
}

/// A text that is no community.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{0}` is no community: write asn:value (each at most 65535), asn:value:value, or an extended one as 0x and 16 \
     hexadecimal digits"
)]
pub struct CommunityError(String);

impl Community {
    /// "I am about to go away, prefer another path" (RFC 8326).
    pub const GRACEFUL_SHUTDOWN: Community = Community(0xffff_0000);
    /// "Drop what is sent there" (RFC 7999).
    pub const BLACKHOLE: Community = Community(0xffff_029a);
    /// Not to be told to anybody outside the AS (RFC 1997).
    pub const NO_EXPORT: Community = Community(0xffff_ff01);
    /// Not to be told to anybody (RFC 1997).
    pub const NO_ADVERTISE: Community = Community(0xffff_ff02);
}

impl FromStr for Community {
    type Err = CommunityError;
    fn from_str(text: &str) -> Result<Self, CommunityError> {
        let wrong = || CommunityError(text.to_owned());
        let (high, low) = text.split_once(':').ok_or_else(wrong)?;
        let high: u16 = high.parse().map_err(|_| wrong())?;
        let low: u16 = low.parse().map_err(|_| wrong())?;
        Ok(Community(u32::from(high) << 16 | u32::from(low)))
    }
}

impl fmt::Display for Community {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.0 >> 16, self.0 & 0xffff)
    }
}

impl TryFrom<String> for Community {
    type Error = CommunityError;
    fn try_from(text: String) -> Result<Self, CommunityError> {
        text.parse()
    }
}

impl From<Community> for String {
    fn from(community: Community) -> String {
        community.to_string()
    }
}

impl FromStr for LargeCommunity {
    type Err = CommunityError;
    fn from_str(text: &str) -> Result<Self, CommunityError> {
        let wrong = || CommunityError(text.to_owned());
        let parts = text.split(':').map(str::parse).collect::<Result<Vec<u32>, _>>().map_err(|_| wrong())?;
        match parts[..] {
            [global, first, second] => Ok(LargeCommunity { global, first, second }),
            _ => Err(wrong()),
        }
    }
}

impl fmt::Display for LargeCommunity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}:{}", self.global, self.first, self.second)
    }
}

impl TryFrom<String> for LargeCommunity {
    type Error = CommunityError;
    fn try_from(text: String) -> Result<Self, CommunityError> {
        text.parse()
    }
}

impl From<LargeCommunity> for String {
    fn from(community: LargeCommunity) -> String {
        community.to_string()
    }
}

impl FromStr for ExtendedCommunity {
    type Err = CommunityError;
    fn from_str(text: &str) -> Result<Self, CommunityError> {
        let digits = text
            .strip_prefix("0x")
            .filter(|digits| digits.len() == 16 && digits.bytes().all(|digit| digit.is_ascii_hexdigit()));
        let value = digits.and_then(|digits| u64::from_str_radix(digits, 16).ok());
        value.map(|value| ExtendedCommunity(value.to_be_bytes())).ok_or(CommunityError(text.to_owned()))
    }
}

impl fmt::Display for ExtendedCommunity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("0x")?;
        self.0.iter().try_for_each(|octet| write!(f, "{octet:02x}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn well_known_values_print_as_operators_write_them() {
        assert_eq!(Community::GRACEFUL_SHUTDOWN.to_string(), "65535:0");
        assert_eq!(Community::NO_EXPORT.to_string(), "65535:65281");
        assert_eq!(Community::BLACKHOLE.to_string(), "65535:666");
        assert!("65536:1".parse::<Community>().is_err());
        for wrong in ["0x", "0x+00000000000000f", "0x00000000000000000", "0002fbf000000050"] {
            assert!(wrong.parse::<ExtendedCommunity>().is_err(), "{wrong}");
        }
    }

    proptest! {
        #[test]
        fn text_round_trips(standard: u32, global: u32, first: u32, second: u32) {
            let community = Community(standard);
            prop_assert_eq!(community.to_string().parse::<Community>(), Ok(community));
            let large = LargeCommunity { global, first, second };
            prop_assert_eq!(large.to_string().parse::<LargeCommunity>(), Ok(large));
            let extended = ExtendedCommunity((u64::from(standard) << 32 | u64::from(global)).to_be_bytes());
            prop_assert_eq!(extended.to_string().parse::<ExtendedCommunity>(), Ok(extended));
        }
    }
}

//! Address families and prefixes.

use ipnet::IpNet;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;
use utoipa::ToSchema;

/// An address family carried by BGP as unicast (AFI 1 and 2, SAFI 1; RFC 4760).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Family {
    /// IPv4 unicast.
    Ipv4,
    /// IPv6 unicast.
    Ipv6,
}

impl Family {
    /// Every family there is.
    pub const ALL: [Family; 2] = [Family::Ipv4, Family::Ipv6];

    /// The family an address belongs to.
    pub fn of(address: IpAddr) -> Family {
        match address {
            IpAddr::V4(_) => Family::Ipv4,
            IpAddr::V6(_) => Family::Ipv6,
        }
    }

    /// The number of bits of an address.
    pub fn bits(self) -> u8 {
        match self {
            Family::Ipv4 => 32,
            Family::Ipv6 => 128,
        }
    }
}

/// A text that is no family.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no address family: write ipv4 or ipv6")]
pub struct FamilyError(String);

impl FromStr for Family {
    type Err = FamilyError;
    fn from_str(text: &str) -> Result<Self, FamilyError> {
        let named = Family::ALL.into_iter().find(|family| family.to_string() == text);
        named.ok_or_else(|| FamilyError(text.to_owned()))
    }
}

impl fmt::Display for Family {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Family::Ipv4 => "ipv4",
            Family::Ipv6 => "ipv6",
        })
    }
}

/// A block of addresses whose host bits are zero, such as `198.18.0.0/24`.
///
/// Ordered by family, then address, then length, so that a set of them prints in a stable order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Prefix(IpNet);

/// Why a text or a pair is no prefix.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PrefixError {
    /// Not `address/length`.
    #[error("`{0}` is no prefix: write address/length, for example 198.18.0.0/24")]
    NotAPrefix(String),
    /// Bits beyond the length are set.
    #[error("`{given}` has bits set beyond its length: did you mean `{meant}`?")]
    HostBits {
        /// What was written.
        given: String,
        /// The prefix with those bits cleared.
        meant: Prefix,
    },
    /// The length exceeds the family's.
    #[error("/{0} is longer than the address")]
    TooLong(u8),
}

impl Prefix {
    /// The prefix of `length` bits that begins at `address`. Errors when host bits are set.
    pub fn new(address: IpAddr, length: u8) -> Result<Self, PrefixError> {
        let net = IpNet::new(address, length).map_err(|_| PrefixError::TooLong(length))?;
        if net.trunc() != net {
            return Err(PrefixError::HostBits { given: net.to_string(), meant: Prefix(net.trunc()) });
        }
        Ok(Prefix(net))
    }

    /// The prefix of `length` bits in which `address` lies; bits beyond are cleared.
    pub fn containing(address: IpAddr, length: u8) -> Result<Self, PrefixError> {
        let net = IpNet::new(address, length).map_err(|_| PrefixError::TooLong(length))?;
        Ok(Prefix(net.trunc()))
    }

    /// The prefix that holds this one address: /32 or /128.
    pub fn host(address: IpAddr) -> Self {
        Prefix(IpNet::from(address))
    }

    /// First address of the block.
    pub fn address(self) -> IpAddr {
        self.0.addr()
    }

    /// Number of leading bits that are fixed.
    pub fn length(self) -> u8 {
        self.0.prefix_len()
    }

    /// The family of the addresses.
    pub fn family(self) -> Family {
        Family::of(self.address())
    }

    /// Whether the address lies in the block.
    pub fn contains(self, address: IpAddr) -> bool {
        self.0.contains(&address)
    }

    /// Whether every address of `other` lies in this block.
    pub fn covers(self, other: Prefix) -> bool {
        self.0.contains(&other.0)
    }

    /// Whether this block is a part of `other`, and not all of it.
    pub fn is_part_of(self, other: Prefix) -> bool {
        self != other && other.covers(self)
    }
}

impl FromStr for Prefix {
    type Err = PrefixError;
    fn from_str(text: &str) -> Result<Self, PrefixError> {
        let net: IpNet = text.parse().map_err(|_| PrefixError::NotAPrefix(text.to_owned()))?;
        Prefix::new(net.addr(), net.prefix_len())
    }
}

impl TryFrom<String> for Prefix {
    type Error = PrefixError;
    fn try_from(text: String) -> Result<Self, PrefixError> {
        text.parse()
    }
}

impl From<Prefix> for String {
    fn from(prefix: Prefix) -> String {
        prefix.to_string()
    }
}

impl fmt::Display for Prefix {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn host_bits_are_a_fault_with_a_hint() {
        let fault = "198.18.0.53/24".parse::<Prefix>().unwrap_err();
        assert!(fault.to_string().contains("198.18.0.0/24"), "{fault}");
    }

    proptest! {
        #[test]
        fn text_round_trips(bits: u128, v6: bool, length in 0u8..=128) {
            let (address, length) = if v6 {
                (IpAddr::from(bits.to_be_bytes()), length)
            } else {
                (IpAddr::from((bits as u32).to_be_bytes()), length % 33)
            };
            let prefix = Prefix::containing(address, length).unwrap();
            prop_assert_eq!(prefix.to_string().parse::<Prefix>().unwrap(), prefix);
            prop_assert!(prefix.contains(address));
            prop_assert!(prefix.covers(Prefix::host(address)));
            prop_assert!(!prefix.is_part_of(prefix));
            prop_assert_eq!(Prefix::host(address).is_part_of(prefix), prefix.length() < prefix.family().bits());
        }
    }
}

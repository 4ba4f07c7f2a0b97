//! Numbers that name a network and a router.

use serde::{Deserialize, Serialize};
use std::fmt;
use std::net::Ipv4Addr;
use std::num::NonZeroU32;
use std::str::FromStr;

/// An autonomous system number of four octets (RFC 6793), never 0 (RFC 7607). Written as plain decimal
/// ("asplain", RFC 5396).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "u32", into = "u32")]
pub struct Asn(NonZeroU32);

/// Why a number is no autonomous system number.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AsnError {
    /// RFC 7607 forbids AS 0 everywhere.
    #[error("AS 0 names no network (RFC 7607)")]
    Zero,
    /// Not a decimal number that fits 32 bits.
    #[error("`{0}` is no AS number: write a whole number from 1 to 4294967295")]
    NotANumber(String),
}

impl Asn {
    /// AS_TRANS, which stands in for a four-octet number towards a two-octet speaker (RFC 6793 section 9).
    pub const TRANS: Asn = Asn(match NonZeroU32::new(23456) {
        Some(number) => number,
        None => NonZeroU32::MIN,
    });

    /// The number as it is on the wire.
    pub fn get(self) -> u32 {
        self.0.get()
    }

    /// Whether two octets can carry this number.
    pub fn fits_two_octets(self) -> bool {
        self.get() <= u32::from(u16::MAX)
    }
}

impl TryFrom<u32> for Asn {
    type Error = AsnError;
    fn try_from(number: u32) -> Result<Self, AsnError> {
        NonZeroU32::new(number).map(Asn).ok_or(AsnError::Zero)
    }
}

impl From<Asn> for u32 {
    fn from(asn: Asn) -> u32 {
        asn.get()
    }
}

impl FromStr for Asn {
    type Err = AsnError;
    fn from_str(text: &str) -> Result<Self, AsnError> {
        let number: u32 = text.parse().map_err(|_| AsnError::NotANumber(text.to_owned()))?;
        Asn::try_from(number)
    }
}

impl fmt::Display for Asn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.get())
    }
}

/// A BGP identifier: four octets, not zero, unique within its AS (RFC 6286). Written like an IPv4 address.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "Ipv4Addr", into = "Ipv4Addr")]
pub struct RouterId(NonZeroU32);

/// Why a value is no BGP identifier.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RouterIdError {
    /// RFC 6286 section 2.1.
    #[error("a router id must not be 0.0.0.0 (RFC 6286)")]
    Zero,
    /// Not four numbers with dots.
    #[error("`{0}` is no router id: write it like an IPv4 address, for example 10.1.0.10")]
    NotDotted(String),
}

impl RouterId {
    /// The identifier as a number in host order; a larger one wins a collision (RFC 4271 section 6.8).
    pub fn get(self) -> u32 {
        self.0.get()
    }
}

impl TryFrom<u32> for RouterId {
    type Error = RouterIdError;
    fn try_from(number: u32) -> Result<Self, RouterIdError> {
        NonZeroU32::new(number).map(RouterId).ok_or(RouterIdError::Zero)
    }
}

impl TryFrom<Ipv4Addr> for RouterId {
    type Error = RouterIdError;
    fn try_from(address: Ipv4Addr) -> Result<Self, RouterIdError> {
        RouterId::try_from(u32::from(address))
    }
}

impl From<RouterId> for Ipv4Addr {
    fn from(id: RouterId) -> Ipv4Addr {
        Ipv4Addr::from(id.get())
    }
}

impl FromStr for RouterId {
    type Err = RouterIdError;
    fn from_str(text: &str) -> Result<Self, RouterIdError> {
        let address: Ipv4Addr = text.parse().map_err(|_| RouterIdError::NotDotted(text.to_owned()))?;
        RouterId::try_from(address)
    }
}

impl fmt::Display for RouterId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        Ipv4Addr::from(*self).fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn zero_names_nothing() {
        assert_eq!(Asn::try_from(0), Err(AsnError::Zero));
        assert_eq!("0".parse::<Asn>(), Err(AsnError::Zero));
        assert_eq!("0.0.0.0".parse::<RouterId>(), Err(RouterIdError::Zero));
    }

    #[test]
    fn text_and_number_agree() {
        assert_eq!("64500".parse::<Asn>().unwrap().to_string(), "64500");
        assert_eq!("10.1.0.10".parse::<RouterId>().unwrap().get(), 0x0a01_000a);
        assert!("AS64500".parse::<Asn>().is_err());
    }
}

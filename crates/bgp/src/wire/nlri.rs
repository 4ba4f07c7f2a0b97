//! Network Layer Reachability Information: lists of prefixes (RFC 4271 section 4.3, RFC 4760 section 5, RFC 7911
//! section 3).

use crate::wire::reader::Reader;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use terms::{Family, Prefix};

/// Address Family Identifier of a family (RFC 4760).
pub fn afi(family: Family) -> u16 {
    match family {
        Family::Ipv4 => 1,
        Family::Ipv6 => 2,
    }
}

/// Subsequent Address Family Identifier of unicast, the only one spoken here.
pub const SAFI_UNICAST: u8 = 1;

/// The family that AFI and SAFI name; none if it is not spoken here.
pub fn family(afi: u16, safi: u8) -> Option<Family> {
    match (afi, safi) {
        (1, SAFI_UNICAST) => Some(Family::Ipv4),
        (2, SAFI_UNICAST) => Some(Family::Ipv6),
        _ => None,
    }
}

/// One entry: a prefix, and which of the paths to it this is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Nlri {
    /// Where it leads.
    pub prefix: Prefix,
    /// The identifier that the sender gave to the path (RFC 7911 section 3); 0 where the session has none, so that
    /// such a prefix has one path.
    pub path: u32,
}

impl From<Prefix> for Nlri {
    fn from(prefix: Prefix) -> Self {
        Nlri { prefix, path: 0 }
    }
}

impl fmt::Display for Nlri {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.path {
            0 => self.prefix.fmt(f),
            path => write!(f, "{} path {path}", self.prefix),
        }
    }
}

/// A list that cannot be read: a length exceeds the family's, or an entry is cut short. Where the next prefix would
/// begin is unknown, so nothing of such a list can be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the list of prefixes cannot be read")]
pub struct NlriError;

/// Reads prefixes until the octets end, each with a path identifier in front where the session has them. Bits beyond
/// a prefix's length do not matter (RFC 4271 section 4.3).
pub fn decode(octets: &[u8], family: Family, with_path: bool) -> Result<Vec<Nlri>, NlriError> {
    let mut reader = Reader::new(octets);
    // Most prefixes take four octets: a /24.
    let mut list = Vec::with_capacity(octets.len().div_ceil(4));
    while !reader.is_empty() {
        let path = if with_path { reader.u32().ok_or(NlriError)? } else { 0 };
        let length = reader.u8().filter(|&length| length <= family.bits()).ok_or(NlriError)?;
        let leading = reader.take(octets_of(length)).ok_or(NlriError)?;
        let prefix = Prefix::containing(address(family, leading), length).map_err(|_| NlriError)?;
        list.push(Nlri { prefix, path });
    }
    Ok(list)
}

fn octets_of(length: u8) -> usize {
    usize::from(length).div_ceil(8)
}

/// The address whose first octets are given; the others are 0.
fn address(family: Family, leading: &[u8]) -> IpAddr {
    fn filled<const N: usize>(leading: &[u8]) -> [u8; N] {
        let mut octets = [0; N];
        octets.iter_mut().zip(leading).for_each(|(octet, given)| *octet = *given);
        octets
    }
    match family {
        Family::Ipv4 => IpAddr::V4(Ipv4Addr::from(filled::<4>(leading))),
        Family::Ipv6 => IpAddr::V6(Ipv6Addr::from(filled::<16>(leading))),
    }
}

/// How many octets an entry takes on the wire.
pub fn encoded_len(prefix: Prefix, with_path: bool) -> usize {
    let path = if with_path { 4 } else { 0 };
    path + 1 + octets_of(prefix.length())
}

/// Appends the list, with path identifiers where the session has them.
pub fn encode<'a>(list: impl IntoIterator<Item = &'a Nlri>, with_path: bool, out: &mut Vec<u8>) {
    for &Nlri { prefix, path } in list {
        if with_path {
            out.extend_from_slice(&path.to_be_bytes());
        }
        let significant = octets_of(prefix.length());
        out.push(prefix.length());
        match prefix.address() {
            IpAddr::V4(address) => out.extend(address.octets().iter().take(significant)),
            IpAddr::V6(address) => out.extend(address.octets().iter().take(significant)),
        }
    }
}

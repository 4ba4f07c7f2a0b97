//! Network Layer Reachability Information: lists of prefixes (RFC 4271 section 4.3, RFC 4760 section 5).

use crate::wire::reader::Reader;
use std::net::IpAddr;
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

/// A list that cannot be read: a length exceeds the family's, or an address is cut short. Where the next prefix would
/// begin is unknown, so nothing of such a list can be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the list of prefixes cannot be read")]
pub struct NlriError;

/// Reads prefixes until the octets end. Bits beyond a prefix's length do not matter (RFC 4271 section 4.3).
pub fn decode(octets: &[u8], family: Family) -> Result<Vec<Prefix>, NlriError> {
    let mut reader = Reader::new(octets);
    let mut prefixes = Vec::new();
    while let Some(length) = reader.u8() {
        if length > family.bits() {
            return Err(NlriError);
        }
        let leading = reader.take(octets_of(length)).ok_or(NlriError)?;
        let prefix = Prefix::containing(address(family, leading), length).map_err(|_| NlriError)?;
        prefixes.push(prefix);
    }
    Ok(prefixes)
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
        Family::Ipv4 => IpAddr::from(filled::<4>(leading)),
        Family::Ipv6 => IpAddr::from(filled::<16>(leading)),
    }
}

/// How many octets the prefix takes on the wire.
pub fn encoded_len(prefix: Prefix) -> usize {
    1 + octets_of(prefix.length())
}

/// Appends the prefixes.
pub fn encode(prefixes: &[Prefix], out: &mut Vec<u8>) {
    for prefix in prefixes {
        let significant = octets_of(prefix.length());
        out.push(prefix.length());
        match prefix.address() {
            IpAddr::V4(address) => out.extend(address.octets().iter().take(significant)),
            IpAddr::V6(address) => out.extend(address.octets().iter().take(significant)),
        }
    }
}

//! Capabilities that an OPEN advertises (RFC 5492).
//!
//! A capability that the session could not work without is refused when its form is wrong. One that only adds
//! something is then treated as not understood: it stays in the list as [`Capability::Unknown`] and has no effect.

mod add_path;
mod graceful;

pub use add_path::AddPath;
pub use graceful::{GracefulRestart, LONGEST_RESTART};

use crate::wire::nlri;
use crate::wire::reader::Reader;
use crate::wire::role::Role;
use std::collections::{BTreeMap, BTreeSet};
use terms::{Asn, AsnError, Family};

/// The IANA registry "Capability Codes", as far as it is spoken here.
mod code {
    pub(super) const MULTIPROTOCOL: u8 = 1;
    pub(super) const ROUTE_REFRESH: u8 = 2;
    pub(super) const EXTENDED_NEXT_HOP: u8 = 5;
    pub(super) const EXTENDED_MESSAGE: u8 = 6;
    pub(super) const ROLE: u8 = 9;
    pub(super) const GRACEFUL_RESTART: u8 = 64;
    pub(super) const FOUR_OCTET_ASN: u8 = 65;
    pub(super) const ADD_PATH: u8 = 69;
    pub(super) const ENHANCED_ROUTE_REFRESH: u8 = 70;
}

/// Something a speaker can do. What is not known here is kept as it is and has no effect (RFC 5492 section 3).
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Capability {
    /// Carries routes of a family (RFC 4760).
    Multiprotocol(Family),
    /// Tells everything again when asked (RFC 2918).
    RouteRefresh,
    /// Takes routes of these families with an IPv6 next hop (RFC 8950). It adds something to IPv4 alone.
    ExtendedNextHop(BTreeSet<Family>),
    /// Takes messages of up to 65535 octets (RFC 8654).
    ExtendedMessage,
    /// What it is to the neighbour (RFC 9234).
    Role(Role),
    /// Keeps or wants kept what was told while a speaker restarts (RFC 4724, RFC 8538).
    GracefulRestart(GracefulRestart),
    /// Knows AS numbers of four octets, and this is its own (RFC 6793).
    FourOctetAsn(Asn),
    /// Several paths to a prefix, by family (RFC 7911).
    AddPath(BTreeMap<Family, AddPath>),
    /// Marks where telling again begins and ends (RFC 7313).
    EnhancedRouteRefresh,
    /// Anything else, a family that is not spoken here among it.
    Unknown {
        /// Capability code.
        code: u8,
        /// At most 255 octets.
        value: Vec<u8>,
    },
}

/// A capability that cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CapabilityError {
    /// The value is cut short or of the wrong length.
    #[error("a capability has the wrong length")]
    Length,
    /// The neighbour claims AS 0.
    #[error(transparent)]
    Asn(#[from] AsnError),
}

impl Capability {
    /// Reads capabilities until the octets end.
    pub(crate) fn decode_list(octets: &[u8]) -> Result<Vec<Capability>, CapabilityError> {
        let mut reader = Reader::new(octets);
        let mut capabilities = Vec::new();
        while !reader.is_empty() {
            let code = reader.u8().ok_or(CapabilityError::Length)?;
            let length = reader.u8().ok_or(CapabilityError::Length)?;
            let value = reader.take(length.into()).ok_or(CapabilityError::Length)?;
            let understood = Capability::understand(code, value)?;
            capabilities
                .push(understood.unwrap_or_else(|| Capability::Unknown { code, value: value.to_vec() }));
        }
        Ok(capabilities)
    }

    /// None for a capability that is to be ignored.
    fn understand(code: u8, value: &[u8]) -> Result<Option<Capability>, CapabilityError> {
        Ok(match (code, value) {
            (code::MULTIPROTOCOL, &[high, low, _reserved, safi]) => {
                nlri::family(u16::from_be_bytes([high, low]), safi).map(Capability::Multiprotocol)
            }
            (code::ROUTE_REFRESH, []) => Some(Capability::RouteRefresh),
            (code::FOUR_OCTET_ASN, &[a, b, c, d]) => {
                Some(Capability::FourOctetAsn(Asn::try_from(u32::from_be_bytes([a, b, c, d]))?))
            }
            (code::MULTIPROTOCOL | code::ROUTE_REFRESH | code::FOUR_OCTET_ASN, _) => {
                return Err(CapabilityError::Length);
            }
            (code::EXTENDED_NEXT_HOP, value) => extended_next_hop(value).map(Capability::ExtendedNextHop),
            (code::EXTENDED_MESSAGE, []) => Some(Capability::ExtendedMessage),
            (code::ROLE, &[number]) => Role::read(number).map(Capability::Role),
            (code::GRACEFUL_RESTART, value) => {
                GracefulRestart::decode(value).map(Capability::GracefulRestart)
            }
            (code::ADD_PATH, value) => add_path::decode(value).map(Capability::AddPath),
            (code::ENHANCED_ROUTE_REFRESH, []) => Some(Capability::EnhancedRouteRefresh),
            (_not_spoken_here, _) => None,
        })
    }

    /// Whether it names a family, be it one that is not spoken here.
    pub(crate) fn is_multiprotocol(&self) -> bool {
        matches!(self, Capability::Multiprotocol(_) | Capability::Unknown { code: code::MULTIPROTOCOL, .. })
    }

    /// Whether it says what the speaker is to its neighbour, be it something that nobody has registered.
    pub(crate) fn is_role(&self) -> bool {
        matches!(self, Capability::Role(_) | Capability::Unknown { code: code::ROLE, .. })
    }

    /// Whether it is about graceful restart, be it in a form that cannot be read.
    pub(crate) fn is_graceful_restart(&self) -> bool {
        matches!(
            self,
            Capability::GracefulRestart(_) | Capability::Unknown { code: code::GRACEFUL_RESTART, .. }
        )
    }

    /// Appends code, length and value. A value longer than 255 octets is cut.
    pub(crate) fn encode(&self, out: &mut Vec<u8>) {
        let (code, value) = match self {
            Capability::Multiprotocol(family) => {
                let [high, low] = nlri::afi(*family).to_be_bytes();
                (code::MULTIPROTOCOL, vec![high, low, 0, nlri::SAFI_UNICAST])
            }
            Capability::RouteRefresh => (code::ROUTE_REFRESH, Vec::new()),
            Capability::ExtendedNextHop(families) => {
                (code::EXTENDED_NEXT_HOP, families.iter().flat_map(|&family| with_ipv6(family)).collect())
            }
            Capability::ExtendedMessage => (code::EXTENDED_MESSAGE, Vec::new()),
            Capability::Role(role) => (code::ROLE, vec![*role as u8]),
            Capability::GracefulRestart(graceful) => (code::GRACEFUL_RESTART, graceful.encode()),
            Capability::FourOctetAsn(asn) => (code::FOUR_OCTET_ASN, asn.get().to_be_bytes().to_vec()),
            Capability::AddPath(families) => (code::ADD_PATH, add_path::encode(families)),
            Capability::EnhancedRouteRefresh => (code::ENHANCED_ROUTE_REFRESH, Vec::new()),
            Capability::Unknown { code, value } => (*code, value.clone()),
        };
        let value = &value[..value.len().min(255)];
        out.extend_from_slice(&[code, u8::try_from(value.len()).unwrap_or(u8::MAX)]);
        out.extend_from_slice(value);
    }
}

/// Octets of one entry: AFI and SAFI of the prefixes, AFI of the next hop, two octets each (RFC 8950 section 4).
const NEXT_HOP_ENTRY: usize = 6;

fn with_ipv6(family: Family) -> [u8; NEXT_HOP_ENTRY] {
    let [high, low] = nlri::afi(family).to_be_bytes();
    let [next_hop_high, next_hop_low] = nlri::afi(Family::Ipv6).to_be_bytes();
    [high, low, 0, nlri::SAFI_UNICAST, next_hop_high, next_hop_low]
}

/// The families whose prefixes may have an IPv6 next hop; entries about others are ignored.
fn extended_next_hop(value: &[u8]) -> Option<BTreeSet<Family>> {
    let (entries, rest) = value.as_chunks::<NEXT_HOP_ENTRY>();
    let families = Family::ALL.into_iter().filter(|&family| entries.contains(&with_ipv6(family)));
    rest.is_empty().then(|| families.collect())
}

//! Capabilities that an OPEN advertises (RFC 5492).

use crate::wire::nlri;
use crate::wire::reader::Reader;
use terms::{Asn, AsnError, Family};

const MULTIPROTOCOL: u8 = 1;
const ROUTE_REFRESH: u8 = 2;
const FOUR_OCTET_ASN: u8 = 65;

/// Something a speaker can do. What is not known here is kept as it is and has no effect (RFC 5492 section 3).
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Capability {
    /// Carries routes of a family (RFC 4760).
    Multiprotocol(Family),
    /// Tells everything again when asked (RFC 2918).
    RouteRefresh,
    /// Knows AS numbers of four octets, and this is its own (RFC 6793).
    FourOctetAsn(Asn),
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
            capabilities.push(Capability::decode(code, value)?);
        }
        Ok(capabilities)
    }

    fn decode(code: u8, value: &[u8]) -> Result<Capability, CapabilityError> {
        match (code, value) {
            (MULTIPROTOCOL, &[high, low, _reserved, safi]) => {
                let family = nlri::family(u16::from_be_bytes([high, low]), safi);
                Ok(family.map_or_else(
                    || Capability::Unknown { code, value: value.to_vec() },
                    Capability::Multiprotocol,
                ))
            }
            (ROUTE_REFRESH, []) => Ok(Capability::RouteRefresh),
            (FOUR_OCTET_ASN, &[a, b, c, d]) => {
                Ok(Capability::FourOctetAsn(Asn::try_from(u32::from_be_bytes([a, b, c, d]))?))
            }
            (MULTIPROTOCOL | ROUTE_REFRESH | FOUR_OCTET_ASN, _) => Err(CapabilityError::Length),
            (code, value) => Ok(Capability::Unknown { code, value: value.to_vec() }),
        }
    }

    /// Whether it names a family, be it one that is not spoken here.
    pub(crate) fn is_multiprotocol(&self) -> bool {
        match self {
            Capability::Multiprotocol(_) => true,
            Capability::Unknown { code, .. } => *code == MULTIPROTOCOL,
            Capability::RouteRefresh | Capability::FourOctetAsn(_) => false,
        }
    }

    /// Appends code, length and value.
    pub(crate) fn encode(&self, out: &mut Vec<u8>) {
        match self {
            Capability::Multiprotocol(family) => {
                let [high, low] = nlri::afi(*family).to_be_bytes();
                out.extend_from_slice(&[MULTIPROTOCOL, 4, high, low, 0, nlri::SAFI_UNICAST]);
            }
            Capability::RouteRefresh => out.extend_from_slice(&[ROUTE_REFRESH, 0]),
            Capability::FourOctetAsn(asn) => {
                out.extend_from_slice(&[FOUR_OCTET_ASN, 4]);
                out.extend_from_slice(&asn.get().to_be_bytes());
            }
            Capability::Unknown { code, value } => {
                let value = &value[..value.len().min(255)];
                out.extend_from_slice(&[*code, u8::try_from(value.len()).unwrap_or(u8::MAX)]);
                out.extend_from_slice(value);
            }
        }
    }
}

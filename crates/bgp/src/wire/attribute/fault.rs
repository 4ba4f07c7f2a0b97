//! What can be wrong with an attribute, and what follows from it (RFC 7606).

use crate::wire::as_path::AsPathError;
use crate::wire::attribute::AttributeCode;
use std::fmt;
use std::net::IpAddr;

/// A fault in one attribute of an UPDATE.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// Where.
    pub attribute: AttributeCode,
    /// What.
    pub problem: Problem,
    /// What follows.
    pub handling: Handling,
}

/// What follows from a fault that does not end the session; the stronger one of several counts (RFC 7606 section 3h).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Handling {
    /// As if the attribute were not there.
    Discard,
    /// As if the UPDATE withdrew all its routes.
    Withdraw,
    /// As if the session did not carry the family, from here on (RFC 4760 section 7).
    Disable,
}

/// What is wrong with an attribute.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Problem {
    /// OPTIONAL or TRANSITIVE bit (RFC 7606 section 3c; where the attribute holds prefixes, section 5.3).
    #[error("wrong flags 0x{0:02x}")]
    Flags(u8),
    /// Not the length the attribute has to have.
    #[error("wrong length {0}")]
    Length(usize),
    /// It ends after the attributes do (RFC 7606 section 4).
    #[error("longer than the attributes it is in")]
    Framing,
    /// ORIGIN with an undefined value.
    #[error("undefined value {0}")]
    Origin(u8),
    /// AS_PATH or AS4_PATH.
    #[error(transparent)]
    Path(#[from] AsPathError),
    /// A confederation shows outside of it (RFC 5065 section 5).
    #[error("a confederation of another network")]
    Confederation,
    /// AS 0 as aggregator (RFC 7607) or as the network that told customers (RFC 9234).
    #[error("AS 0")]
    AsZero,
    /// No address that packets can be sent to.
    #[error("{0} is no host")]
    NextHop(IpAddr),
    /// A next hop that hides where the prefixes begin (RFC 7606 section 7.11).
    #[error("a next hop of {0} octets")]
    NextHopLength(usize),
    /// What cannot be read cannot be withdrawn either (RFC 7606 section 3j).
    #[error("prefixes that cannot be read")]
    Prefixes,
    /// Not the first of its type (RFC 7606 section 3g).
    #[error("more than once")]
    Repeated,
    /// A mandatory attribute is not there (RFC 7606 section 3d).
    #[error("missing")]
    Missing,
    /// Only neighbours of the same AS may send it (RFC 7606 sections 7.5, 7.9, 7.10).
    #[error("from another network")]
    InternalOnly,
    /// Only neighbours that know two-octet numbers alone may send it (RFC 6793 section 4.1).
    #[error("from a neighbour that knows four-octet AS numbers")]
    FourOctetNeighbour,
    /// Routes of a family that the session does not carry.
    #[error("routes of a family that was not negotiated")]
    NotNegotiated,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.attribute, self.problem)
    }
}

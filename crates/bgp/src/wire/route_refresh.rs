//! ROUTE-REFRESH: telling a family again (RFC 2918, RFC 7313).

use crate::wire::message::{framed, kind};
use crate::wire::nlri;
use terms::Family;

const REQUEST: u8 = 0;
pub(crate) const BEGIN: u8 = 1;
pub(crate) const END: u8 = 2;

/// What a ROUTE-REFRESH is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refresh {
    /// "Tell me this family again" (RFC 2918).
    Request,
    /// "I begin to tell it again": what is not told until the end is not true any more (RFC 7313 section 4).
    Begin,
    /// "I have told it again" (RFC 7313 section 4).
    End,
    /// Something else, to be ignored (RFC 7313 section 5).
    Unknown(u8),
}

/// A ROUTE-REFRESH message. A family that is not spoken here is kept as numbers, because it has to be ignored, not
/// refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RouteRefresh {
    /// Address Family Identifier.
    pub afi: u16,
    /// What it is about.
    pub subtype: Refresh,
    /// Subsequent Address Family Identifier.
    pub safi: u8,
}

impl RouteRefresh {
    /// Asks for a family.
    pub fn of(family: Family) -> Self {
        RouteRefresh::about(family, Refresh::Request)
    }

    /// Marks or asks for a family.
    pub fn about(family: Family, subtype: Refresh) -> Self {
        RouteRefresh { afi: nlri::afi(family), subtype, safi: nlri::SAFI_UNICAST }
    }

    /// The family that it names, if it is spoken here.
    pub fn family(self) -> Option<Family> {
        nlri::family(self.afi, self.safi)
    }

    /// Reads the body; none if its length is wrong. A subtype that is not known may bring what it likes.
    pub(crate) fn decode(body: &[u8]) -> Option<Self> {
        let (&[high, low, subtype, safi], rest) = body.split_first_chunk()?;
        let afi = u16::from_be_bytes([high, low]);
        let subtype = match subtype {
            REQUEST => Refresh::Request,
            BEGIN => Refresh::Begin,
            END => Refresh::End,
            unknown => Refresh::Unknown(unknown),
        };
        let may_be_longer = matches!(subtype, Refresh::Unknown(_));
        (rest.is_empty() || may_be_longer).then_some(RouteRefresh { afi, subtype, safi })
    }

    /// The whole message.
    pub fn encode(self) -> Vec<u8> {
        let [high, low] = self.afi.to_be_bytes();
        let subtype = match self.subtype {
            Refresh::Request => REQUEST,
            Refresh::Begin => BEGIN,
            Refresh::End => END,
            Refresh::Unknown(subtype) => subtype,
        };
        framed(kind::ROUTE_REFRESH, &[high, low, subtype, self.safi])
    }
}

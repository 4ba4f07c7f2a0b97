//! Reading MP_REACH_NLRI and MP_UNREACH_NLRI (RFC 4760, RFC 7606 sections 5.3, 7.11 and 7.12).
//!
//! Once the family is known, what cannot be read costs that family alone (RFC 4760 section 7). A family that cannot
//! be read costs the session.

use super::decode::{Rejection, array};
use super::{AttributeCode, Handling, MpReach, MpUnreach, Problem};
use crate::wire::negotiated::Negotiated;
use crate::wire::nlri::{self, Nlri};
use crate::wire::notification::ErrorCode;
use crate::wire::reader::Reader;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use terms::Family;

impl AttributeCode {
    /// Whether prefixes are lost with the attribute.
    pub(super) fn has_prefixes(self) -> bool {
        [AttributeCode::MP_REACH_NLRI, AttributeCode::MP_UNREACH_NLRI].contains(&self)
    }
}

/// The family in front, if the session carries it. Routes of another one are ignored (RFC 4760 section 7).
pub(super) fn negotiated_family(
    reader: &mut Reader<'_>,
    negotiated: &Negotiated,
) -> Result<Family, Rejection> {
    let cut_short = || Rejection::Reset(ErrorCode::OPTIONAL_ATTRIBUTE);
    let afi = reader.u16().ok_or_else(cut_short)?;
    let safi = reader.u8().ok_or_else(cut_short)?;
    let family = nlri::family(afi, safi).filter(|family| negotiated.families.contains(family));
    family.ok_or_else(|| (Problem::NotNegotiated, Handling::Discard).into())
}

pub(super) fn mp_reach(value: &[u8], negotiated: &Negotiated) -> Result<MpReach, Rejection> {
    let mut reader = Reader::new(value);
    let family = negotiated_family(&mut reader, negotiated)?;
    let cut_short = || Rejection::Disable(family, Problem::Length(value.len()));
    let length = reader.u8().ok_or_else(cut_short)?;
    let octets = reader.take(length.into()).ok_or_else(cut_short)?;
    let _reserved = reader.u8().ok_or_else(cut_short)?;
    let (next_hop, link_local) = next_hop(octets, family, negotiated)
        .ok_or(Rejection::Disable(family, Problem::NextHopLength(octets.len())))?;
    let prefixes = prefixes(reader.rest(), family, negotiated)?;
    Ok(MpReach { family, next_hop, link_local, prefixes })
}

pub(super) fn mp_unreach(value: &[u8], negotiated: &Negotiated) -> Result<MpUnreach, Rejection> {
    let mut reader = Reader::new(value);
    let family = negotiated_family(&mut reader, negotiated)?;
    let prefixes = prefixes(reader.rest(), family, negotiated)?;
    Ok(MpUnreach { family, prefixes })
}

/// The next hop and its link-local address; none if the family has no next hop of that length.
fn next_hop(octets: &[u8], family: Family, negotiated: &Negotiated) -> Option<(IpAddr, Option<Ipv6Addr>)> {
    let ipv6 = family == Family::Ipv6 || negotiated.extended_next_hop.contains(&family);
    match octets.len() {
        4 if family == Family::Ipv4 => Some((Ipv4Addr::from(array::<4>(octets)?).into(), None)),
        16 if ipv6 => Some((Ipv6Addr::from(array::<16>(octets)?).into(), None)),
        // RFC 2545 section 3, RFC 8950 section 3
        32 if ipv6 => {
            let (global, link_local) = octets.split_at(16);
            let global = Ipv6Addr::from(array::<16>(global)?);
            Some((global.into(), array::<16>(link_local).map(Ipv6Addr::from)))
        }
        _ => None,
    }
}

fn prefixes(octets: &[u8], family: Family, negotiated: &Negotiated) -> Result<Vec<Nlri>, Rejection> {
    nlri::decode(octets, family, negotiated.add_path(family).receive)
        .map_err(|_| Rejection::Disable(family, Problem::Prefixes))
}

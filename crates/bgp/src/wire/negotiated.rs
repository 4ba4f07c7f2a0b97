//! What two OPENs agree on (RFC 4271 section 6.2, RFC 5492).

use crate::wire::capability::Capability;
use crate::wire::notification::{ErrorCode, Notification};
use crate::wire::open::{HoldTime, Open};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use terms::{Asn, Family};

/// Whether a neighbour is in our own network: decides which attributes are told and what a wrong one means.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum PeerKind {
    /// Same AS number (iBGP).
    Internal,
    /// Another AS number (eBGP).
    External,
}

impl PeerKind {
    /// What a neighbour of that AS is to us.
    pub fn between(local_asn: Asn, peer_asn: Asn) -> Self {
        if local_asn == peer_asn { PeerKind::Internal } else { PeerKind::External }
    }
}

/// What both sides of a connection can do: how UPDATEs are written and read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Negotiated {
    /// Whether the neighbour is in our own network.
    pub peer_kind: PeerKind,
    /// Families that both sides offered.
    pub families: BTreeSet<Family>,
    /// AS numbers in attributes have four octets (RFC 6793).
    pub four_octet_asn: bool,
    /// The smaller of both offers.
    pub hold_time: HoldTime,
}

impl Negotiated {
    /// Judges the neighbour's OPEN against ours. The error is what to answer: wrong AS, an identifier that is ours
    /// within our own AS (RFC 6286), or no family in common.
    pub fn between(ours: &Open, theirs: &Open, peer_asn: Asn) -> Result<Negotiated, Notification> {
        let peer_kind = PeerKind::between(ours.asn, peer_asn);
        if theirs.asn != peer_asn {
            return Err(ErrorCode::BAD_PEER_AS.into());
        }
        if peer_kind == PeerKind::Internal && theirs.router_id == ours.router_id {
            return Err(ErrorCode::BAD_BGP_IDENTIFIER.into());
        }
        let families: BTreeSet<Family> = &families(ours) & &families(theirs);
        if families.is_empty() {
            return Err(Notification::new(ErrorCode::UNSUPPORTED_CAPABILITY, required(ours)));
        }
        Ok(Negotiated {
            peer_kind,
            families,
            four_octet_asn: knows_four_octets(ours) && knows_four_octets(theirs),
            hold_time: ours.hold_time.min(theirs.hold_time),
        })
    }
}

fn knows_four_octets(open: &Open) -> bool {
    open.capabilities.iter().any(|capability| matches!(capability, Capability::FourOctetAsn(_)))
}

/// The families of an OPEN; a speaker that names none carries IPv4 unicast (RFC 4760 section 8).
fn families(open: &Open) -> BTreeSet<Family> {
    let named = open.capabilities.iter().filter_map(multiprotocol).collect::<BTreeSet<_>>();
    let names_other_families = open.capabilities.iter().any(Capability::is_multiprotocol);
    if named.is_empty() && !names_other_families { BTreeSet::from([Family::Ipv4]) } else { named }
}

fn multiprotocol(capability: &Capability) -> Option<Family> {
    match capability {
        Capability::Multiprotocol(family) => Some(*family),
        Capability::RouteRefresh | Capability::FourOctetAsn(_) | Capability::Unknown { .. } => None,
    }
}

/// The capabilities that were missing, as RFC 5492 section 5 wants them listed.
fn required(ours: &Open) -> Vec<u8> {
    let mut list = Vec::new();
    let families = ours.capabilities.iter().filter(|capability| multiprotocol(capability).is_some());
    families.for_each(|capability| capability.encode(&mut list));
    list
}

//! What two OPENs agree on (RFC 4271 section 6.2, RFC 5492).

use crate::wire::capability::{AddPath, Capability, GracefulRestart};
use crate::wire::message::{MAX_EXTENDED_MESSAGE, MAX_MESSAGE};
use crate::wire::notification::{ErrorCode, Notification};
use crate::wire::open::{HoldTime, Open};
use crate::wire::role::{Relation, Role};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
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
    /// UPDATE, NOTIFICATION and ROUTE-REFRESH may have up to 65535 octets (RFC 8654).
    #[serde(default)]
    pub extended_messages: bool,
    /// The neighbour tells everything again when asked (RFC 2918).
    #[serde(default)]
    pub route_refresh: bool,
    /// Both sides mark where telling again begins and ends (RFC 7313).
    #[serde(default)]
    pub enhanced_refresh: bool,
    /// Where prefixes come with a path identifier (RFC 7911).
    #[serde(default)]
    pub add_path: BTreeMap<Family, AddPath>,
    /// Families whose routes may have an IPv6 next hop (RFC 8950).
    #[serde(default)]
    pub extended_next_hop: BTreeSet<Family>,
    /// What the neighbour promises for its restart, if we offered the same (RFC 4724). Its `notification` says what
    /// both sides do (RFC 8538 section 2).
    #[serde(default)]
    pub graceful: Option<GracefulRestart>,
    /// What we are to the neighbour (RFC 9234); none where we do not say.
    #[serde(default)]
    pub relation: Option<Relation>,
}

impl Negotiated {
    /// What speakers agree on that offer both families and AS numbers of four octets, and nothing else.
    pub fn plain(peer_kind: PeerKind) -> Self {
        Negotiated {
            peer_kind,
            families: Family::ALL.into(),
            four_octet_asn: true,
            hold_time: HoldTime::DEFAULT,
            extended_messages: false,
            route_refresh: false,
            enhanced_refresh: false,
            add_path: BTreeMap::new(),
            extended_next_hop: BTreeSet::new(),
            graceful: None,
            relation: None,
        }
    }

    /// Judges the neighbour's OPEN against ours. The error is what to answer: wrong AS, an identifier that is ours
    /// within our own AS (RFC 6286), roles that do not go together (RFC 9234), or no family in common.
    pub fn between(ours: &Open, theirs: &Open, peer_asn: Asn) -> Result<Negotiated, Notification> {
        let peer_kind = PeerKind::between(ours.asn, peer_asn);
        if theirs.asn != peer_asn {
            return Err(ErrorCode::BAD_PEER_AS.into());
        }
        if peer_kind == PeerKind::Internal && theirs.router_id == ours.router_id {
            return Err(ErrorCode::BAD_BGP_IDENTIFIER.into());
        }
        let role = role(ours);
        if !roles_agree(role, theirs) {
            return Err(ErrorCode::ROLE_MISMATCH.into());
        }
        let families: BTreeSet<Family> = &offered_families(ours) & &offered_families(theirs);
        if families.is_empty() {
            return Err(Notification::new(ErrorCode::UNSUPPORTED_CAPABILITY, required(ours)));
        }
        let both = |capability| offers(ours, &capability) && offers(theirs, &capability);
        Ok(Negotiated {
            peer_kind,
            families,
            four_octet_asn: knows_four_octets(ours) && knows_four_octets(theirs),
            hold_time: ours.hold_time.min(theirs.hold_time),
            extended_messages: both(Capability::ExtendedMessage),
            route_refresh: offers(theirs, &Capability::RouteRefresh),
            enhanced_refresh: both(Capability::EnhancedRouteRefresh),
            add_path: add_path(ours, theirs),
            extended_next_hop: &ipv6_next_hops(ours) & &ipv6_next_hops(theirs),
            graceful: graceful(ours, theirs),
            relation: role.map(|role| Relation { role, is_mutual: theirs.has_role() }),
        })
    }

    /// Octets that an UPDATE may have at most.
    pub fn max_message(&self) -> usize {
        if self.extended_messages { MAX_EXTENDED_MESSAGE } else { MAX_MESSAGE }
    }

    /// Whether prefixes of a family come with a path identifier.
    pub fn add_path(&self, family: Family) -> AddPath {
        self.add_path.get(&family).copied().unwrap_or_default()
    }
}

fn offers(open: &Open, capability: &Capability) -> bool {
    open.capabilities.contains(capability)
}

fn knows_four_octets(open: &Open) -> bool {
    open.capabilities.iter().any(|capability| matches!(capability, Capability::FourOctetAsn(_)))
}

/// The families of an OPEN; a speaker that names none carries IPv4 unicast (RFC 4760 section 8).
fn offered_families(open: &Open) -> BTreeSet<Family> {
    let named = open.capabilities.iter().filter_map(multiprotocol).collect::<BTreeSet<_>>();
    let names_other_families = open.capabilities.iter().any(Capability::is_multiprotocol);
    if named.is_empty() && !names_other_families { BTreeSet::from([Family::Ipv4]) } else { named }
}

fn multiprotocol(capability: &Capability) -> Option<Family> {
    if let Capability::Multiprotocol(family) = capability { Some(*family) } else { None }
}

/// The capabilities that were missing, as RFC 5492 section 5 wants them listed.
fn required(ours: &Open) -> Vec<u8> {
    let mut list = Vec::new();
    let families = ours.capabilities.iter().filter(|capability| multiprotocol(capability).is_some());
    families.for_each(|capability| capability.encode(&mut list));
    list
}

fn role(open: &Open) -> Option<Role> {
    open.capabilities
        .iter()
        .find_map(|capability| if let Capability::Role(role) = capability { Some(*role) } else { None })
}

/// RFC 9234 section 4.2: a neighbour that says what it is says it once, or the same each time, and it is what goes
/// with our role. Without a role of ours there is nothing to compare, but several that differ are wrong all the same.
fn roles_agree(ours: Option<Role>, theirs: &Open) -> bool {
    let mut said = theirs.capabilities.iter().filter(|capability| capability.is_role());
    let Some(first) = said.next() else { return true };
    let expected = ours.is_none_or(|role| *first == Capability::Role(role.counterpart()));
    expected && said.all(|another| another == first)
}

/// What happens in each family that has any path identifiers.
fn add_path(ours: &Open, theirs: &Open) -> BTreeMap<Family, AddPath> {
    let (ours, theirs) = (path_abilities(ours), path_abilities(theirs));
    let agreed = ours.into_iter().filter_map(|(family, ours)| {
        let agreed = ours.with(*theirs.get(&family)?);
        (agreed != AddPath::default()).then_some((family, agreed))
    });
    agreed.collect()
}

fn path_abilities(open: &Open) -> BTreeMap<Family, AddPath> {
    let mut abilities = BTreeMap::new();
    for capability in &open.capabilities {
        if let Capability::AddPath(families) = capability {
            abilities.extend(families);
        }
    }
    abilities
}

fn ipv6_next_hops(open: &Open) -> BTreeSet<Family> {
    let mut families = BTreeSet::new();
    for capability in &open.capabilities {
        if let Capability::ExtendedNextHop(more) = capability {
            families.extend(more);
        }
    }
    families
}

fn graceful(ours: &Open, theirs: &Open) -> Option<GracefulRestart> {
    let (ours, theirs) = (restart(ours)?, restart(theirs)?);
    Some(GracefulRestart { notification: ours.notification && theirs.notification, ..theirs.clone() })
}

/// RFC 4724 section 3: the last one counts, readable or not.
fn restart(open: &Open) -> Option<&GracefulRestart> {
    let last = open.capabilities.iter().rfind(|capability| capability.is_graceful_restart())?;
    if let Capability::GracefulRestart(graceful) = last { Some(graceful) } else { None }
}

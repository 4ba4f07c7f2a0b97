//! Routes that this site wants its neighbours to know.

use crate::{Asn, Community, ExtendedCommunity, LargeCommunity, Prefix};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::net::IpAddr;
use utoipa::ToSchema;

/// ORIGIN (RFC 4271 section 5.1.1): how the route came into BGP.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ToSchema,
)]
#[serde(rename_all = "lowercase")]
pub enum Origin {
    /// From the announcing network itself.
    #[default]
    Igp,
    /// From the historic EGP protocol.
    Egp,
    /// In some other way.
    Incomplete,
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Origin::Igp => "igp",
            Origin::Egp => "egp",
            Origin::Incomplete => "incomplete",
        })
    }
}

/// What is told to one neighbour about one prefix.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ToSchema)]
pub struct Attributes {
    /// How the route came into BGP.
    pub origin: Origin,
    /// The path before the speaker adds itself: empty for a route of our own. A speaker puts its own number in
    /// front once towards another AS (RFC 4271 section 5.1.2); prepends are further copies written here.
    pub path: Vec<Asn>,
    /// Where packets are to be sent. Its family is that of the prefix.
    #[schema(value_type = String)]
    pub next_hop: IpAddr,
    /// MULTI_EXIT_DISC: lower is preferred among routes from the same neighbour AS.
    pub med: Option<u32>,
    /// LOCAL_PREF: told to neighbours of the same AS only.
    pub local_pref: Option<u32>,
    /// Standard communities (RFC 1997).
    pub communities: BTreeSet<Community>,
    /// Extended communities (RFC 4360).
    pub extended_communities: BTreeSet<ExtendedCommunity>,
    /// Large communities (RFC 8092).
    pub large_communities: BTreeSet<LargeCommunity>,
}

impl Attributes {
    /// A plain route of our own towards `next_hop`.
    pub fn originated(next_hop: IpAddr) -> Self {
        Attributes {
            origin: Origin::Igp,
            path: Vec::new(),
            next_hop,
            med: None,
            local_pref: None,
            communities: BTreeSet::new(),
            extended_communities: BTreeSet::new(),
            large_communities: BTreeSet::new(),
        }
    }
}

/// Everything one neighbour is to know: always the complete set, never a difference, so that nothing can get lost
/// on the way from the decision to the speaker.
pub type RouteSet = BTreeMap<Prefix, Attributes>;

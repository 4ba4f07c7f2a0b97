//! Path attributes: what a route says about itself (RFC 4271 section 5, RFC 4760, RFC 7606).

mod decode;
mod encode;
mod fault;
mod multiprotocol;

pub(crate) use decode::Attributes;
pub(crate) use encode::encode;
pub use fault::{Fault, Handling, Problem};

use crate::wire::as_path::AsPath;
use crate::wire::nlri::Nlri;
use std::collections::BTreeSet;
use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use terms::{Asn, Community, ExtendedCommunity, Family, LargeCommunity, Origin};

/// The type of a path attribute (IANA "BGP Path Attributes").
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct AttributeCode(pub u8);

macro_rules! attribute_codes {
    ($($constant:ident = $code:literal, $name:literal;)+) => {
        impl AttributeCode {
            $(
                #[doc = concat!($name, ".")]
                pub const $constant: AttributeCode = AttributeCode($code);
            )+
        }

        impl fmt::Display for AttributeCode {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                match self.0 {
                    $($code => f.write_str($name),)+
                    code => write!(f, "attribute {code}"),
                }
            }
        }
    };
}

attribute_codes! {
    ORIGIN = 1, "ORIGIN";
    AS_PATH = 2, "AS_PATH";
    NEXT_HOP = 3, "NEXT_HOP";
    MULTI_EXIT_DISC = 4, "MULTI_EXIT_DISC";
    LOCAL_PREF = 5, "LOCAL_PREF";
    ATOMIC_AGGREGATE = 6, "ATOMIC_AGGREGATE";
    AGGREGATOR = 7, "AGGREGATOR";
    COMMUNITIES = 8, "COMMUNITIES";
    ORIGINATOR_ID = 9, "ORIGINATOR_ID";
    CLUSTER_LIST = 10, "CLUSTER_LIST";
    MP_REACH_NLRI = 14, "MP_REACH_NLRI";
    MP_UNREACH_NLRI = 15, "MP_UNREACH_NLRI";
    EXTENDED_COMMUNITIES = 16, "EXTENDED_COMMUNITIES";
    AS4_PATH = 17, "AS4_PATH";
    AS4_AGGREGATOR = 18, "AS4_AGGREGATOR";
    IPV6_EXTENDED_COMMUNITIES = 25, "IPV6_EXTENDED_COMMUNITIES";
    LARGE_COMMUNITY = 32, "LARGE_COMMUNITY";
    ONLY_TO_CUSTOMER = 35, "ONLY_TO_CUSTOMER";
}

/// Bits of the attribute flags octet (RFC 4271 section 4.3).
pub(crate) mod flag {
    pub(crate) const OPTIONAL: u8 = 0x80;
    pub(crate) const TRANSITIVE: u8 = 0x40;
    pub(crate) const EXTENDED_LENGTH: u8 = 0x10;
}

impl AttributeCode {
    /// The OPTIONAL and TRANSITIVE bits the attribute has to have; none for one that is not known here.
    pub(crate) fn category(self) -> Option<u8> {
        match self {
            AttributeCode::ORIGIN
            | AttributeCode::AS_PATH
            | AttributeCode::NEXT_HOP
            | AttributeCode::LOCAL_PREF
            | AttributeCode::ATOMIC_AGGREGATE => Some(flag::TRANSITIVE),
            AttributeCode::MULTI_EXIT_DISC
            | AttributeCode::ORIGINATOR_ID
            | AttributeCode::CLUSTER_LIST
            | AttributeCode::MP_REACH_NLRI
            | AttributeCode::MP_UNREACH_NLRI => Some(flag::OPTIONAL),
            AttributeCode::AGGREGATOR
            | AttributeCode::COMMUNITIES
            | AttributeCode::EXTENDED_COMMUNITIES
            | AttributeCode::AS4_PATH
            | AttributeCode::AS4_AGGREGATOR
            | AttributeCode::IPV6_EXTENDED_COMMUNITIES
            | AttributeCode::LARGE_COMMUNITY
            | AttributeCode::ONLY_TO_CUSTOMER => Some(flag::OPTIONAL | flag::TRANSITIVE),
            AttributeCode(_) => None,
        }
    }
}

/// What the attributes of an UPDATE say. AS4_PATH and AS4_AGGREGATOR are merged into what they complete; attributes
/// that are not known here are left out.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PathAttributes {
    /// How the routes came into BGP.
    pub origin: Option<Origin>,
    /// The networks they came through.
    pub as_path: Option<AsPath>,
    /// Where packets go that are for the prefixes of the NLRI field.
    pub next_hop: Option<Ipv4Addr>,
    /// Lower is preferred among routes from the same network.
    pub med: Option<u32>,
    /// Higher is preferred; only within an AS.
    pub local_pref: Option<u32>,
    /// More specific networks were left out of the path.
    pub atomic_aggregate: bool,
    /// Who made one route of several.
    pub aggregator: Option<Aggregator>,
    /// Standard communities (RFC 1997).
    pub communities: BTreeSet<Community>,
    /// Extended communities (RFC 4360).
    pub extended_communities: BTreeSet<ExtendedCommunity>,
    /// Extended communities that name an IPv6 address (RFC 5701).
    pub ipv6_extended_communities: BTreeSet<Ipv6ExtendedCommunity>,
    /// Large communities (RFC 8092).
    pub large_communities: BTreeSet<LargeCommunity>,
    /// Who brought the routes into our network, where they were reflected (RFC 4456).
    pub originator_id: Option<Ipv4Addr>,
    /// The reflectors they came through, the last one first (RFC 4456).
    pub cluster_list: Vec<Ipv4Addr>,
    /// The network that told them to its customers or peers: from there they go to customers only (RFC 9234).
    pub only_to_customer: Option<Asn>,
    /// Prefixes that can be reached, with their own next hop (RFC 4760).
    pub mp_reach: Option<MpReach>,
    /// Prefixes that cannot be reached any more (RFC 4760).
    pub mp_unreach: Option<MpUnreach>,
}

/// One of the IPV6_EXTENDED_COMMUNITIES, as it is on the wire (RFC 5701 section 2).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Ipv6ExtendedCommunity(pub [u8; 20]);

/// AGGREGATOR: who made one route of several (RFC 4271 section 5.1.7).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Aggregator {
    /// Its network.
    pub asn: Asn,
    /// Its BGP identifier, or whatever it wrote there.
    pub router: Ipv4Addr,
}

/// MP_REACH_NLRI (RFC 4760 section 3).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MpReach {
    /// Family of the prefixes.
    pub family: Family,
    /// Where packets go: an address of the same family, or IPv6 for IPv4 prefixes (RFC 8950).
    pub next_hop: IpAddr,
    /// The next hop's link-local address, on a shared link (RFC 2545 section 3).
    pub link_local: Option<Ipv6Addr>,
    /// What can be reached.
    pub prefixes: Vec<Nlri>,
}

/// MP_UNREACH_NLRI (RFC 4760 section 4).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MpUnreach {
    /// Family of the prefixes.
    pub family: Family,
    /// What cannot be reached any more; none is End-of-RIB (RFC 4724).
    pub prefixes: Vec<Nlri>,
}

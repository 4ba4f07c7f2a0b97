//! From the decision to the routes of one peer: a pure function, applied to the whole every time.
//!
//! | level | what the peer is told of the group's prefixes |
//! |---|---|
//! | normal | the attributes that the site file always gives them |
//! | depref | these, with the prepends and communities of `deprefer` beside them and its MED and LOCAL_PREF in their place |
//! | gshut | as depref, marked with 65535:0; within our AS with LOCAL_PREF 0 (RFC 8326 section 4) |
//! | none | nothing |
//!
//! Covering prefixes are told with the attributes of the level normal, whatever the levels are.
//!
//! Beside these stand the blackholes that the peer takes; they change nothing about any other route.

pub(crate) mod blackhole;

use announce::Level;
use blackhole::Blackhole;
use config::{Labels, NextHop, Policy};
use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::Arc;
use terms::{Asn, Attributes, Community, Family, PeerName, Prefix, RouteSet, Timestamp};

/// What the site announces now: every group, always the whole.
#[derive(Clone, Debug, Default)]
pub(crate) struct Decision {
    /// The groups, in the order of the site file.
    pub(crate) groups: Vec<GroupLevel>,
    /// What is announced whatever the groups are.
    pub(crate) covers: Arc<[Prefix]>,
    /// Where the services are asked.
    pub(crate) addresses: Arc<[IpAddr]>,
    /// What peers are to drop, in the order in which it was ordered.
    pub(crate) blackholes: Arc<[Blackhole]>,
    /// How often each peer was to be told everything again, because it was found to know something else.
    pub(crate) again: BTreeMap<PeerName, u64>,
    /// Whether every group has decided since the start: what a restart has to decide is in here.
    pub(crate) settled: bool,
    /// When the verdict was known that led to this, where it was a verdict; for measuring how long the wire takes.
    pub(crate) verdict: Option<Timestamp>,
}

/// How strongly one group is announced.
#[derive(Clone, Debug)]
pub(crate) struct GroupLevel {
    /// How strongly.
    pub(crate) level: Level,
    /// What.
    pub(crate) prefixes: Arc<[Prefix]>,
}

/// Where a peer is to send packets, for each family that it is told routes of.
pub(crate) type NextHops = BTreeMap<Family, IpAddr>;

/// What the routes of one peer depend on beside the decision.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Towards<'a> {
    /// Who it is.
    pub(crate) peer: &'a PeerName,
    /// Where it is to send packets.
    pub(crate) next_hops: &'a NextHops,
    /// What it is told at each level.
    pub(crate) policy: &'a Policy,
    /// Our network, for prepends.
    pub(crate) local_asn: Asn,
}

/// LOCAL_PREF of a route that is about to go away (RFC 8326 section 4): the lowest.
const GRACEFUL_SHUTDOWN_LOCAL_PREF: u32 = 0;

/// The next hops as the site file says, with our own address on the session where it says so. Before there is a
/// session, nothing can be told to that family.
pub(crate) fn next_hops(configured: &BTreeMap<Family, NextHop>, ours: Option<IpAddr>) -> NextHops {
    let resolved = configured.iter().filter_map(|(&family, next_hop)| match next_hop {
        NextHop::Address(address) => Some((family, *address)),
        NextHop::SessionAddress => Some((family, ours?)),
    });
    resolved.collect()
}

/// Everything that the peer is to know.
pub(crate) fn routes(decision: &Decision, to: &Towards<'_>) -> RouteSet {
    let mut told = services(decision, to);
    for (prefix, route) in blackhole::routes(decision, to, &told).collect::<Vec<_>>() {
        if let Ok(attributes) = route {
            told.entry(prefix).or_insert(attributes);
        }
    }
    told
}

/// What the peer is to know of the services, blackholes aside.
pub(crate) fn services(decision: &Decision, to: &Towards<'_>) -> RouteSet {
    let covers = decision.covers.iter().map(|&prefix| (prefix, Level::Normal));
    let of_groups =
        decision.groups.iter().flat_map(|group| group.prefixes.iter().map(|&prefix| (prefix, group.level)));
    let levels = covers.chain(of_groups);
    levels.filter_map(|(prefix, level)| Some((prefix, to.attributes(prefix.family(), level)?))).collect()
}

impl Towards<'_> {
    /// What is said about a prefix of that family; none if it is not told.
    fn attributes(&self, family: Family, level: Level) -> Option<Attributes> {
        let next_hop = *self.next_hops.get(&family)?;
        match level {
            Level::None => None,
            Level::Gshut => Some(going_away(self.less_preferred(next_hop))),
            Level::Depref => Some(self.less_preferred(next_hop)),
            Level::Normal => Some(self.normal(next_hop)),
        }
    }

    fn normal(&self, next_hop: IpAddr) -> Attributes {
        self.labelled(next_hop, &self.policy.always)
    }

    fn labelled(&self, next_hop: IpAddr, labels: &Labels) -> Attributes {
        Attributes {
            path: self.prepends(labels.prepend),
            med: labels.med,
            local_pref: labels.local_pref,
            communities: labels.communities.clone(),
            extended_communities: labels.extended_communities.clone(),
            large_communities: labels.large_communities.clone(),
            ..Attributes::originated(next_hop)
        }
    }

    fn less_preferred(&self, next_hop: IpAddr) -> Attributes {
        let (normal, less) = (self.normal(next_hop), &self.policy.deprefer);
        let prepends = self.policy.always.prepend.saturating_add(less.prepend);
        Attributes {
            path: self.prepends(prepends),
            med: less.med.or(normal.med),
            local_pref: less.local_pref.or(normal.local_pref),
            communities: &normal.communities | &less.communities,
            extended_communities: &normal.extended_communities | &less.extended_communities,
            large_communities: &normal.large_communities | &less.large_communities,
            ..normal
        }
    }

    fn prepends(&self, count: u8) -> Vec<Asn> {
        vec![self.local_asn; usize::from(count)]
    }
}

fn going_away(mut attributes: Attributes) -> Attributes {
    attributes.communities.insert(Community::GRACEFUL_SHUTDOWN);
    if let Some(local_pref) = &mut attributes.local_pref {
        *local_pref = GRACEFUL_SHUTDOWN_LOCAL_PREF;
    }
    attributes
}

#[cfg(test)]
mod tests;

//! From the decision to the routes of one peer: a pure function, applied to the whole every time.

use announce::Level;
use config::NextHop;
use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::Arc;
use terms::{Attributes, Family, PeerName, Prefix, RouteSet, Timestamp};

/// What the site announces now: every group, always the whole.
#[derive(Clone, Debug, Default)]
pub(crate) struct Decision {
    /// The groups, in the order of the site file.
    pub(crate) groups: Vec<GroupLevel>,
    /// How often each peer was to be told everything again, because it was found to know something else.
    pub(crate) again: BTreeMap<PeerName, u64>,
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

/// The next hops as the site file says, with our own address on the session where it says so. Before there is a
/// session, nothing can be told to that family.
pub(crate) fn next_hops(configured: &BTreeMap<Family, NextHop>, ours: Option<IpAddr>) -> NextHops {
    let resolved = configured.iter().filter_map(|(&family, next_hop)| match next_hop {
        NextHop::Address(address) => Some((family, *address)),
        NextHop::SessionAddress => Some((family, ours?)),
    });
    resolved.collect()
}

/// Everything that a peer with these next hops is to know.
pub(crate) fn routes(decision: &Decision, next_hops: &NextHops) -> RouteSet {
    let announced = decision.groups.iter().filter(|group| group.level > Level::None);
    let prefixes = announced.flat_map(|group| group.prefixes.iter());
    let with_next_hop = prefixes.filter_map(|&prefix| Some((prefix, *next_hops.get(&prefix.family())?)));
    with_next_hop.map(|(prefix, next_hop)| (prefix, Attributes::originated(next_hop))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn group(level: Level, prefixes: &[&str]) -> GroupLevel {
        GroupLevel { level, prefixes: prefixes.iter().map(|text| text.parse().unwrap()).collect() }
    }

    fn configured(ipv6: NextHop) -> BTreeMap<Family, NextHop> {
        BTreeMap::from([(Family::Ipv4, NextHop::SessionAddress), (Family::Ipv6, ipv6)])
    }

    fn decision() -> Decision {
        let groups = vec![
            group(Level::Normal, &["198.18.0.0/24", "2001:db8:53::/48"]),
            group(Level::None, &["203.0.113.0/24"]),
        ];
        Decision { groups, ..Decision::default() }
    }

    #[test]
    fn a_group_is_told_whole_or_not_at_all() {
        let hops = configured(NextHop::Address("2001:db8::1".parse().unwrap()));
        let told = routes(&decision(), &next_hops(&hops, Some("10.0.0.1".parse().unwrap())));
        let lines: Vec<String> = told.iter().map(|(p, a)| format!("{p} via {}", a.next_hop)).collect();
        assert_eq!(lines, ["198.18.0.0/24 via 10.0.0.1", "2001:db8:53::/48 via 2001:db8::1"]);
    }

    #[test]
    fn without_a_session_only_configured_next_hops_are_known() {
        let hops = configured(NextHop::Address("2001:db8::1".parse().unwrap()));
        let told = routes(&decision(), &next_hops(&hops, None));
        assert_eq!(told.keys().map(Prefix::to_string).collect::<Vec<_>>(), ["2001:db8:53::/48"]);
    }

    #[test]
    fn a_family_that_the_peer_does_not_carry_is_not_told() {
        let hops = BTreeMap::from([(Family::Ipv4, NextHop::SessionAddress)]);
        let told = routes(&decision(), &next_hops(&hops, Some("10.0.0.1".parse().unwrap())));
        assert_eq!(told.keys().map(Prefix::to_string).collect::<Vec<_>>(), ["198.18.0.0/24"]);
    }
}

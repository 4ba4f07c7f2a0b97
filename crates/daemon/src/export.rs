//! From the decision to the routes of one peer: a pure function, applied to the whole every time.

use announce::Level;
use std::net::IpAddr;
use std::sync::Arc;
use terms::{Attributes, Family, Prefix, RouteSet, Timestamp};

/// What the site announces now: every group, always the whole.
#[derive(Clone, Debug, Default)]
pub(crate) struct Decision {
    /// The groups, in the order of the site file.
    pub(crate) groups: Vec<GroupLevel>,
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

/// Where a peer is to send packets, for each family; none: it is not told routes of that family.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct NextHops {
    pub(crate) ipv4: Option<IpAddr>,
    pub(crate) ipv6: Option<IpAddr>,
}

impl NextHops {
    /// The same, with our own address on the session for the family that has no other next hop.
    pub(crate) fn or_ours(mut self, ours: IpAddr) -> Self {
        match ours {
            IpAddr::V4(_) => self.ipv4 = self.ipv4.or(Some(ours)),
            IpAddr::V6(_) => self.ipv6 = self.ipv6.or(Some(ours)),
        }
        self
    }

    fn of(self, family: Family) -> Option<IpAddr> {
        match family {
            Family::Ipv4 => self.ipv4,
            Family::Ipv6 => self.ipv6,
        }
    }
}

/// Everything that a peer with these next hops is to know.
pub(crate) fn routes(decision: &Decision, next_hops: NextHops) -> RouteSet {
    let announced = decision.groups.iter().filter(|group| group.level > Level::None);
    let prefixes = announced.flat_map(|group| group.prefixes.iter());
    let with_next_hop = prefixes.filter_map(|&prefix| Some((prefix, next_hops.of(prefix.family())?)));
    with_next_hop.map(|(prefix, next_hop)| (prefix, Attributes::originated(next_hop))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn group(level: Level, prefixes: &[&str]) -> GroupLevel {
        GroupLevel { level, prefixes: prefixes.iter().map(|text| text.parse().unwrap()).collect() }
    }

    fn hops(ipv4: Option<&str>, ipv6: Option<&str>) -> NextHops {
        NextHops { ipv4: ipv4.map(|a| a.parse().unwrap()), ipv6: ipv6.map(|a| a.parse().unwrap()) }
    }

    #[test]
    fn a_group_is_told_whole_or_not_at_all() {
        let decision = Decision {
            groups: vec![
                group(Level::Normal, &["198.18.0.0/24", "2001:db8:53::/48"]),
                group(Level::None, &["203.0.113.0/24"]),
            ],
            verdict: None,
        };
        let told = routes(&decision, hops(Some("10.0.0.1"), Some("2001:db8::1")));
        let lines: Vec<String> = told.iter().map(|(p, a)| format!("{p} via {}", a.next_hop)).collect();
        assert_eq!(lines, ["198.18.0.0/24 via 10.0.0.1", "2001:db8:53::/48 via 2001:db8::1"]);
    }

    #[test]
    fn a_family_without_a_next_hop_is_not_told() {
        let decision = Decision {
            groups: vec![group(Level::Normal, &["198.18.0.0/24", "2001:db8:53::/48"])],
            verdict: None,
        };
        let told = routes(&decision, hops(None, None).or_ours("10.0.0.1".parse().unwrap()));
        assert_eq!(told.keys().map(Prefix::to_string).collect::<Vec<_>>(), ["198.18.0.0/24"]);
    }

    #[test]
    fn a_configured_next_hop_wins_over_our_own_address() {
        let configured = hops(Some("10.9.9.9"), None);
        assert_eq!(configured.or_ours("10.0.0.1".parse().unwrap()), configured);
    }
}

//! Whether the peers really know what was decided: what each session has told is read back and compared with what
//! the decision asks for. A difference is a reason to tell again, never one to withdraw.

use crate::bgp::View;
use crate::export::{self, Decision, GroupLevel};
use crate::status::Peer;
use announce::Readback;
use bgp::session::StateName;
use terms::{PeerName, Prefix, RouteSet};

/// What the peers with a session know of one group. A peer without one knows nothing and is told everything when it
/// has one again.
pub(super) fn read_back(group: &GroupLevel, peers: &[Peer]) -> Readback {
    let decision = Decision { groups: vec![group.clone()], ..Decision::default() };
    let differs = |peer: &PeerName, view: &View| {
        let wanted = export::routes(&decision, &view.towards(peer));
        group.prefixes.iter().any(|&prefix| differs(view, &wanted, prefix))
    };
    let differing =
        peers.iter().filter(|peer| differs(&peer.name, &peer.view.borrow())).map(|peer| peer.name.clone());
    let peers: Vec<PeerName> = differing.collect();
    if peers.is_empty() { Readback::Agrees } else { Readback::Differs { peers } }
}

fn differs(view: &View, wanted: &RouteSet, prefix: Prefix) -> bool {
    // What the session cannot carry is a matter of the session, and told as such.
    let can_know = view.state == StateName::Established && view.families.contains(&prefix.family());
    let told = view.ledger.entry(prefix).and_then(|entry| entry.attributes.as_ref());
    can_know && told != wanted.get(&prefix)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bgp::Ledger;
    use announce::Level;
    use terms::{Attributes, Family, WallTime};
    use tokio::sync::watch;

    fn group(level: Level) -> GroupLevel {
        let prefixes = ["198.18.0.0/24", "2001:db8:53::/48"].map(|text| text.parse().unwrap());
        GroupLevel { level, prefixes: prefixes.into() }
    }

    /// A peer of these families that was told this one route.
    fn peer(state: StateName, families: &[Family], told: &[&str]) -> watch::Receiver<View> {
        let next_hops =
            [(Family::Ipv4, "10.1.0.10".parse().unwrap()), (Family::Ipv6, "2001:db8:1::10".parse().unwrap())];
        let next_hops = export::NextHops::from(next_hops);
        let route = |text: &&str| {
            let prefix: Prefix = text.parse().unwrap();
            (prefix, Attributes::originated(next_hops[&prefix.family()]))
        };
        let mut ledger = Ledger::default();
        ledger.note(&told.iter().map(route).collect(), WallTime(1));
        let families = families.iter().copied().collect();
        let view = View::for_test(state, families, next_hops, ledger);
        watch::channel(view).1
    }

    const BOTH: [Family; 2] = [Family::Ipv4, Family::Ipv6];

    fn named(views: Vec<watch::Receiver<View>>) -> Vec<Peer> {
        let peer = |(name, view): (&str, _)| {
            Peer::for_test(
                name.parse().unwrap(),
                "10.1.0.1".parse().unwrap(),
                64500.try_into().unwrap(),
                view,
            )
        };
        ["a", "b"].into_iter().zip(views).map(peer).collect()
    }

    #[test]
    fn who_was_told_something_else_is_named() {
        let all = ["198.18.0.0/24", "2001:db8:53::/48"];
        let peers = named(vec![
            peer(StateName::Established, &BOTH, &all),
            peer(StateName::Established, &BOTH, &all[..1]),
        ]);
        let differs = |name: &str| Readback::Differs { peers: vec![name.parse().unwrap()] };
        assert_eq!(read_back(&group(Level::Normal), &peers), differs("b"));
        let peers =
            named(vec![peer(StateName::Established, &BOTH, &[]), peer(StateName::Established, &BOTH, &all)]);
        assert_eq!(read_back(&group(Level::None), &peers), differs("b"), "a route that should be gone");
    }

    #[test]
    fn who_cannot_know_does_not_differ() {
        let peers = named(vec![
            peer(StateName::Idle, &BOTH, &[]),
            peer(StateName::Established, &[Family::Ipv4], &["198.18.0.0/24"]),
        ]);
        assert_eq!(read_back(&group(Level::Normal), &peers), Readback::Agrees);
    }

    #[test]
    fn other_attributes_differ_even_where_the_prefix_agrees() {
        let all = ["198.18.0.0/24", "2001:db8:53::/48"];
        let peers = named(vec![peer(StateName::Established, &BOTH, &all)]);
        assert_eq!(read_back(&group(Level::Normal), &peers), Readback::Agrees);
        assert_ne!(read_back(&group(Level::Gshut), &peers), Readback::Agrees);
    }
}

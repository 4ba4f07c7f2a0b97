use super::*;
use crate::export::{self, GroupLevel, NextHops};
use announce::Level;
use config::{Peer, SiteFile};
use proptest::prelude::*;
use std::sync::Arc;

/// Peers that take no blackholes, single addresses, shorter ones, few of them, and those of our own network.
const SITE: &str = r#"
[site]
name = "london"
asn = 64501
router_id = "10.1.0.10"
[[peer]]
name = "bare"
address = "10.1.0.1"
asn = 64500
[[peer]]
name = "plain"
address = "10.1.0.2"
asn = 64502
prepend = 2
med = 10
communities = ["64502:100"]
families = ["ipv4", "ipv6"]
next_hop6 = "2001:db8:1::10"
blackhole = true
[[peer]]
name = "rich"
address = "10.1.0.3"
asn = 64503
blackhole = { communities = ["64503:666", "64503:0:666"], no_export = false, max = 2, shortest4 = 25, next_hop4 = "192.0.2.1" }
[[peer]]
name = "inside"
address = "10.1.0.4"
asn = 64501
blackhole = true
[[service]]
name = "dns"
addresses = ["198.18.0.53", "2001:db8:53::53"]
announce = ["198.18.0.0/24", "2001:db8:53::/48"]
cover = ["198.18.0.0/16"]
[[service.check]]
dns = { name = "example." }
[[service]]
name = "web"
addresses = ["203.0.113.80"]
announce = ["203.0.113.0/24", "203.0.113.64/26"]
[[service.check]]
dns = { name = "example." }
"#;

fn site() -> SiteFile {
    config::parse("site.toml", SITE, std::path::Path::new("")).unwrap_or_else(|faults| panic!("{faults}"))
}

/// Both groups at their levels, with these blackholes.
fn decision(site: &SiteFile, levels: [Level; 2], blackholes: Vec<Blackhole>) -> Decision {
    let groups = site.groups.iter().zip(levels);
    Decision {
        groups: groups
            .map(|(group, level)| GroupLevel { level, prefixes: group.prefixes.iter().copied().collect() })
            .collect(),
        covers: site.covers().into_iter().collect(),
        addresses: site.services.iter().flat_map(|service| service.addresses.iter().copied()).collect(),
        blackholes: Arc::from(blackholes),
        ..Decision::default()
    }
}

fn next_hops(peer: &Peer) -> NextHops {
    export::next_hops(&peer.next_hops, Some("10.1.0.10".parse().unwrap()))
}

fn to<'a>(peer: &'a Peer, next_hops: &'a NextHops) -> Towards<'a> {
    Towards { peer: &peer.name, next_hops, policy: &peer.policy, local_asn: peer.session.local_asn }
}

fn told(decision: &Decision, peer: &Peer) -> RouteSet {
    export::routes(decision, &to(peer, &next_hops(peer)))
}

fn blackhole(prefix: &str) -> Blackhole {
    Blackhole { prefix: prefix.parse().unwrap(), peers: BTreeSet::new(), override_guard: false }
}

/// What each peer makes of it while both groups are announced.
fn outcomes(blackholes: Vec<Blackhole>) -> Vec<String> {
    outcomes_at([Level::Normal; 2], blackholes)
}

fn outcomes_at(levels: [Level; 2], blackholes: Vec<Blackhole>) -> Vec<String> {
    let site = site();
    let last = blackholes.last().unwrap().prefix;
    let decision = decision(&site, levels, blackholes);
    let outcome = |peer: &Peer| {
        let hops = next_hops(peer);
        let to = to(peer, &hops);
        let beside = export::services(&decision, &to);
        let mut all = routes(&decision, &to, &beside);
        let gets = all.find(|(prefix, _)| *prefix == last).unwrap().1;
        let words = match gets {
            Ok(Attributes { next_hop, path, communities, large_communities, med, .. }) => {
                let large = large_communities.iter().map(ToString::to_string);
                let labels: Vec<String> = communities.iter().map(ToString::to_string).chain(large).collect();
                assert_eq!((path.len(), med), (0, None), "it competes with nothing");
                format!("{} via {next_hop}", labels.join(" "))
            }
            Err(why) => why.to_string(),
        };
        format!("{}: {words}", peer.name)
    };
    site.peers.iter().map(outcome).collect()
}

const TAKES_NONE: &str = "bare: its section in the site file has no `blackhole`";

#[test]
fn each_peer_gets_what_its_section_says_and_nothing_else() {
    let all = [
        TAKES_NONE,
        "plain: 65535:666 65535:65281 via 10.1.0.10",
        "rich: 64503:666 64503:0:666 via 192.0.2.1",
        "inside: 65535:666 via 10.1.0.10",
    ];
    assert_eq!(outcomes(vec![blackhole("198.18.0.99/32")]), all);
    let shorter = [
        TAKES_NONE,
        "plain: it takes none shorter than /32",
        "rich: 64503:666 64503:0:666 via 192.0.2.1",
        "inside: it takes none shorter than /32",
    ];
    assert_eq!(outcomes(vec![blackhole("198.18.0.128/25")]), shorter);
    let ipv6 = outcomes(vec![blackhole("2001:db8:53::99/128")]);
    assert_eq!(
        ipv6[1..3],
        ["plain: 65535:666 65535:65281 via 2001:db8:1::10", "rich: its session does not carry ipv6"]
    );
    let named = Blackhole { peers: ["rich".parse().unwrap()].into(), ..blackhole("198.18.0.99/32") };
    assert_eq!(outcomes(vec![named])[1..3], ["plain: it is not asked", all[2]]);
}

#[test]
fn nobody_is_told_of_what_is_not_ours_is_announced_itself_or_answers() {
    let why = |prefix: &str| {
        let outcomes: BTreeSet<String> = outcomes(vec![blackhole(prefix)]).into_iter().collect();
        let words: BTreeSet<&str> =
            outcomes.iter().filter_map(|line| Some(line.split_once(": ")?.1)).collect();
        assert_eq!(words.len(), 1, "{outcomes:?}");
        words.into_iter().next().unwrap().to_owned()
    };
    assert_eq!(why("192.0.2.1/32"), "it is no part of a prefix that this site may announce");
    assert_eq!(why("198.18.0.0/15"), "198.18.0.0/24 is announced itself");
    assert_eq!(why("198.18.0.0/24"), "198.18.0.0/24 is announced itself");
    assert_eq!(why("203.0.113.0/25"), "203.0.113.64/26 is announced itself");
    assert_eq!(why("198.18.0.53/32"), "a service answers at 198.18.0.53");
    assert_eq!(why("198.18.0.0/25"), "a service answers at 198.18.0.53");
    let overridden = Blackhole { override_guard: true, ..blackhole("198.18.0.53/32") };
    assert_eq!(outcomes(vec![overridden])[1], "plain: 65535:666 65535:65281 via 10.1.0.10");
}

#[test]
fn a_blackhole_goes_where_the_route_around_it_goes() {
    let of_web = || vec![blackhole("203.0.113.1/32")];
    assert_eq!(outcomes_at([Level::None; 2], of_web())[1], "plain: it has no route of ours around it now");
    assert!(outcomes_at([Level::None, Level::Gshut], of_web())[1].starts_with("plain: 65535:666"));
    // The cover stays, whatever the groups do.
    assert!(outcomes_at([Level::None; 2], vec![blackhole("198.18.0.99/32")])[1].starts_with("plain: 65535"));
}

#[test]
fn the_oldest_keep_their_places_also_while_they_are_not_told() {
    let first =
        || vec![blackhole("203.0.113.1/32"), blackhole("203.0.113.2/32"), blackhole("198.18.0.99/32")];
    let full = "rich: it is told of 2 already, as many as its `max` allows";
    assert_eq!(outcomes(first())[2], full);
    assert_eq!(
        outcomes_at([Level::None; 2], first())[2],
        full,
        "it would lose its place when they come back"
    );
    assert!(outcomes(first()[1..].to_vec())[2].starts_with("rich: 64503:666"));
}

#[test]
fn without_a_session_there_may_be_no_next_hop_yet() {
    let site = site();
    let decision = decision(&site, [Level::Normal; 2], vec![blackhole("198.18.0.99/32")]);
    let hops = NextHops::new();
    let gets = routes(&decision, &to(&site.peers[1], &hops), &RouteSet::new()).next().unwrap().1;
    assert_eq!(gets, Err(NotTold::NoNextHop));
    assert!(NotTold::NoNextHop.may_pass() && NotTold::Alone.may_pass() && !NotTold::NotTaken.may_pass());
}

fn levels() -> impl Strategy<Value = [Level; 2]> {
    let level = || prop::sample::select(vec![Level::None, Level::Gshut, Level::Depref, Level::Normal]);
    [level(), level()]
}

/// Addresses in what the site announces, and beside it.
fn addresses() -> impl Strategy<Value = IpAddr> {
    let around = ["198.18.0.0", "198.18.7.0", "203.0.113.64", "192.0.2.0", "2001:db8:53::", "2001:db8:54::"];
    let around = around.map(|text| text.parse::<IpAddr>().unwrap()).to_vec();
    (prop::sample::select(around), 0u8..=96).prop_map(|(around, low)| match around {
        IpAddr::V4(v4) => IpAddr::V4((u32::from(v4) | u32::from(low)).into()),
        IpAddr::V6(v6) => IpAddr::V6((u128::from(v6) | u128::from(low)).into()),
    })
}

/// Of any length; half of them are single addresses, as most are in life.
fn prefixes() -> impl Strategy<Value = Prefix> {
    let any_length = (addresses(), 0u8..=112).prop_map(|(address, shorter)| {
        let bits = Family::of(address).bits();
        Prefix::containing(address, bits - shorter.min(bits - 8)).unwrap()
    });
    prop_oneof![any_length, addresses().prop_map(Prefix::host)]
}

fn blackholes() -> impl Strategy<Value = Vec<Blackhole>> {
    let names = ["bare", "plain", "rich", "inside"].map(|name| name.parse::<PeerName>().unwrap()).to_vec();
    let peers = prop::collection::btree_set(prop::sample::select(names), 0..3);
    let one = (prefixes(), peers, any::<bool>());
    let one = one.prop_map(|(prefix, peers, override_guard)| Blackhole { prefix, peers, override_guard });
    prop::collection::vec(one, 0..8)
}

proptest! {
    /// Whatever stands: every route of a service is told exactly as without, a peer that takes none is told of none, and
    /// what is told beside them is a part of a told route, is no announced prefix and covers none, is no service's
    /// address unless somebody said so, asked of this peer, long enough, and not more than the file allows.
    #[test]
    fn blackholes_change_nothing_but_themselves(levels in levels(), blackholes in blackholes()) {
        let site = site();
        let (with, without) = (decision(&site, levels, blackholes.clone()), decision(&site, levels, vec![]));
        for peer in &site.peers {
            let (mut beside, services) = (told(&with, peer), told(&without, peer));
            let kept: RouteSet = services.keys().filter_map(|prefix| beside.remove_entry(prefix)).collect();
            prop_assert_eq!(&kept, &services);
            let takes = peer.policy.blackhole.as_ref();
            prop_assert!(takes.is_some() || beside.is_empty(), "{} is told of {:?}", peer.name, beside);
            let Some(takes) = takes else { continue };
            prop_assert!(beside.len() <= usize::try_from(takes.max).unwrap());
            for (prefix, attributes) in &beside {
                let ordered = blackholes.iter().filter(|blackhole| blackhole.prefix == *prefix);
                let hit = with.addresses.iter().any(|address| prefix.contains(*address));
                let meant = |one: &Blackhole| {
                    let asked = one.peers.is_empty() || one.peers.contains(&peer.name);
                    asked && (one.override_guard || !hit)
                };
                prop_assert!(ordered.clone().any(meant), "{prefix}");
                prop_assert!(services.keys().any(|around| prefix.is_part_of(*around)), "{prefix} stands alone");
                let mut ours = site.groups.iter().flat_map(|group| &group.prefixes).chain(with.covers.iter());
                prop_assert!(!ours.any(|ours| prefix.covers(*ours)), "{prefix} takes what is announced");
                prop_assert!(prefix.length() >= takes.shortest[&prefix.family()]);
                prop_assert_eq!(&attributes.communities, &takes.labels.communities);
                prop_assert_eq!(&attributes.large_communities, &takes.labels.large_communities);
            }
        }
    }
}

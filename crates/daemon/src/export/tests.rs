use super::*;
use config::Labels;
use std::fmt::Write;

fn group(level: Level, prefixes: &[&str]) -> GroupLevel {
    GroupLevel { level, prefixes: prefixes.iter().map(|text| text.parse().unwrap()).collect() }
}

fn hops(ipv6: &str) -> NextHops {
    let configured = BTreeMap::from([
        (Family::Ipv4, NextHop::SessionAddress),
        (Family::Ipv6, NextHop::Address(ipv6.parse().unwrap())),
    ]);
    next_hops(&configured, Some("10.0.0.1".parse().unwrap()))
}

fn plain() -> Policy {
    Policy { always: Labels::default(), deprefer: Labels::default(), blackhole: None }
}

fn told(decision: &Decision, next_hops: &NextHops, policy: &Policy) -> RouteSet {
    let peer = "transit-a".parse().unwrap();
    routes(decision, &Towards { peer: &peer, next_hops, policy, local_asn: "64501".parse().unwrap() })
}

fn prefixes(told: &RouteSet) -> Vec<String> {
    told.keys().map(Prefix::to_string).collect()
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
    let told = told(&decision(), &hops("2001:db8::1"), &plain());
    let lines: Vec<String> = told.iter().map(|(p, a)| format!("{p} via {}", a.next_hop)).collect();
    assert_eq!(lines, ["198.18.0.0/24 via 10.0.0.1", "2001:db8:53::/48 via 2001:db8::1"]);
}

#[test]
fn without_a_session_only_configured_next_hops_are_known() {
    let configured = BTreeMap::from([
        (Family::Ipv4, NextHop::SessionAddress),
        (Family::Ipv6, NextHop::Address("2001:db8::1".parse().unwrap())),
    ]);
    let told = told(&decision(), &next_hops(&configured, None), &plain());
    assert_eq!(prefixes(&told), ["2001:db8:53::/48"]);
}

#[test]
fn a_family_that_the_peer_does_not_carry_is_not_told() {
    let only = NextHops::from([(Family::Ipv4, "10.0.0.1".parse().unwrap())]);
    assert_eq!(prefixes(&told(&decision(), &only, &plain())), ["198.18.0.0/24"]);
}

#[test]
fn a_covering_prefix_is_told_from_the_first_moment_and_at_every_level() {
    for level in [Level::None, Level::Gshut, Level::Depref, Level::Normal] {
        let covers = Arc::from(["198.18.0.0/16".parse().unwrap()]);
        let decision =
            Decision { groups: vec![group(level, &["198.18.0.0/24"])], covers, ..Decision::default() };
        let told = told(&decision, &hops("2001:db8::1"), &plain());
        let cover = &told[&"198.18.0.0/16".parse::<Prefix>().unwrap()];
        assert_eq!(*cover, Attributes::originated("10.0.0.1".parse().unwrap()), "{level}");
        assert_eq!(told.len(), if level == Level::None { 1 } else { 2 }, "{level}");
    }
}

/// The peers of one site file: bare and with everything, in another AS and in ours.
const PEERS: &str = r#"
[site]
name = "london"
asn = 64501
router_id = "10.1.0.10"
[[peer]]
name = "bare"
address = "10.1.0.1"
asn = 64500
[[peer]]
name = "rich"
address = "10.1.0.2"
asn = 64502
prepend = 1
med = 10
communities = ["64502:100", "64502:1:2"]
deprefer = { prepend = 2, med = 500, communities = ["64502:80", "64502:80:0", "0x0002fbf600000050"] }
[[peer]]
name = "silent"
address = "10.1.0.3"
asn = 64503
deprefer = { prepend = 0, communities = ["64503:80"] }
[[peer]]
name = "inside"
address = "10.1.0.4"
asn = 64501
[[peer]]
name = "inside-rich"
address = "10.1.0.5"
asn = 64501
local_pref = 200
communities = ["64501:1"]
deprefer = { local_pref = 20, communities = ["64501:2"] }
[[service]]
name = "dns"
addresses = ["198.18.0.53"]
announce = ["198.18.0.0/24"]
[[service.check]]
dns = { name = "example." }
"#;

#[test]
fn what_each_kind_of_peer_is_told_at_each_level() {
    let site = config::parse("site.toml", PEERS, std::path::Path::new("")).unwrap();
    let mut table = String::new();
    for peer in &site.peers {
        for level in [Level::Normal, Level::Depref, Level::Gshut, Level::None] {
            let decision = Decision { groups: vec![group(level, &["198.18.0.0/24"])], ..Decision::default() };
            let towards = Towards {
                peer: &peer.name,
                next_hops: &next_hops(&peer.next_hops, Some("10.1.0.10".parse().unwrap())),
                policy: &peer.policy,
                local_asn: peer.session.local_asn,
            };
            let told = routes(&decision, &towards);
            let said = told.values().next().map_or("nothing".to_owned(), words);
            writeln!(table, "{:12}{level:8}{said}", peer.name.as_str()).unwrap();
        }
    }
    insta::assert_snapshot!(table);
}

/// The attributes in one line, what is absent left out.
fn words(attributes: &Attributes) -> String {
    let list = |items: Vec<String>| items.join(" ");
    let parts = [
        ("prepends", attributes.path.len().to_string()),
        ("med", attributes.med.map_or(String::new(), |med| med.to_string())),
        ("local_pref", attributes.local_pref.map_or(String::new(), |pref| pref.to_string())),
        ("communities", list(attributes.communities.iter().map(ToString::to_string).collect())),
        ("large", list(attributes.large_communities.iter().map(ToString::to_string).collect())),
        ("extended", list(attributes.extended_communities.iter().map(ToString::to_string).collect())),
    ];
    let said = parts.iter().filter(|(_, value)| !value.is_empty());
    said.map(|(name, value)| format!("{name} {value}")).collect::<Vec<_>>().join(", ")
}

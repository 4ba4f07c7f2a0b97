//! What a peer's section says about blackholes, and each mistake in it with its line and a hint.
#![allow(clippy::unwrap_used)] // the helpers of tests may panic like the tests themselves

use config::{Blackhole, SiteFile, parse};
use document::Faults;
use std::path::Path;
use terms::{Community, Family};

const GOOD: &str = include_str!("good.toml");

/// The good file with more in the section of its transit provider, or of its peer within the network.
fn with(anchor: &str, keys: &str) -> Result<SiteFile, Faults> {
    assert!(GOOD.contains(anchor));
    let text = GOOD.replacen(anchor, &format!("{anchor}\n{keys}"), 1);
    parse("site.toml", &text, Path::new("/etc/catchment"))
}

const TRANSIT: &str = "hold_time = \"9s\"";
const FABRIC: &str = "passive = true";

fn transit(keys: &str) -> Option<Blackhole> {
    with(TRANSIT, keys).unwrap().peers.remove(0).policy.blackhole
}

fn communities(blackhole: &Blackhole) -> Vec<String> {
    blackhole.labels.communities.iter().map(Community::to_string).collect()
}

#[test]
fn a_peer_takes_blackholes_only_where_the_file_says_so() {
    assert_eq!(transit(""), None);
    assert_eq!(transit("blackhole = false"), None);
    let taken = transit("blackhole = true").unwrap();
    assert_eq!(communities(&taken), ["65535:666", "65535:65281"]);
    assert_eq!(taken.max, Blackhole::MAX);
    assert_eq!(taken.shortest, [(Family::Ipv4, 32), (Family::Ipv6, 128)].into());
    assert!(taken.next_hops.is_empty());
    assert_eq!(transit("blackhole = {}"), Some(taken), "an empty table says the same");
}

#[test]
fn every_key_is_taken_over() {
    let keys = "blackhole = { communities = [\"64500:666\", \"64500:0:666\"], no_export = false, max = 4, \
                shortest4 = 25, shortest6 = 64, next_hop4 = \"192.0.2.1\", next_hop6 = \"100::1\" }";
    let taken = transit(keys).unwrap();
    assert_eq!(communities(&taken), ["64500:666"]);
    assert_eq!(taken.labels.large_communities.first().unwrap().to_string(), "64500:0:666");
    assert_eq!((taken.max, taken.shortest), (4, [(Family::Ipv4, 25), (Family::Ipv6, 64)].into()));
    assert_eq!(
        taken.next_hops.values().map(ToString::to_string).collect::<Vec<_>>(),
        ["192.0.2.1", "100::1"]
    );
}

/// A router of our own AS has to tell others: NO_EXPORT would keep it from that.
#[test]
fn a_peer_of_our_own_network_may_pass_it_on() {
    let peer = |keys| with(FABRIC, keys).unwrap().peers.remove(1).policy.blackhole.unwrap();
    assert_eq!(communities(&peer("blackhole = true")), ["65535:666"]);
    assert_eq!(communities(&peer("blackhole = { no_export = true }")), ["65535:666", "65535:65281"]);
    assert_eq!(peer("blackhole = true").shortest, [(Family::Ipv6, 128)].into(), "what the session carries");
}

#[test]
fn each_mistake_is_told_with_its_line_and_a_hint() {
    let cases = [
        (TRANSIT, "blackhole = \"yes\""),
        (TRANSIT, "blackhole = { comunities = [\"64500:666\"] }"),
        (TRANSIT, "blackhole = { communities = [] }"),
        (TRANSIT, "blackhole = { communities = [\"666\"] }"),
        (TRANSIT, "blackhole = { communities = [\"65535:0\"] }"),
        (TRANSIT, "blackhole = { max = 0 }"),
        (TRANSIT, "blackhole = { max = 1025 }"),
        (TRANSIT, "blackhole = { shortest4 = 33 }"),
        (TRANSIT, "blackhole = { next_hop4 = \"100::1\" }"),
        (TRANSIT, "blackhole = { next_hop4 = \"198.18.0.1\" }"),
        (FABRIC, "blackhole = { shortest4 = 25, next_hop4 = \"192.0.2.1\" }"),
        (TRANSIT, "max_announced = 10\nblackhole = true"),
        (TRANSIT, "communities = [\"65535:666\"]"),
    ];
    let told = cases.map(|(anchor, keys)| match with(anchor, keys) {
        Ok(_) => panic!("{keys} is no fault"),
        Err(faults) => format!("{keys}\n{faults}\n"),
    });
    insta::assert_snapshot!(told.join("\n"));
}

#[test]
fn a_bound_on_what_is_announced_has_room_for_every_blackhole() {
    assert!(with(TRANSIT, "max_announced = 20\nblackhole = true").is_ok());
    assert!(with(TRANSIT, "max_announced = 5\nblackhole = { max = 1 }").is_ok());
}

//! What a peer's section says about the session: limits, roles, paths, next hops; each mistake with its line and hint.
#![allow(clippy::unwrap_used)] // the helpers of tests may panic like the tests themselves

use bgp::session::{AddPath, Graceful, Role};
use config::{NextHop, SiteFile, parse};
use document::Faults;
use std::path::Path;
use std::time::Duration;
use terms::Family;

const GOOD: &str = include_str!("good.toml");

/// The good file with more in the section of its transit provider, or of its peer within the network.
fn with(anchor: &str, keys: &str) -> Result<SiteFile, Faults> {
    assert!(GOOD.contains(anchor));
    let text = GOOD.replacen(anchor, &format!("{anchor}\n{keys}"), 1);
    parse("site.toml", &text, Path::new("/etc/catchment"))
}

const TRANSIT: &str = "hold_time = \"9s\"";
const FABRIC: &str = "passive = true";

#[test]
fn every_key_of_a_session_reaches_its_settings() {
    let keys = "max_prefixes = { ipv4 = 100, ipv6 = 50 }\nmax_announced = 4\nrole = \"customer\"\n\
                role_strict = true\nadd_path = \"receive\"\nextended_next_hop = true\n\
                next_hop4 = \"2001:db8:1::10\"";
    let peer = with(TRANSIT, keys).unwrap_or_else(|faults| panic!("{faults}")).peers.remove(0);
    let session = &peer.session;
    assert_eq!(session.max_prefixes, [(Family::Ipv4, 100), (Family::Ipv6, 50)].into());
    assert_eq!(
        (session.max_announced, session.role, session.role_strict),
        (Some(4), Some(Role::Customer), true)
    );
    assert_eq!(session.add_path, AddPath { receive: true, send: false });
    assert!(session.extended_next_hop);
    assert_eq!(peer.next_hops[&Family::Ipv4], NextHop::Address("2001:db8:1::10".parse().unwrap()));
}

/// RFC 8950: a session over IPv6 then needs no IPv4 address of its own.
#[test]
fn an_extended_next_hop_brings_ipv4_to_a_session_over_ipv6() {
    let peer = with(FABRIC, "extended_next_hop = true").unwrap().peers.remove(1);
    assert_eq!(peer.next_hops[&Family::Ipv4], NextHop::SessionAddress);
    assert_eq!(peer.session.families.len(), 2);
}

/// Off unless somebody writes it, and whoever does is told what it costs.
#[test]
fn graceful_restart_is_off_and_warned_of() {
    assert_eq!(with(TRANSIT, "").unwrap().peers.remove(0).session.graceful, None);
    assert_eq!(with(TRANSIT, "graceful_restart = false").unwrap().peers.remove(0).session.graceful, None);
    let file = with(TRANSIT, "graceful_restart = true").unwrap();
    assert_eq!(file.peers[0].session.graceful, Some(Graceful::default()));
    let table =
        "graceful_restart = { restart_time = \"60s\", stale_time = \"2m\", end_of_rib_within = \"5s\" }";
    let file = with(TRANSIT, table).unwrap();
    let seconds = Duration::from_secs;
    let restart_time = 60.try_into().unwrap();
    let expected = Graceful { restart_time, stale_time: seconds(120), end_of_rib_within: seconds(5) };
    assert_eq!(file.peers[0].session.graceful, Some(expected));
    let warnings = file.warnings.to_string();
    assert!(warnings.contains("if this site dies, its users are sent to it for 60 s"), "{warnings}");
}

#[test]
fn each_mistake_is_told_with_its_line_and_a_hint() {
    let cases = [
        (TRANSIT, "max_prefixes = { ipv4 = 0 }"),
        (TRANSIT, "max_prefixes = 100"),
        (TRANSIT, "max_prefixes = { ipv5 = 100 }"),
        (FABRIC, "max_prefixes = { ipv4 = 100 }"),
        (TRANSIT, "graceful_restart = \"120s\""),
        (TRANSIT, "graceful_restart = { restart_time = \"4096s\" }"),
        (TRANSIT, "graceful_restart = { restart_time = \"0s\" }"),
        (TRANSIT, "graceful_restart = { restart_time = \"100ms\" }"),
        (TRANSIT, "graceful_restart = { stale_time = \"0s\" }"),
        (TRANSIT, "graceful_restart = { time = \"1s\" }"),
        (TRANSIT, "max_announced = 2"),
        (TRANSIT, "max_announced = 0"),
        (TRANSIT, "role = \"costumer\""),
        (TRANSIT, "role = \"provider\""),
        (FABRIC, "role = \"peer\""),
        (TRANSIT, "role_strict = true"),
        (TRANSIT, "add_path = \"yes\""),
        (TRANSIT, "next_hop4 = \"2001:db8:1::10\""),
    ];
    let told = cases.map(|(anchor, keys)| match with(anchor, keys) {
        Ok(_) => panic!("{keys} is no fault"),
        Err(faults) => format!("{keys}\n{faults}\n"),
    });
    insta::assert_snapshot!(told.join("\n"));
}

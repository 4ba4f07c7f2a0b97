//! What is found to differ, and what the loop does about what is no group's.

use super::*;
use crate::announce::{Permits, Stage};
use crate::bgp::Ledger;
use crate::export::blackhole::Blackhole;
use crate::status::Shown;
use announce::Level;
use std::collections::BTreeMap;
use std::sync::Arc;
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
        Peer::for_test(name.parse().unwrap(), "10.1.0.1".parse().unwrap(), 64500.try_into().unwrap(), view)
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

/// A peer that takes blackholes, and what it was told by whoever holds the other end.
fn taker() -> (watch::Sender<View>, Vec<Peer>) {
    let takes = config::parse("site.toml", TAKES, std::path::Path::new(".")).unwrap().peers.remove(0);
    let view = peer(StateName::Established, &BOTH, &[]).borrow().clone();
    let (told, view) = watch::channel(View { policy: takes.policy, ..view });
    (told, named(vec![view]))
}

const TAKES: &str = r#"
[site]
name = "london"
asn = 64501
router_id = "10.1.0.10"
[[peer]]
name = "a"
address = "10.1.0.1"
asn = 64500
families = ["ipv4", "ipv6"]
next_hop6 = "2001:db8:1::10"
blackhole = true
[[service]]
name = "dns"
addresses = ["198.18.0.53"]
announce = ["198.18.0.0/24"]
[[service.check]]
dns = { name = "example.", type = "SOA" }
"#;

/// A cover, and in it an address that peers are to drop.
fn with_a_blackhole() -> Decision {
    let blackhole = Blackhole {
        prefix: "198.18.1.99/32".parse().unwrap(),
        peers: BTreeSet::new(),
        override_guard: false,
    };
    let covers = ["198.18.0.0/23".parse().unwrap()];
    Decision { covers: covers.into(), blackholes: [blackhole].into(), ..Decision::default() }
}

fn note(told: &watch::Sender<View>, peers: &[Peer], decision: &Decision, without: &str) {
    told.send_modify(|view| {
        let mut routes = export::routes(decision, &view.towards(&peers[0].name));
        routes.retain(|prefix, _| prefix.to_string() != without);
        view.ledger.note(&routes, WallTime(1));
    });
}

#[test]
fn covers_and_blackholes_are_read_back_and_so_is_what_should_be_gone() {
    let (told, peers) = taker();
    let decision = with_a_blackhole();
    let differs = Readback::Differs { peers: vec!["a".parse().unwrap()] };
    for (without, expected) in
        [("nothing", &Readback::Agrees), ("198.18.1.99/32", &differs), ("198.18.0.0/23", &differs)]
    {
        note(&told, &peers, &decision, without);
        assert_eq!(&read_back_aside(&decision, &peers), expected, "without {without}");
    }
    note(&told, &peers, &decision, "nothing");
    let ended = Decision { blackholes: [].into(), ..decision.clone() };
    assert_eq!(read_back_aside(&ended, &peers), differs, "the peer still has it");
    let group = GroupLevel { level: Level::Normal, prefixes: ["192.0.2.0/24".parse().unwrap()].into() };
    let decision = Decision { groups: vec![group], ..decision };
    assert_eq!(read_back_aside(&decision, &peers), Readback::Agrees, "a group is its machine's");
}

/// It is told again once a second, and after the third time an alarm says that it does not help.
#[tokio::test]
async fn a_peer_that_lost_a_blackhole_is_told_again_until_it_has_it() {
    let (stage, ears, mouth) = Stage::new();
    let (told, peers) = taker();
    let wanted = with_a_blackhole();
    note(&told, &peers, &wanted, "198.18.1.99/32");
    stage.shown.send_replace(Shown { peers: peers.clone(), ..Shown::default() });
    let decider = Decider::new(Vec::new(), wanted.covers, Permits::Alone, mouth);
    tokio::spawn(decider.blackholing(wanted.blackholes).run(ears, BTreeMap::new()));

    let mut decision = stage.decision.clone();
    let again = |times: u64| move |decision: &Arc<Decision>| decision.again.values().eq([&times]);
    decision.wait_for(again(1)).await.unwrap();
    assert!(stage.bus.alarms().is_empty());
    let decided = decision.wait_for(again(3)).await.unwrap().clone();
    let alarms = || stage.bus.alarms().into_iter().map(|alarm| format!("{} {}", alarm.kind, alarm.text));
    while alarms().count() == 0 {
        tokio::task::yield_now().await;
    }
    let alarm = "differs a told other covering prefixes or blackholes than decided, re-sent 3 times";
    assert_eq!(alarms().collect::<Vec<_>>(), [alarm]);

    note(&told, &peers, &decided, "nothing");
    while alarms().count() > 0 {
        tokio::task::yield_now().await;
    }
    assert_eq!(stage.bus.latest().last().unwrap().kind, "peers-agree");
}

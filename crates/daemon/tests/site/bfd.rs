//! BFD with BIRD: the path is watched in both directions, its loss ends the session at once. The hold
//! time is longer than the patience of these tests, so that nothing but BFD can have ended a session.

use super::world::{Program, World, until};
use serde_json::Value;

const OVER_IPV4: (&str, &str) = ("hold time 9;", "hold time 240; bfd on;");
const PROTOCOL: (&str, &str) = (
    "protocol device {}",
    "protocol device {}\nprotocol bfd watch {\n  interface \"*\" { interval 100 ms; multiplier 5; };\n  \
     multihop { interval 100 ms; multiplier 5; };\n}",
);
const WATCHED: &str = "asn = 64500\nhold_time = \"240s\"\nbfd = { interval = \"100ms\", multiplier = 5 }";

fn watched(world: &World) -> (Program, Program) {
    let bird = world.bird_with(&[PROTOCOL, OVER_IPV4]);
    let daemon = world.daemon_with("asn = 64500", WATCHED);
    until_up(world);
    (bird, daemon)
}

fn path(world: &World) -> Value {
    world.document("/status")["peers"][0]["bfd"].clone()
}

/// Both ends say so, and BGP with them.
fn until_up(world: &World) {
    until("both prefixes are announced", || world.is_announced());
    until("BFD is up here", || path(world)["state"] == "up");
    until("BFD is up there", || world.birdc("show bfd sessions").contains("Up"));
}

/// Sentences of the events of a kind.
fn sentences(world: &World, kind: &str) -> Vec<String> {
    let events = world.document("/events");
    let rows = events["events"].as_array().unwrap().iter().filter(|row| row["kind"] == kind);
    rows.map(|row| row["text"].as_str().unwrap().to_owned()).collect()
}

fn ended_by_bfd(world: &World) -> bool {
    let said = [sentences(world, "notification-sent"), sentences(world, "notification-received")].concat();
    said.iter().any(|sentence| sentence.contains("BFD"))
}

/// The path is lost in one direction or the other, comes back, and BGP with it.
fn lost_and_found(world: &World, port: u16) {
    until_up(world);
    for end in [&world.site, &world.neighbour] {
        let losses = path(world)["losses"].as_u64().unwrap();
        world.nft(end, &format!("add table inet dead; add chain inet dead in {{ type filter hook input priority 0; }}; add rule inet dead in udp dport {port} drop"));
        until("the path is lost", || path(world)["losses"].as_u64().unwrap() > losses);
        until("and the session with it", || ended_by_bfd(world));
        // BFD that does not come up does not hold BGP back.
        until("both prefixes are announced again", || world.is_announced());
        assert_ne!(path(world)["state"], "up");
        world.nft(end, "delete table inet dead");
        until_up(world);
    }
}

#[test]
fn a_path_that_is_silent_in_one_direction_ends_the_session() {
    let world = World::new();
    let _nsd = world.nsd();
    let _programs = watched(&world);
    let shown = path(&world);
    assert_eq!(
        [&shown["interval_us"], &shown["multiplier"], &shown["detection_us"]],
        [&Value::from(100_000), &Value::from(5), &Value::from(500_000)]
    );
    lost_and_found(&world, 3784);
    let metrics = world.get("/metrics").1;
    assert!(metrics.contains("catchment_bfd_losses_total{peer=\"transit-a\"} 2"), "{metrics}");
}

#[test]
fn over_ipv6() {
    let world = World::new();
    let _nsd = world.nsd();
    let addresses = [
        ("local 10.1.0.1 as", "local 2001:db8:1::1 as"),
        ("neighbor 10.1.0.10 as", "neighbor 2001:db8:1::10 as"),
        ("ipv4 { import all;", "ipv4 { next hop address 10.1.0.1; import all;"),
    ];
    let _bird = world.bird_with(&[&[PROTOCOL, OVER_IPV4], addresses.as_slice()].concat());
    let _daemon = world.daemon_with_pieces(&[
        ("address = \"10.1.0.1\"", "address = \"2001:db8:1::1\""),
        ("next_hop6 = \"2001:db8:1::10\"", "next_hop4 = \"10.1.0.10\""),
        ("asn = 64500", WATCHED),
    ]);
    lost_and_found(&world, 3784);
}

#[test]
fn over_several_hops() {
    let world = World::new();
    let _nsd = world.nsd();
    let _bird = world.bird_with(&[PROTOCOL, ("hold time 9;", "hold time 240; multihop; bfd on;")]);
    let multihop = WATCHED.replace("multiplier = 5", "multiplier = 5, multihop = true");
    let _daemon = world.daemon_with("asn = 64500", &multihop);
    lost_and_found(&world, 4784);
}

#[test]
fn a_packet_that_crossed_a_router_is_not_taken_for_the_neighbours() {
    let world = World::new();
    let _nsd = world.nsd();
    let _programs = watched(&world);
    let losses = path(&world)["losses"].clone();
    world.nft(&world.site, "add table ip far; add chain ip far in { type filter hook input priority 0; }; add rule ip far in udp dport 3784 ip ttl set 254");
    until("the path is lost", || path(&world)["losses"] != losses);
    let metrics = world.get("/metrics").1;
    let counted =
        metrics.lines().find(|line| line.contains("bfd_discarded_packets_total{reason=\"too-far\"}"));
    assert!(!counted.unwrap().ends_with(" 0"), "{metrics}");
}

/// BIRD 2 does not say admin-down when its protocol is disabled: it falls silent, and that is a loss.
#[test]
fn bfd_that_is_switched_off_there_does_not_keep_the_session_down() {
    let world = World::new();
    let _nsd = world.nsd();
    let _programs = watched(&world);
    world.birdc("disable watch");
    until("the path is lost", || path(&world)["losses"] == 1);
    until("both prefixes are announced without it", || world.is_announced() && path(&world)["state"] != "up");
    world.birdc("enable watch");
    until_up(&world);
    assert_eq!(path(&world)["losses"], 1);
}

#[test]
fn a_reload_changes_the_watch_and_leaves_the_session_alone() {
    let world = World::new();
    let _nsd = world.nsd();
    let (_bird, daemon) = watched(&world);
    let change = |from: &str, to: &str| {
        world.rewrite(&[(from, to)]);
        daemon.signal(linux::process::ProcessSignal::SIGHUP);
    };
    change("interval = \"100ms\"", "interval = \"200ms\"");
    until("both ends have agreed", || path(&world)["interval_us"] == 200_000);
    change("bfd = {", "# bfd = {");
    until("nothing is watched", || path(&world).is_null());
    until("BIRD was told", || !world.birdc("show bfd sessions").contains("Up"));
    change("# bfd = {", "bfd = {");
    until_up(&world);
    assert_eq!(world.updates(), 2, "BGP was not touched");
    assert!(!ended_by_bfd(&world));
}

#[test]
fn either_end_may_be_restarted() {
    let world = World::new();
    let _nsd = world.nsd();
    let (mut bird, mut daemon) = watched(&world);
    daemon.kill();
    until("BIRD has noticed", || !world.birdc("show bfd sessions").contains("Up"));
    let _daemon = world.daemon_with("asn = 64500", WATCHED);
    until_up(&world);
    bird.kill();
    until("the daemon has noticed", || path(&world)["state"] != "up");
    let _bird = world.bird_with(&[PROTOCOL, OVER_IPV4]);
    until_up(&world);
}

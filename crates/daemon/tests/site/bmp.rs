//! A real collector of BMP, pmbmpd of pmacct: what it understands of what it is told.

use crate::restart;
use crate::world::{Program, World, until};
use linux::process::ProcessSignal;
use serde_json::Value;

/// Where pmbmpd listens, and what the peer tells, too.
const BMP: &str = "[[bmp]]\nname = \"pmacct\"\naddress = \"10.1.0.1\"\nport = 1790\nreceived = true\nstatistics = \"1s\"\n\n[api]";

/// A route of the peer's own.
const STATIC: &str = "protocol static { ipv4; route 203.0.113.0/24 unreachable; }\nprotocol bgp site {";

/// What pmbmpd wrote about messages of one kind.
fn told(world: &World, kind: &str) -> Vec<Value> {
    let log = std::fs::read_to_string(world.path("pmbmpd.json")).unwrap_or_default();
    // The last line may be under way.
    let rows = log.lines().filter_map(|row| serde_json::from_str::<Value>(row).ok());
    rows.filter(|row| row["bmp_msg_type"] == kind).collect()
}

/// Whether a route was told so: "update" or "withdraw", to the peer (`is_out`) or by it (`is_in`).
fn routed(world: &World, how: &str, direction: &str, prefix: &str) -> bool {
    told(world, "route_monitor").iter().any(|row| {
        let is_so = row["log_type"] == how && row["ip_prefix"] == prefix && row[direction] == 1;
        // What the peer was told is after policy (RFC 8671), what it told before.
        is_so && row["is_post"] == u8::from(direction == "is_out")
    })
}

fn site(world: &World) -> Program {
    world.daemon_with_pieces(&[("[api]", BMP), ("asn = 64500", "asn = 64500\nkeep_received = true")])
}

fn collector(world: &World) -> Value {
    world.document("/status")["collectors"][0].clone()
}

#[test]
fn a_real_collector_follows_a_session_from_its_begin_to_its_end() {
    let world = World::new();
    let _pmbmpd = world.pmbmpd();
    let _bird = world.bird_with(&[("export none", "export all"), ("protocol bgp site {", STATIC)]);
    let mut nsd = world.nsd();
    let mut daemon = site(&world);
    until("both prefixes are announced", || world.is_announced());
    until("it knows who speaks", || !told(&world, "init").is_empty());
    assert_eq!(told(&world, "init")[0]["bmp_init_info_sysname"], "london");
    until("it knows of the session", || !told(&world, "peer_up").is_empty());
    let up = &told(&world, "peer_up")[0];
    assert_eq!((&up["peer_ip"], &up["local_ip"]), (&"10.1.0.1".into(), &"10.1.0.10".into()));
    assert_eq!((&up["peer_asn"], &up["bgp_id"]), (&64500.into(), &"10.1.0.1".into()));
    for prefix in ["198.18.0.0/24", "2001:db8:53::/48"] {
        until("what the peer was told", || routed(&world, "update", "is_out", prefix));
    }
    until("what the peer told", || routed(&world, "update", "is_in", "203.0.113.0/24"));
    // Type 15 of RFC 8671: two prefixes.
    let of_type = |kind: u64, value: u64| {
        told(&world, "stats").iter().any(|row| row["counter_type"] == kind && row["counter_value"] == value)
    };
    until("figures of the session", || of_type(15, 2) && of_type(7, 1));
    nsd.kill();
    for prefix in ["198.18.0.0/24", "2001:db8:53::/48"] {
        until("what was withdrawn", || routed(&world, "withdraw", "is_out", prefix));
    }
    assert_eq!(collector(&world)["state"], "connected");
    daemon.signal(ProcessSignal::SIGTERM);
    assert!(daemon.ended().success());
    until("it knows of the end", || !told(&world, "term").is_empty());
    assert_eq!(told(&world, "peer_down")[0]["reason_type"], 1);
    assert_eq!(told(&world, "term")[0]["bmp_term_info_string"], "the site stops");
}

#[test]
fn a_collector_that_comes_late_or_again_is_told_everything() {
    let world = World::new();
    let _bird = world.bird_with(&[("export none", "export all"), ("protocol bgp site {", STATIC)]);
    let _nsd = world.nsd();
    let _daemon = site(&world);
    until("both prefixes are announced", || world.is_announced());
    until("the peer's route is kept", || {
        world.document("/status")["peers"][0]["received"]["kept"]["ipv4"] == 1
    });
    until("nobody listens, and people are told", || {
        world.kinds().contains(&"collector-unreachable".to_owned())
    });
    for _ in 0..2 {
        let pmbmpd = world.pmbmpd();
        for prefix in ["198.18.0.0/24", "2001:db8:53::/48"] {
            until("what the peer was told", || routed(&world, "update", "is_out", prefix));
        }
        until("what the peer told", || routed(&world, "update", "is_in", "203.0.113.0/24"));
        assert_eq!(told(&world, "peer_up").len(), 1);
        drop(pmbmpd);
        until("it is gone", || collector(&world)["state"] != "connected");
        std::fs::remove_file(world.path("pmbmpd.json")).unwrap();
    }
    assert!(world.birdc("show protocols site").contains("Established"), "the session knows nothing of it");
}

#[test]
fn a_reload_brings_a_collector_and_takes_it_away() {
    let world = World::new();
    let _pmbmpd = world.pmbmpd();
    let _bird = world.bird();
    let _nsd = world.nsd();
    let daemon = world.daemon();
    until("both prefixes are announced", || world.is_announced());
    assert_eq!(world.document("/status")["collectors"], serde_json::json!([]));
    world.rewrite(&[("[api]", BMP)]);
    daemon.signal(ProcessSignal::SIGHUP);
    until("what the peer was told", || routed(&world, "update", "is_out", "198.18.0.0/24"));
    world.rewrite(&[(BMP, "[api]")]);
    daemon.signal(ProcessSignal::SIGHUP);
    until("it was told that this is the end", || !told(&world, "term").is_empty());
    assert_eq!(told(&world, "term")[0]["bmp_term_info_string"], "it is configured no more");
    assert_eq!(told(&world, "peer_down").len(), 0, "the session lives on");
    until("it is not shown any more", || world.document("/status")["collectors"] == serde_json::json!([]));
    assert!(world.birdc("show protocols site").contains("Established"));
}

/// The connection begins anew, the session does not: same OPENs, up since then, told since then.
#[test]
fn after_a_planned_restart_the_same_session_is_told_again() {
    let world = World::new();
    let _pmbmpd = world.pmbmpd();
    let _bird = world.bird();
    let _nsd = world.nsd();
    let program = world.path("catchment");
    restart::put_daemon_in_place(&program);
    let _daemon = world.daemon_from(&program, &[("[api]", BMP)]);
    until("what the peer was told", || routed(&world, "update", "is_out", "2001:db8:53::/48"));
    assert_eq!(restart::restart(&world)["verdict"], "begun");
    assert_eq!(restart::end_of_restart(&world, 1)["outcome"], "done");
    until("the session is told again", || told(&world, "peer_up").len() == 2);
    let ups: Vec<Value> = told(&world, "peer_up");
    for same in ["timestamp", "peer_ip", "bgp_id", "local_port", "remote_port"] {
        assert_eq!(ups[0][same], ups[1][same], "{same}");
    }
    let routes = || -> Vec<Value> {
        let rows = told(&world, "route_monitor").into_iter();
        rows.filter(|row| row["ip_prefix"] == "198.18.0.0/24").map(|row| row["timestamp"].clone()).collect()
    };
    until("what it was told is, too", || routes().len() == 2);
    assert_eq!(routes()[0], routes()[1]);
    assert_eq!(told(&world, "peer_down").len(), 0);
}

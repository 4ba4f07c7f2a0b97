//! A blackhole as a real peer sees it: its communities, its end, and that nothing else changes.

use crate::world::{World, until};
use serde_json::{Value, json};

const TAKES: (&str, &str) = ("asn = 64500\n", "asn = 64500\nblackhole = true\n");
const TARGETS: [&str; 2] = ["198.18.0.99/32", "2001:db8:53::99/128"];

fn order(world: &World, kind: &str, prefix: &str, more: &Value) -> (String, Value) {
    let mut order = json!({ "schema": 1, "kind": kind, "prefix": prefix, "reason": "flood, ticket 4711", "who": "alice" });
    order.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    world.post("/blackholes", &order)
}

fn give(world: &World, kind: &str, prefix: &str, more: &Value) -> Value {
    let (status, answer) = order(world, kind, prefix, more);
    assert!(status.ends_with("200 OK"), "{status} {answer}");
    answer
}

/// Whether BIRD has that route of ours; without the address of another one that begins the same.
fn has(world: &World, prefix: &str) -> bool {
    world.birdc("show route").lines().any(|line| line.split_whitespace().next() == Some(prefix))
}

#[test]
fn the_peer_sees_the_communities_and_the_end_and_nothing_else() {
    let world = World::new();
    let _bird = world.bird();
    let _nsd = world.nsd();
    let policy = "asn = 64500\nmed = 5\nprepend = 1\ncommunities = [\"64500:100\"]\nblackhole = true\n";
    let _daemon = world.daemon_with("asn = 64500\n", policy);
    until("both prefixes are announced", || world.is_announced());
    let service = || world.birdc("show route all 198.18.0.0/24");
    let before = (service(), world.updates());

    let rehearsed = give(&world, "begin", TARGETS[0], &json!({ "dry_run": true }));
    assert_eq!(rehearsed["blackhole"]["peers"][0]["told"], "none");
    assert!(!has(&world, TARGETS[0]));
    for target in TARGETS {
        let answer = give(&world, "begin", target, &json!({ "for_ms": 600_000 }));
        let peer = &answer["blackhole"]["peers"][0];
        assert_eq!((&peer["told"], &answer["remarks"]), (&json!("announced"), &json!([])));
        assert_eq!(peer["gets"], rehearsed_for(target, &rehearsed), "what was rehearsed is what was done");
        until("BIRD has it", || has(&world, target));
        let route = world.birdc(&format!("show route all {target}"));
        for said in ["(65535,666)", "(65535,65281)", "BGP.as_path: 64501\n"] {
            assert!(route.contains(said), "{said}\n{route}");
        }
        assert!(!route.contains("(64500,100)") && !route.contains("BGP.med"), "{route}");
    }
    assert_eq!((service(), world.updates()), (before.0, before.1 + 2), "one UPDATE for each, and no other");

    let status = world.document("/status");
    assert_eq!(status["blackholes"][1]["prefix"], TARGETS[1]);
    assert_eq!(status["groups"][0]["state"], "up");
    let alarms = status["alarms"].as_array().unwrap().iter().filter(|alarm| alarm["kind"] == "blackhole");
    assert_eq!(alarms.map(|alarm| alarm["subject"].clone()).collect::<Vec<_>>(), TARGETS);
    let explained = world.document(&format!("/explain?prefix={}", TARGETS[0]));
    assert_eq!((&explained["group"], &explained["peers"][0]["told"]), (&json!("dns"), &json!("announced")));
    assert_eq!(explained["why"][0]["kind"], "blackhole-begun");
    let metrics = world.get("/metrics").1;
    for line in [
        "catchment_blackholes 2",
        "catchment_peer_blackholes{peer=\"transit-a\"} 2",
        "catchment_alarm{kind=\"blackhole\",subject=\"198.18.0.99/32\"} 1",
    ] {
        assert!(metrics.contains(line), "{line}\n{metrics}");
    }

    let ended = give(&world, "end", TARGETS[0], &json!({}));
    assert_eq!(ended["blackhole"]["peers"][0]["told"], "withdrawn");
    until("BIRD has forgotten it", || !has(&world, TARGETS[0]));
    give(&world, "begin", TARGETS[1], &json!({ "for_ms": 1500 }));
    until("its time is over", || !has(&world, TARGETS[1]));
    assert!(world.is_announced());
    assert_eq!((world.withdraws(), world.document("/status")["blackholes"].clone()), (2, json!([])));
    assert!(!world.get("/metrics").1.contains("kind=\"blackhole\""));
}

/// What the peer was to get of the first target, with the next hop of the family of another one.
fn rehearsed_for(target: &str, rehearsed: &Value) -> Value {
    let mut gets = rehearsed["blackhole"]["peers"][0]["gets"].clone();
    gets["next_hop"] = json!(if target == TARGETS[0] { "10.1.0.10" } else { "2001:db8:1::10" });
    gets
}

#[test]
fn a_peer_without_the_key_never_sees_one_and_a_reload_takes_it_back() {
    let world = World::new();
    let _bird = world.bird();
    let _nsd = world.nsd();
    let _daemon = world.daemon();
    until("both prefixes are announced", || world.is_announced());
    let (status, refusal) = order(&world, "begin", TARGETS[0], &json!({}));
    assert!(status.contains("400"), "{status} {refusal}");
    assert_eq!(refusal["error"], "no peer of this site takes blackholes");
    let reload = || {
        let (_, answer) = world.post("/reload", &json!({}));
        assert_eq!(answer["verdict"], "applied", "{answer}");
    };
    world.rewrite(&[TAKES]);
    reload();
    give(&world, "begin", TARGETS[0], &json!({}));
    until("BIRD has it", || has(&world, TARGETS[0]));
    world.rewrite(&[(TAKES.1, TAKES.0)]);
    reload();
    until("the file takes it back", || !has(&world, TARGETS[0]));
    let because = world.document("/status")["blackholes"][0]["peers"][0]["because"].clone();
    assert_eq!(because, "its section in the site file has no `blackhole`");
    assert!(world.is_announced());

    let refused = [("198.18.0.53/32", "409", "a service answers"), ("198.18.0.0/24", "400", "is announced")];
    world.rewrite(&[TAKES]);
    reload();
    for (prefix, code, words) in refused {
        let (status, refusal) = order(&world, "begin", prefix, &json!({}));
        assert!(status.contains(code) && refusal["error"].as_str().unwrap().contains(words), "{refusal}");
    }
    // A service that comes to an address which is dropped is not dropped with it: nobody has said that it may go.
    until("BIRD has it again", || has(&world, TARGETS[0]));
    world.rewrite(&[("\"198.18.0.53\", ", "\"198.18.0.53\", \"198.18.0.99\", ")]);
    reload();
    until("the service takes it back", || !has(&world, TARGETS[0]));
    let because = world.document("/status")["blackholes"][0]["peers"][0]["because"].clone();
    assert_eq!(because, "a service answers at 198.18.0.99");
    for garbage in [json!({}), json!({ "schema": 1, "kind": "begin" }), json!("no order")] {
        assert!(world.post("/blackholes", &garbage).0.contains("400"), "{garbage}");
    }
}

#[test]
fn it_goes_with_its_group_and_survives_a_crash_and_a_planned_restart() {
    let world = World::new();
    let _bird = world.bird();
    let mut nsd = world.nsd();
    let program = world.path("catchment");
    std::fs::copy(env!("CARGO_BIN_EXE_site"), &program).unwrap();
    let mut daemon = world.daemon_from(&program, &[TAKES]);
    until("both prefixes are announced", || world.is_announced());
    give(&world, "begin", TARGETS[0], &json!({}));
    until("BIRD has it", || has(&world, TARGETS[0]));

    nsd.kill();
    until("the site is withdrawn, and the blackhole with it", || world.is_withdrawn());
    let _nsd = world.nsd();
    until("both are back", || world.is_announced() && has(&world, TARGETS[0]));

    daemon.kill();
    until("the kernel has withdrawn everything", || world.is_withdrawn());
    let _daemon = world.daemon_from(&program, &[TAKES]);
    until("the next process tells it again", || world.is_announced() && has(&world, TARGETS[0]));
    assert_eq!(world.count("blackhole-stands"), 1);

    let seen = || (world.shown("show route all 198.18.0.99/32"), world.updates(), world.withdraws());
    let before = seen();
    let (status, answer) = world.post("/restart", &json!({}));
    assert!(status.ends_with("200 OK"), "{status} {answer}");
    until("another program has taken over", || {
        let status = world.document_if_any("/status").unwrap_or_default();
        status["restart"]["number"].as_u64() == Some(1)
    });
    assert_eq!(seen(), before, "no peer saw anything of it");
    assert_eq!(world.document("/status")["blackholes"][0]["peers"][0]["told"], "announced");
    give(&world, "end", TARGETS[0], &json!({}));
    until("BIRD has forgotten it", || !has(&world, TARGETS[0]));
    assert!(world.is_announced());
}

//! Another site file for a running site: what changes is changed, and nothing else is sent.

use crate::world::{World, until};
use linux::address;
use linux::link::LinkIndex;
use linux::process::ProcessSignal;
use serde_json::{Value, json};
use std::net::IpAddr;

/// Since when the session with the first peer is as it is.
fn session_since(world: &World) -> Value {
    world.document("/status")["peers"][0]["since"].clone()
}

fn reload(world: &World, order: Value) -> Value {
    let (status, answer) = world.post("/reload", &order);
    assert!(status.ends_with("200 OK"), "{status} {answer}");
    answer
}

/// The hold time that BIRD and the site have agreed on, seconds.
fn hold_time(world: &World) -> Option<u32> {
    let protocol = world.birdc("show protocols all site");
    let row = protocol.lines().find_map(|line| line.trim().strip_prefix("Hold timer:"))?;
    row.split('/').nth(1)?.trim().parse().ok()
}

fn on_loopback(world: &World, text: &str) -> bool {
    let mut netlink = world.site.netlink().unwrap();
    address::exists(&mut netlink, LinkIndex::LOOPBACK, text.parse::<IpAddr>().unwrap()).unwrap()
}

#[test]
fn equal_sections_send_nothing_and_only_what_differs_changes() {
    let world = World::new();
    let _bird = world.bird();
    let _nsd = world.nsd();
    let daemon = world.daemon();
    until("both prefixes are announced", || world.is_announced());
    assert_eq!(world.updates(), 2);
    let since = session_since(&world);

    // The same file, by both ways.
    assert_eq!(reload(&world, json!({}))["verdict"], "unchanged");
    daemon.signal(ProcessSignal::SIGHUP);
    until("the signal was heeded", || world.count("reloaded") == 2);
    assert_eq!(world.updates(), 2, "law P12");

    // Other attributes: told again, in the same session.
    world.rewrite(&[("asn = 64500", "asn = 64500\nmed = 7\ncommunities = [\"64500:100\"]")]);
    let dry = reload(&world, json!({ "dry_run": true }));
    assert_eq!((&dry["verdict"], &dry["changes"][0]["name"]), (&json!("would-change"), &json!("transit-a")));
    assert_eq!(world.updates(), 2, "a dry run changes nothing");
    assert_eq!(reload(&world, json!({}))["verdict"], "applied");
    until("both prefixes are told again", || world.updates() == 4);
    let told = world.birdc("show route all 198.18.0.0/24");
    assert!(told.contains("(64500,100)") && told.contains("BGP.med: 7"), "{told}");
    let status = world.document("/status");
    let attributes = &status["groups"][0]["prefixes"][0]["peers"][0]["attributes"];
    assert_eq!((&attributes["med"], &attributes["communities"]), (&json!(7), &json!(["64500:100"])));
    assert_eq!(session_since(&world), since);

    // Timers and checks of the group: nothing to tell anybody.
    world.rewrite(&[("timeout = \"80ms\"", "timeout = \"80ms\"\nfall = 3\nrise = 2")]);
    assert_eq!(reload(&world, json!({}))["changes"][0]["what"], "group");
    assert_eq!(world.updates(), 4);
    assert_eq!(world.document("/status")["groups"][0]["state"], "up");

    // Another hold time is agreed on in another session.
    world.rewrite(&[("asn = 64500", "asn = 64500\nhold_time = \"6s\"")]);
    let refused = reload(&world, json!({}));
    assert_eq!(refused["verdict"], "refused", "the only peer would have nothing for a moment: {refused}");
    assert_eq!(
        reload(&world, json!({ "override_guard": true, "reason": "agreed by mail" }))["verdict"],
        "applied"
    );
    until("the session began again", || hold_time(&world) == Some(6) && world.is_announced());
    assert_ne!(session_since(&world), since);
    assert!(world.kinds().contains(&"guard-overridden".to_owned()));
}

#[test]
fn a_file_that_must_not_be_applied_changes_nothing() {
    let world = World::new();
    let _bird = world.bird();
    let _nsd = world.nsd();
    let daemon = world.daemon();
    until("both prefixes are announced", || world.is_announced());
    let good = world.site_file();

    world.rewrite(&[("asn = 64500", "asn = 0"), ("timeout = \"80ms\"", "fall = 0")]);
    let faulty = reload(&world, json!({}));
    assert_eq!(faulty["verdict"], "faulty");
    let page = faulty["faults"].as_str().unwrap();
    assert!(page.contains("AS 0 names no network") && page.contains("`fall` must be 1 to"), "{page}");
    daemon.signal(ProcessSignal::SIGHUP);
    until("the signal was refused, too", || world.count("reload-faulty") == 2);

    world.replace(&good.replace("[[peer]]", "bgp_port = 1179\n[[peer]]"));
    let refused = reload(&world, json!({}));
    let why = "[site] bgp_port cannot change while the daemon runs: it needs a restart";
    assert_eq!((&refused["verdict"], &refused["refusals"]), (&json!("refused"), &json!([why])));

    world.replace(&good.replace("\"198.18.0.0/24\", ", "").replace("\"198.18.0.53\", ", ""));
    let refused = reload(&world, json!({}));
    assert_eq!((&refused["verdict"], &refused["withdraws"]), (&json!("refused"), &json!(["198.18.0.0/24"])));
    let why = refused["refusals"][0].as_str().unwrap();
    assert!(why.starts_with("it would withdraw 1 of 2 announced prefixes; a reload may withdraw 0"), "{why}");
    let unexplained = reload(&world, json!({ "override_guard": true }));
    assert_eq!(unexplained["verdict"], "refused", "overriding needs a reason");

    assert!(world.post("/reload", &json!({ "pth": "x" })).0.contains("400"));
    assert!(
        world.post("/reload/confirm", &json!({})).1["refusals"][0]
            .as_str()
            .unwrap()
            .contains("no reload waits")
    );
    assert!(world.is_announced());
    assert_eq!(world.updates(), 2);
    assert!(on_loopback(&world, "198.18.0.53"));

    // Meant: the prefix goes at once, its address only after it has lingered.
    let meant = json!({ "override_guard": true, "reason": "IPv4 is over" });
    assert_eq!(reload(&world, meant)["verdict"], "applied");
    assert!(on_loopback(&world, "198.18.0.53"), "users who have not heard are answered");
    until("the prefix is withdrawn", || !world.birdc("show route").contains("198.18.0.0/24"));
    until("the address has lingered", || !on_loopback(&world, "198.18.0.53"));
    assert!(world.birdc("show route").contains("2001:db8:53::/48"), "the other one stays");
}

#[test]
fn nobody_confirms_and_the_file_of_before_is_in_force_again() {
    let world = World::new();
    let _bird = world.bird();
    let _nsd = world.nsd();
    let _daemon = world.daemon();
    until("both prefixes are announced", || world.is_announced());
    let labelled = || world.birdc("show route all 198.18.0.0/24").contains("(64500,100)");

    world.rewrite(&[("asn = 64500", "asn = 64500\ncommunities = [\"64500:100\"]")]);
    let waits = reload(&world, json!({ "confirm_within_ms": 1000 }));
    assert_eq!(waits["verdict"], "applied");
    assert!(waits["confirm_until"].is_u64());
    until("it is in force", labelled);
    until("it is taken back", || world.count("reload-taken-back") == 1 && !labelled());
    assert_eq!(world.updates(), 6, "there and back, both families");

    let waits = reload(&world, json!({ "confirm_within_ms": 3_600_000 }));
    assert_eq!(waits["verdict"], "applied");
    let second = reload(&world, json!({}));
    assert_eq!(second["verdict"], "refused", "one confirmation after the other: {second}");
    assert_eq!(world.post("/reload/confirm", &json!({})).1["verdict"], "confirmed");
    assert!(labelled());
    assert_eq!(reload(&world, json!({}))["verdict"], "unchanged");
}

#[test]
fn services_and_peers_come_and_go_while_the_rest_goes_on() {
    let world = World::new();
    let _bird = world.bird();
    let _nsd = world.nsd();
    let _daemon = world.daemon();
    until("both prefixes are announced", || world.is_announced());
    let since = session_since(&world);

    // A service that nobody answers for, with a prefix that covers it.
    let dead = "[[service]]\nname = \"dead\"\naddresses = [\"203.0.113.1\"]\nannounce = [\"203.0.113.0/24\"]\n\
                cover = [\"203.0.112.0/22\"]\n[[service.check]]\ndns = { name = \"example.\" }\nhang_after = \"20s\"\n\n[api]";
    let peer = "[[peer]]\nname = \"second\"\naddress = \"10.1.0.2\"\nport = 1179\nasn = 64502\n\n[[service]]";
    world.rewrite(&[("[api]", dead), ("[[service]]", peer)]);
    let answer = reload(&world, json!({}));
    assert_eq!(answer["verdict"], "applied", "{answer}");
    let names: Vec<&str> =
        answer["changes"].as_array().unwrap().iter().map(|row| row["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["second", "dead", "dead", "203.0.112.0/22"]);
    until("the covering prefix is announced", || world.birdc("show route").contains("203.0.112.0/22"));
    until("the new address is there", || on_loopback(&world, "203.0.113.1"));
    let status = world.document("/status");
    assert_eq!((&status["groups"][0]["state"], &status["groups"][1]["name"]), (&json!("up"), &json!("dead")));
    assert!(!world.birdc("show route").contains("203.0.113.0/24"), "nobody has proven it");
    assert_eq!(status["peers"][1]["name"], "second");
    let cover = &status["covers"][0];
    assert_eq!(
        (&cover["prefix"], &cover["peers"][0]["told"]),
        (&json!("203.0.112.0/22"), &json!("announced"))
    );
    let explained = world.document("/explain?prefix=203.0.112.0/22");
    assert_eq!((&explained["cover"], &explained["group"]), (&json!(true), &json!("dead")));
    assert_eq!((&explained["output"], &explained["checks"]), (&json!("normal"), &json!([])));
    assert_eq!(explained["peers"][0]["attributes"], cover["peers"][0]["attributes"]);

    // And away again: two of three announced prefixes stay, so the cover goes only with more leave.
    world.rewrite(&[(dead, "[api]"), (peer, "[[service]]")]);
    let refused = reload(&world, json!({}));
    assert_eq!(refused["withdraws"], json!(["203.0.112.0/22"]), "{refused}");
    let meant = json!({ "override_guard": true, "reason": "the service has moved" });
    assert_eq!(reload(&world, meant)["verdict"], "applied");
    until("the covering prefix is withdrawn", || !world.birdc("show route").contains("203.0.112.0/22"));
    until("its address has lingered", || !on_loopback(&world, "203.0.113.1"));
    let status = world.document("/status");
    assert_eq!(
        (status["groups"].as_array().unwrap().len(), status["peers"].as_array().unwrap().len()),
        (1, 1)
    );
    assert_eq!(status["covers"], json!([]));
    assert_eq!(session_since(&world), since, "the first peer saw nothing of all this");
    assert_eq!(world.updates(), 3);
}

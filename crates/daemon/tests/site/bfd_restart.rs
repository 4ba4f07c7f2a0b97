//! Planned restarts beside a neighbour that takes 150 ms without a packet for a dead path.

use super::restart::{end_of_restart, put_daemon_in_place, put_in_place, restart};
use super::shown::Shown;
use super::world::{Program, World, until};
use serde_json::{Value, json};
use std::path::PathBuf;

const BIRD: [(&str, &str); 2] = [
    (
        "protocol device {}",
        "protocol device {}\nprotocol bfd watch {\n  interface \"*\" { interval 50 ms; multiplier 3; };\n  \
         multihop { interval 50 ms; multiplier 3; };\n}",
    ),
    ("hold time 9;", "hold time 240; bfd on;"),
];
const WATCHED: (&str, &str) =
    ("asn = 64500", "asn = 64500\nhold_time = \"240s\"\nbfd = { interval = \"50ms\", multiplier = 3 }");

/// What BIRD waits for us once everything is as it should be.
const AGREED: &str = "0.150";

/// A daemon from a program that can be replaced, and BIRD, both up.
fn watched(world: &World, bird: &[(&str, &str)], watched: (&str, &str)) -> (Program, PathBuf, Program) {
    let bird = world.bird_with(bird);
    let program = world.path("catchment");
    put_daemon_in_place(&program);
    let daemon = world.daemon_from(&program, &[watched]);
    until_agreed(world);
    (bird, program, daemon)
}

fn until_agreed(world: &World) {
    until("both prefixes are announced", || world.is_announced());
    until("BFD is up here", || path(world)["state"] == "up");
    until("BIRD waits as long as it should", || world.birdc("show bfd sessions").contains(AGREED));
}

fn path(world: &World) -> Value {
    world.document("/status")["peers"][0]["bfd"].clone()
}

/// What BIRD would show if the path or the session had been lost for a moment: since when each is up, and what came.
fn seen_by_bird(world: &World) -> ([Shown; 3], u32, u32) {
    let questions = ["show bfd sessions", "show protocols site", "show route all"];
    (questions.map(|question| world.shown(question)), world.updates(), world.withdraws())
}

/// The same, and the path is what it was here.
fn seen(world: &World) -> (([Shown; 3], u32, u32), Value) {
    until_agreed(world);
    let path = path(world);
    let here = json!([path["state"], path["since"], path["interval_us"], path["losses"], path["excused"]]);
    (seen_by_bird(world), here)
}

/// A program that gets going only after a pause, as on a machine that is busy.
fn put_slow_daemon_in_place(world: &World, program: &std::path::Path) {
    let real = world.path("real");
    put_daemon_in_place(&real);
    let script = format!("#!/bin/sh\n[ \"$1\" = check ] || sleep 0.4\nexec {} \"$@\"\n", real.display());
    put_in_place(program, script.as_bytes());
}

#[test]
fn five_restarts_and_neither_end_sees_the_path_down() {
    let world = World::new();
    let _nsd = world.nsd();
    let (_bird, program, _daemon) = watched(&world, &BIRD, WATCHED);
    let before = seen(&world);
    let changes = world.count("bfd-state-changed");
    for number in 1..=5 {
        put_daemon_in_place(&program);
        assert_eq!(restart(&world)["verdict"], "begun");
        let ended = end_of_restart(&world, number);
        assert_eq!((&ended["outcome"], &ended["sessions"]), (&json!("done"), &json!(1)), "{ended}");
        assert_eq!(seen(&world), before, "after {ended}");
    }
    assert_eq!(
        world.count("bfd-state-changed"),
        changes,
        "what the first program told is still there, and no more"
    );
}

/// Nearly three times what BIRD would bear if nobody had told it.
#[test]
fn a_gap_longer_than_the_detection_time_is_announced() {
    let world = World::new();
    let _nsd = world.nsd();
    let (_bird, program, _daemon) = watched(&world, &BIRD, WATCHED);
    let before = seen(&world);
    put_slow_daemon_in_place(&world, &program);
    assert_eq!(restart(&world)["verdict"], "begun");
    let ended = end_of_restart(&world, 1);
    assert!(ended["gap_ms"].as_u64().unwrap() >= 400, "{ended}");
    assert_eq!(seen(&world), before);
    assert!(path(&world)["own_lateness_us"].as_u64().unwrap() < 400_000, "it was no lateness");
}

#[test]
fn over_several_hops() {
    let world = World::new();
    let _nsd = world.nsd();
    let bird = [BIRD[0], ("hold time 9;", "hold time 240; multihop; bfd on;")];
    let multihop = WATCHED.1.replace("multiplier = 3", "multiplier = 3, multihop = true");
    let (_bird, program, _daemon) = watched(&world, &bird, (WATCHED.0, &multihop));
    let before = seen(&world);
    put_slow_daemon_in_place(&world, &program);
    assert_eq!(restart(&world)["verdict"], "begun");
    assert_eq!(end_of_restart(&world, 1)["outcome"], "done");
    assert_eq!(seen(&world), before);
}

#[test]
fn a_neighbour_that_does_not_confirm_and_a_program_that_fails_change_nothing() {
    let world = World::new();
    let _nsd = world.nsd();
    let (_bird, program, _daemon) = watched(&world, &BIRD, WATCHED);
    let before = seen(&world);
    // Packets with the Final bit do not arrive, the others do.
    world.nft(&world.site, "add table inet deaf; add chain inet deaf in { type filter hook input priority 0; }; add rule inet deaf in udp dport 3784 @th,72,8 & 0x10 == 0x10 drop");
    let answer = restart(&world);
    assert_eq!(answer["verdict"], "refused", "{answer}");
    let said = answer["refusals"][0].as_str().unwrap();
    assert!(said.starts_with("transit-a has not confirmed by BFD"), "{said}");
    world.nft(&world.site, "delete table inet deaf");
    assert_eq!(seen(&world), before);
    assert_eq!(world.count("restart-refused"), 1);

    put_in_place(&program, b"#!/bin/sh\nrm \"$0\"\n");
    assert_eq!(restart(&world)["verdict"], "begun");
    assert_eq!(end_of_restart(&world, 1)["outcome"], "failed");
    assert_eq!(seen(&world), before);
}

/// A path that is down goes on being down, and BGP does not care; nor does it when BIRD's BFD comes back.
#[test]
fn a_path_that_is_down_leaves_bgp_alone() {
    let world = World::new();
    let _nsd = world.nsd();
    let (_bird, program, _daemon) = watched(&world, &BIRD, WATCHED);
    world.birdc("disable watch");
    until("the path is lost", || path(&world)["losses"] == 1);
    until("both prefixes are announced without it", || world.is_announced());
    let session = world.birdc("show protocols site");
    put_daemon_in_place(&program);
    assert_eq!(restart(&world)["verdict"], "begun");
    let ended = end_of_restart(&world, 1);
    assert_eq!((&ended["outcome"], &ended["sessions"]), (&json!("done"), &json!(1)), "{ended}");
    world.birdc("enable watch");
    until_agreed(&world);
    assert_eq!(world.birdc("show protocols site"), session);
    assert_eq!(path(&world)["losses"], 0, "it counts anew with each program");
}

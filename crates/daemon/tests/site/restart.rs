//! Planned restarts: another program takes over, and nobody outside sees it.

use crate::shown::Shown;
use crate::transport::{BIRD_OVER_LINK_LOCAL, SITE_OVER_LINK_LOCAL, give_link_local};
use crate::world::{Program, World, until};
use linux::process::ProcessSignal;
use serde_json::{Value, json};
use std::fs;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream, UdpSocket};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

const BUILT_IN: (&str, &str) = ("[api]", "[service.dns]\nzones = [\"example.zone\"]\n[api]");

const ZONE: &str =
    "$ORIGIN example.\n$TTL 60\n@ SOA ns hostmaster 1 1h 15m 1w 5m\n NS ns\nns A 198.18.0.53\n";

/// `example. SOA IN`, with room for the number of the question.
const QUESTION: [u8; 25] = *b"\0\0\x01\0\0\x01\0\0\0\0\0\0\x07example\0\0\x06\0\x01";

/// How long an answer may take before it counts as lost: a client of today waits longer.
const LOST: Duration = Duration::from_secs(3);

/// The world with a daemon that was started from a program which can be replaced.
fn site(world: &World) -> (PathBuf, Program) {
    site_with(world, &[BUILT_IN])
}

/// The same with these pieces of the site file.
fn site_with(world: &World, pieces: &[(&str, &str)]) -> (PathBuf, Program) {
    fs::write(world.path("example.zone"), ZONE).unwrap();
    let program = world.path("catchment");
    put_daemon_in_place(&program);
    let daemon = world.daemon_from(&program, pieces);
    until("both prefixes are announced", || world.is_announced());
    (program, daemon)
}

/// Puts a script in the place of another program, as a package does it.
pub(super) fn put_in_place(path: &Path, script: &[u8]) {
    let beside = path.with_extension("new");
    fs::write(&beside, script).unwrap();
    fs::set_permissions(&beside, fs::Permissions::from_mode(0o755)).unwrap();
    fs::rename(&beside, path).unwrap();
}

/// Puts the daemon there, as a new file.
pub(super) fn put_daemon_in_place(path: &Path) {
    let beside = path.with_extension("new");
    fs::copy(env!("CARGO_BIN_EXE_site"), &beside).unwrap();
    fs::rename(&beside, path).unwrap();
}

pub(super) fn restart(world: &World) -> Value {
    let (status, answer) = world.post("/restart", &json!({}));
    assert!(status.ends_with("200 OK"), "{status} {answer}");
    answer
}

/// How the restart of that number ended.
pub(super) fn end_of_restart(world: &World, number: u64) -> Value {
    let mut last = Value::Null;
    until("the restart has ended", || {
        let status = world.document_if_any("/status").unwrap_or_default();
        last = status["restart"].clone();
        last["number"].as_u64() >= Some(number)
    });
    last
}

/// What BIRD would show of anything that had happened: since when the session is up, when each route came, what was
/// received.
fn seen_by_bird(world: &World) -> ([Shown; 2], u32, u32) {
    let shown = ["show protocols site", "show route all"].map(|question| world.shown(question));
    (shown, world.updates(), world.withdraws())
}

/// Asks until it is told to end; how many questions there were, and how many were never answered.
fn ask_over_udp(ends: &AtomicBool, asked: &AtomicU64) -> u64 {
    let mut lost = 0;
    while !ends.load(Ordering::Relaxed) {
        let number = asked.fetch_add(1, Ordering::Relaxed) as u16;
        // A port of its own for each question, so that every worker is asked.
        let socket = UdpSocket::bind("0.0.0.0:0").unwrap();
        socket.set_read_timeout(Some(LOST)).unwrap();
        let mut question = QUESTION;
        question[..2].copy_from_slice(&number.to_be_bytes());
        let service: SocketAddr = "198.18.0.53:53".parse().unwrap();
        socket.send_to(&question, service).unwrap();
        let mut answer = [0; 512];
        let is_answered = socket.recv(&mut answer).is_ok_and(|length| length > 25);
        lost += u64::from(!is_answered || answer[..2] != number.to_be_bytes());
    }
    lost
}

/// Asks over one connection that is never closed.
fn ask_over_tcp(ends: &AtomicBool, asked: &AtomicU64) -> u64 {
    let mut stream = TcpStream::connect("198.18.0.53:53").unwrap();
    stream.set_read_timeout(Some(LOST)).unwrap();
    while !ends.load(Ordering::Relaxed) {
        asked.fetch_add(1, Ordering::Relaxed);
        let length = (QUESTION.len() as u16).to_be_bytes();
        if stream.write_all(&[&length[..], &QUESTION].concat()).is_err() {
            return 1;
        }
        let mut length = [0; 2];
        let mut answer = [0; 512];
        let is_read = stream.read_exact(&mut length).is_ok()
            && stream.read_exact(&mut answer[..usize::from(u16::from_be_bytes(length))]).is_ok();
        if !is_read {
            return 1;
        }
        std::thread::sleep(Duration::from_millis(1));
    }
    0
}

#[test]
fn five_restarts_and_nobody_outside_sees_one() {
    let world = World::new();
    let _bird = world.bird();
    let (program, mut daemon) = site(&world);
    let before = seen_by_bird(&world);
    let since = world.document("/status")["groups"][0]["since"].clone();
    let (ends, asked) = (AtomicBool::new(false), [AtomicU64::new(0), AtomicU64::new(0)]);
    std::thread::scope(|scope| {
        let udp = scope.spawn(|| world.site.run(|| ask_over_udp(&ends, &asked[0])).unwrap());
        let tcp = scope.spawn(|| world.site.run(|| ask_over_tcp(&ends, &asked[1])).unwrap());
        for number in 1..=5 {
            // The same program as a new file, as an upgrade leaves it.
            put_daemon_in_place(&program);
            let answer = restart(&world);
            assert_eq!(
                (&answer["verdict"], &answer["number"]),
                (&json!("begun"), &json!(number)),
                "{answer}"
            );
            let ended = end_of_restart(&world, number);
            assert_eq!((&ended["outcome"], &ended["sessions"]), (&json!("done"), &json!(1)), "{ended}");
            let so_far = asked.each_ref().map(|asked| asked.load(Ordering::Relaxed));
            until("questions are answered again", || {
                asked.iter().zip(so_far).all(|(asked, so_far)| asked.load(Ordering::Relaxed) > so_far + 20)
            });
        }
        ends.store(true, Ordering::Relaxed);
        assert_eq!((udp.join().unwrap(), tcp.join().unwrap()), (0, 0), "of {asked:?} questions");
    });
    assert_eq!(seen_by_bird(&world), before);
    let status = world.document("/status");
    assert_eq!(status["groups"][0]["since"], since, "the group is up since it was");
    assert_eq!(status["groups"][0]["prefixes"][0]["peers"][0]["told"], "announced");
    let kinds = world.kinds();
    assert_eq!(kinds[0], "started", "what the first program told is still there");
    assert_eq!(kinds.iter().filter(|kind| *kind == "restarted").count(), 5);

    daemon.signal(ProcessSignal::SIGTERM);
    until("both prefixes are withdrawn", || world.is_withdrawn());
    assert!(daemon.ended().success());
}

/// Its addresses mean nothing without the interface, in the program before and in the one after.
#[test]
fn a_session_between_link_local_addresses_goes_over() {
    let world = World::new();
    give_link_local(&world);
    let _bird = world.bird_with(&BIRD_OVER_LINK_LOCAL);
    let [address, next_hop] = SITE_OVER_LINK_LOCAL;
    let (program, _daemon) = site_with(&world, &[BUILT_IN, address, next_hop]);
    let before = seen_by_bird(&world);
    let peer = || world.document("/status")["peers"][0].clone();
    let since = peer()["since"].clone();
    for number in 1..=2 {
        put_daemon_in_place(&program);
        assert_eq!(restart(&world)["verdict"], "begun");
        let ended = end_of_restart(&world, number);
        assert_eq!((&ended["outcome"], &ended["sessions"]), (&json!("done"), &json!(1)), "{ended}");
        assert_eq!(seen_by_bird(&world), before);
    }
    let shown = peer();
    assert_eq!((&shown["address"], &shown["since"]), (&json!("fe80::1"), &since));
    assert_eq!(shown["transport"], json!({ "interface": "site" }));

    // What is told now arrives over the same session, and the next one is begun over the same interface.
    let order = |kind: &str| {
        let order = json!({ "schema": 1, "kind": kind, "reason": "to see it arrive" });
        assert!(world.post("/orders", &order).0.ends_with("200 OK"), "{kind}");
    };
    order("withdraw");
    until("both prefixes are withdrawn", || world.is_withdrawn());
    assert_eq!(world.shown("show protocols site"), before.0[0]);
    order("resume");
    until("both prefixes are announced again", || world.is_announced());
    world.birdc("restart site");
    until("another session", || peer()["since"] != since && world.is_announced());
}

#[test]
fn a_restart_that_is_refused_or_fails_changes_nothing() {
    let world = World::new();
    let _bird = world.bird();
    let (program, _daemon) = site(&world);
    let before = seen_by_bird(&world);
    let refused = |words: &str| {
        let answer = restart(&world);
        assert_eq!(answer["verdict"], "refused", "{answer}");
        let said = answer["refusals"][0].as_str().unwrap();
        assert!(said.contains(words), "{said}");
    };
    let text = world.site_file();
    world.rewrite(&[("linger = \"3s\"", "linger = \"4s\"")]);
    refused("`catchment reload` first");
    world.rewrite(&[("linger = \"4s\"", "linger = 4")]);
    refused("has faults");
    world.replace(&text);
    put_in_place(&program, b"#!/bin/sh\necho 'transit-a: what is an asn?' >&2; exit 2\n");
    refused("transit-a: what is an asn?");
    fs::remove_file(&program).unwrap();
    refused("cannot be started");
    assert_eq!(world.count("restart-refused"), 4);

    // One that promises to take over and is gone then.
    put_in_place(&program, b"#!/bin/sh\nrm \"$0\"\n");
    assert_eq!(restart(&world)["verdict"], "begun");
    let ended = end_of_restart(&world, 1);
    assert_eq!(ended["outcome"], "failed");
    assert!(ended["reason"].as_str().unwrap().contains("No such file"), "{ended}");
    until("the service is answered", || world.is_answered("198.18.0.53"));
    assert_eq!(seen_by_bird(&world), before);

    put_daemon_in_place(&program);
    assert_eq!(restart(&world)["verdict"], "begun");
    assert_eq!(end_of_restart(&world, 2)["outcome"], "done");
    assert_eq!(seen_by_bird(&world), before);
}

#[test]
fn a_program_that_is_killed_before_it_takes_over_is_a_cold_start() {
    let world = World::new();
    let _bird = world.bird();
    let (program, mut daemon) = site(&world);
    put_in_place(&program, b"#!/bin/sh\n[ \"$1\" = check ] || exec sleep 1000\n");
    assert_eq!(restart(&world)["verdict"], "begun");
    let name = format!("/proc/{}/comm", daemon.id());
    until("the other program runs", || fs::read_to_string(&name).is_ok_and(|name| name.trim() == "sleep"));
    assert!(world.is_announced(), "the sessions are handed over");
    daemon.kill();
    until("both prefixes are withdrawn", || world.is_withdrawn());
    put_daemon_in_place(&program);
    let _daemon = world.daemon_from(&program, &[BUILT_IN]);
    until("both prefixes are announced again", || world.is_announced());
    assert_eq!(world.count("started"), 1);
    assert_eq!(world.document("/status")["restart"], Value::Null);
}

//! A site against the real world: BIRD as its neighbour, NSD as its service, both families over one session.
//!
//! Needs root (network namespaces), `bird`, `nsd` and `dig`. Nothing is timed: every wait polls a condition.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

mod bfd;
mod bfd_restart;
mod blackhole;
mod bmp;
mod built_in_dns;
mod callers;
mod levels;
mod metrics;
mod orders;
mod reload;
mod restart;
mod shown;
mod transport;
mod world;

use api::client::Server;
use api::client::blocking::Client;
use api::{EventRow, route};
use linux::link::LinkIndex;
use linux::process::ProcessSignal;
use linux::{address, route as routes};
use std::net::IpAddr;
use world::{World, until};

#[test]
fn a_service_that_dies_is_withdrawn_and_comes_back_after_the_back_off() {
    let world = World::new();
    let _bird = world.bird();
    let mut nsd = world.nsd();
    let _daemon = world.daemon();
    until("both prefixes are announced", || world.is_announced());

    nsd.kill();
    until("both prefixes are withdrawn", || world.is_withdrawn());
    let status = world.document("/status");
    assert_eq!(status["groups"][0]["state"], "down");
    assert_eq!(status["groups"][0]["prefixes"][0]["peers"][0]["told"], "withdrawn");
    assert!(world.birdc("show protocols site").contains("Established"), "the session lives on");

    let _nsd = world.nsd();
    until("both prefixes are announced again", || world.is_announced());
}

#[test]
fn nothing_is_sent_while_nothing_changes_and_a_lost_address_is_put_back() {
    let world = World::new();
    let _bird = world.bird();
    let _nsd = world.nsd();
    let _daemon = world.daemon();
    until("both prefixes are announced", || world.is_announced());
    assert_eq!(world.updates(), 2);

    let mut netlink = world.site.netlink().unwrap();
    for text in ["198.18.0.53", "2001:db8:53::53"] {
        let service: IpAddr = text.parse().unwrap();
        address::remove(&mut netlink, LinkIndex::LOOPBACK, service.into()).unwrap();
        until("the address is back", || address::exists(&mut netlink, LinkIndex::LOOPBACK, service).unwrap());
    }
    until("both returns are told", || {
        world.kinds().iter().filter(|kind| *kind == "address-restored").count() == 2
    });
    until("a hundred checks have passed since", || {
        let status = world.document("/status");
        let checks = status["groups"][0]["checks"].as_array().unwrap();
        checks.iter().all(|check| check["last"] == "pass" && check["run"].as_u64().unwrap() >= 20)
    });
    assert!(world.is_announced());
    assert_eq!(world.updates(), 2, "equal output is told once");
    let unused: IpAddr = "198.18.0.99".parse().unwrap();
    assert_eq!(routes::lookup(&mut netlink, unused).unwrap(), routes::Lookup::Unreachable);
}

#[test]
fn an_orderly_stop_withdraws_answers_on_and_says_why() {
    let world = World::new();
    let _bird = world.bird();
    let _nsd = world.nsd();
    let mut daemon = world.daemon();
    until("both prefixes are announced", || world.is_announced());

    daemon.signal(ProcessSignal::SIGTERM);
    until("both prefixes are withdrawn", || world.is_withdrawn());
    assert!(world.birdc("show protocols site").contains("Established"), "the session lingers");
    assert!(world.is_answered("198.18.0.53") && world.is_answered("2001:db8:53::53"));

    assert!(daemon.ended().success());
    let text = "london stops on SIGTERM";
    until("BIRD has heard why", || world.bird_log().contains(text));
    assert!(world.birdc("show protocols all site").contains(text));
    assert!(world.is_answered("198.18.0.53"), "the address stays after the end");
    assert!(!world.path("api.sock").exists());
}

#[test]
fn a_killed_daemon_is_withdrawn_by_its_kernel() {
    let world = World::new();
    let _bird = world.bird();
    let _nsd = world.nsd();
    let mut daemon = world.daemon();
    until("both prefixes are announced", || world.is_announced());
    daemon.kill();
    until("both prefixes are withdrawn", || world.is_withdrawn());
    assert!(!world.bird_log().contains("Hold timer"), "the closed connection was enough");

    let _daemon = world.daemon();
    until("a new daemon announces again", || world.is_announced());
}

#[test]
fn a_session_that_was_reset_comes_back_and_gets_everything_again() {
    let world = World::new();
    let _bird = world.bird();
    let _nsd = world.nsd();
    let _daemon = world.daemon();
    let resets = || world.kinds().iter().filter(|kind| *kind == "notification-received").count();
    for _ in 0..2 {
        until("both prefixes are announced", || world.is_announced());
        let before = resets();
        world.birdc("restart site");
        until("the session was reset", || resets() > before);
    }
    until("both prefixes are announced again", || world.is_announced());
}

#[test]
fn two_interrupts_do_not_linger() {
    let world = World::new();
    let _bird = world.bird();
    let _nsd = world.nsd();
    let mut daemon = world.daemon_with("linger = \"3s\"", "linger = \"1h\"");
    until("both prefixes are announced", || world.is_announced());
    daemon.signal(ProcessSignal::SIGINT);
    until("both prefixes are withdrawn", || world.is_withdrawn());
    daemon.signal(ProcessSignal::SIGINT);
    assert!(daemon.ended().success());
}

#[test]
fn everything_can_be_asked_over_the_socket() {
    let world = World::new();
    let _bird = world.bird();
    let mut nsd = world.nsd();
    let _daemon = world.daemon();
    until("both prefixes are announced", || world.is_announced());

    let mut status = world.document("/status");
    for moving in ["/groups/0/since", "/groups/0/checks/0/run", "/groups/0/checks/1/run", "/peers/0/since"] {
        let number = status.pointer_mut(moving).unwrap();
        assert!(number.is_u64(), "{moving} is {number}");
        *number = "a number".into();
    }
    let reason = status.pointer_mut("/groups/0/reason").unwrap();
    assert!(reason.as_str().unwrap().starts_with("proven: dns example. SOA at 198.18.0.53 passed"));
    *reason = "a sentence".into();
    insta::assert_snapshot!(serde_json::to_string_pretty(&status).unwrap());

    let why = world.document("/explain?prefix=198.18.0.0/24");
    assert_eq!(why["group"], "dns");
    assert_eq!(why["peers"][0]["told"], "announced");
    assert_eq!(why["peers"][0]["attributes"]["next_hop"], "10.1.0.10");
    assert!(!why["why"].as_array().unwrap().is_empty());
    let (refused, body) = world.get("/explain?prefix=192.0.2.0/24");
    assert!(refused.contains("404"), "{refused}");
    assert!(body.contains("it announces 198.18.0.0/24, 2001:db8:53::/48"), "{body}");
    assert!(world.get("/explain?prefix=nonsense").0.contains("400"));

    let client = Client::of(Server::Daemon, world.path("api.sock")).unwrap();
    let mut rows = client.follow::<EventRow>(route::FOLLOW).unwrap().map(Result::unwrap);
    assert_eq!(rows.next().unwrap().kind, "started");
    nsd.kill();
    assert!(rows.any(|row| row.kind == "down" && row.subject == "dns"), "new events follow the old ones");
    until("both prefixes are withdrawn", || world.is_withdrawn());

    let (_, metrics) = world.get("/metrics");
    let value = |name: &str| {
        let row = metrics.lines().find_map(|line| line.strip_prefix(name));
        row.unwrap_or_else(|| panic!("no {name} in\n{metrics}")).trim().parse::<f64>().unwrap()
    };
    assert_eq!(value("catchment_group_state{group=\"dns\",state=\"down\"}"), 1.0);
    assert_eq!(value("catchment_peer_established{peer=\"transit-a\"}"), 1.0);
    assert_eq!(value("catchment_peer_announced_prefixes{peer=\"transit-a\"}"), 0.0);
    assert_eq!(value("catchment_events_total{kind=\"down\",severity=\"warning\"}"), 1.0);
    assert!(value("catchment_verdict_to_bytes_seconds_count") >= 1.0);
}

#[test]
fn a_recording_of_a_whole_life_replays_to_what_was_done() {
    let world = World::new();
    let _bird = world.bird();
    let mut nsd = world.nsd();
    let mut daemon = world.daemon();
    until("both prefixes are announced", || world.is_announced());
    nsd.kill();
    until("both prefixes are withdrawn", || world.is_withdrawn());
    let lived: Vec<String> = texts_of(&world, "dns");
    daemon.signal(ProcessSignal::SIGTERM);
    assert!(daemon.ended().success());

    let file = std::fs::File::open(world.path("state/recording.jsonl")).unwrap();
    let steps = recording::replay(std::io::BufReader::new(file)).unwrap();
    let replayed: Vec<String> = steps.flat_map(|step| moves(&step.unwrap())).collect();
    assert_eq!(replayed[..lived.len()], lived);
}

/// The sentences of a group's events.
fn texts_of(world: &World, subject: &str) -> Vec<String> {
    let events = world.document("/events");
    let rows = events["events"].as_array().unwrap().iter().filter(|row| row["subject"] == subject);
    rows.map(|row| row["text"].as_str().unwrap().to_owned()).collect()
}

/// The sentences of a group's events that one step of a replay leads to.
fn moves(step: &recording::Step) -> Vec<String> {
    let recording::Happened::Told { outputs, .. } = &step.happened else { return Vec::new() };
    let is_ours = step.core == "announce";
    let actions = outputs.iter().filter(|_| is_ours).cloned().map(serde_json::from_value);
    let told = |action| match action {
        announce::Action::Event(event) => Some(event.to_string()),
        _ => None,
    };
    actions.filter_map(|action| told(action.unwrap())).collect()
}

#[test]
fn a_peer_that_talks_nonsense_disturbs_nobody() {
    let world = World::new();
    let _bird = world.bird();
    let mut nsd = world.nsd();
    let _shouting = world.shouting_peer("10.1.0.2");
    let second = "name = \"shouts\"\naddress = \"10.1.0.2\"\nport = 1179\nasn = 64502\n\n[[service]]";
    let _daemon = world.daemon_with("[[service]]", &format!("[[peer]]\n{second}"));
    until("both prefixes are announced", || world.is_announced());
    until("the nonsense was answered", || world.kinds().iter().any(|kind| kind == "notification-sent"));
    nsd.kill();
    until("both prefixes are withdrawn", || world.is_withdrawn());
    let status = world.document("/status");
    assert_eq!(status["peers"][0]["state"], "established");
    assert_ne!(status["peers"][1]["state"], "established");
}

#[test]
fn a_start_that_fails_says_why_and_leaves_nothing() {
    let world = World::new();
    let taken = world.site.run(|| std::net::TcpListener::bind("0.0.0.0:179")).unwrap().unwrap();
    assert!(!world.daemon().ended().success());
    drop(taken);
    let taken = world.site.run(|| std::net::TcpListener::bind("127.0.0.1:9053")).unwrap().unwrap();
    assert!(!world.daemon().ended().success());
    drop(taken);
    let mut netlink = world.site.netlink().unwrap();
    let service: IpAddr = "198.18.0.53".parse().unwrap();
    assert!(!address::exists(&mut netlink, LinkIndex::LOOPBACK, service).unwrap());
    assert!(!world.path("api.sock").exists());
}

#[test]
fn a_spoiled_memory_is_told_and_the_site_starts() {
    let world = World::new();
    std::fs::create_dir(world.path("state")).unwrap();
    std::fs::write(world.path("state/state.redb"), "no store").unwrap();
    let _bird = world.bird();
    let _nsd = world.nsd();
    let _daemon = world.daemon();
    until("both prefixes are announced", || world.is_announced());
    assert!(world.kinds().contains(&"memory-unreadable".to_owned()));
}

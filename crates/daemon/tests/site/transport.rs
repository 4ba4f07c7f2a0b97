//! How connections are guarded, against BIRD: signatures and their keys, distance, link-local addresses.

use crate::world::{Program, World, until};
use linux::process::ProcessSignal;
use linux::{address, link};
use serde_json::{Value, json};
use std::fs::{self, Permissions};
use std::net::IpAddr;
use std::os::unix::fs::PermissionsExt;
use terms::SharedKey;

/// What BIRD says about a password, in the place of its hold time.
fn password(key: &str) -> String {
    format!("hold time 90;\n  password \"{key}\";")
}

/// What the site file says about it, in the place of the AS number.
const SIGNED: (&str, &str) =
    ("asn = 64500", "asn = 64500\nhold_time = \"90s\"\npassword_file = \"bird.key\"");

/// Both ends over IPv6, with routes of both families.
const BIRD_OVER_IPV6: [(&str, &str); 2] = [
    ("local 10.1.0.1 as", "local 2001:db8:1::1 as"),
    ("neighbor 10.1.0.10 as", "neighbor 2001:db8:1::10 as"),
];
const SITE_OVER_IPV6: [(&str, &str); 2] = [
    ("address = \"10.1.0.1\"", "address = \"2001:db8:1::1\""),
    ("next_hop6 = \"2001:db8:1::10\"", "next_hop4 = \"10.1.0.10\""),
];

/// The same between link-local addresses.
pub(super) const BIRD_OVER_LINK_LOCAL: [(&str, &str); 2] =
    [("local 10.1.0.1 as", "local fe80::1 as"), ("neighbor 10.1.0.10 as", "neighbor fe80::10%neighbour as")];
pub(super) const SITE_OVER_LINK_LOCAL: [(&str, &str); 2] = [
    ("address = \"10.1.0.1\"", "address = \"fe80::1%site\""),
    ("next_hop6 = \"2001:db8:1::10\"", "next_hop4 = \"10.1.0.10\"\nsource = \"fe80::10\""),
];

/// Gives both ends of the cable the link-local addresses that these speak of.
pub(super) fn give_link_local(world: &World) {
    for (namespace, name, own) in
        [(&world.site, "site", "fe80::10/64"), (&world.neighbour, "neighbour", "fe80::1/64")]
    {
        let mut netlink = namespace.netlink().unwrap();
        let cable = link::index(&mut netlink, name).unwrap();
        address::add(&mut netlink, cable, own.parse().unwrap()).unwrap();
    }
}

fn write_key(world: &World, key: &str) {
    let path = world.path("bird.key");
    fs::write(&path, format!("{key}\n")).unwrap();
    fs::set_permissions(&path, Permissions::from_mode(0o640)).unwrap();
}

/// The texts of the events of a kind; none before the daemon can be asked.
fn texts(world: &World, kind: &str) -> Vec<String> {
    if !world.path("api.sock").exists() {
        return Vec::new();
    }
    let events = world.document("/events");
    let rows = events["events"].as_array().unwrap().iter().filter(|row| row["kind"] == kind);
    rows.map(|row| row["text"].as_str().unwrap().to_owned()).collect()
}

fn session_since(world: &World) -> Value {
    world.document("/status")["peers"][0]["since"].clone()
}

fn configure(world: &World, pieces: &[(&str, &str)]) {
    world.configure_bird(pieces);
    let answer = world.birdc("configure");
    assert!(answer.contains("Reconfigured") || answer.contains("Reconfiguration in progress"), "{answer}");
}

/// Has the kernel use another key for what BIRD exchanges with the site.
fn rekey(bird: &Program, key: &str) {
    let site: IpAddr = "10.1.0.10".parse().unwrap();
    let key = SharedKey::new(key).unwrap();
    let set =
        bird.sockets().iter().filter(|socket| linux::tcp::md5::set_key(socket, site, &key).is_ok()).count();
    assert!(set >= 2, "the session and what listens");
}

#[test]
fn an_unsigned_peer_is_dropped_and_told_of_and_a_signed_one_is_not() {
    let world = World::new();
    write_key(&world, "swordfish");
    let _bird = world.bird();
    let _nsd = world.nsd();
    let mut daemon = world.daemon_with_pieces(&[SIGNED]);
    until("the daemon says what is dropped", || !texts(&world, "segments-dropped").is_empty());
    let told = &texts(&world, "segments-dropped")[0];
    assert!(told.contains("without a signature where a key is set here"), "{told}");
    assert!(told.ends_with("; without a session: transit-a"), "{told}");
    assert!(world.is_withdrawn());

    configure(&world, &[("hold time 9;", &password("swordfish"))]);
    until("both prefixes are announced", || world.is_announced());
    let status = world.document("/status");
    assert_eq!(status["peers"][0]["transport"], json!({ "signature": "md5" }));

    // Nobody who looks at the site learns the key.
    let shown = [world.get("/status").1, world.get("/events").1, world.get("/metrics").1];
    assert!(shown.iter().all(|text| !text.contains("swordfish")));
    daemon.signal(ProcessSignal::SIGINT);
    daemon.signal(ProcessSignal::SIGINT);
    assert!(daemon.ended().success());
    let recording = fs::read_to_string(world.path("state/recording.jsonl")).unwrap();
    assert!(recording.contains("transit-a") && !recording.contains("swordfish"));
}

#[test]
fn a_key_changes_and_the_session_stays() {
    let world = World::new();
    write_key(&world, "old");
    let bird = world.bird_with(&[("hold time 9;", &password("old"))]);
    let _nsd = world.nsd();
    let daemon = world.daemon_with_pieces(&[SIGNED]);
    until("both prefixes are announced", || world.is_announced());
    let (since, updates) = (session_since(&world), world.updates());

    // Ours first, by a signal; what is told in between waits in TCP.
    write_key(&world, "new");
    daemon.signal(ProcessSignal::SIGHUP);
    until("the new key is in force", || texts(&world, "reconfigured").len() == 1);
    assert_eq!(
        texts(&world, "reconfigured"),
        ["peer transit-a: another key or distance; its session goes on"]
    );
    world.rewrite(&[("asn = 64500", "asn = 64500\nmed = 7")]);
    daemon.signal(ProcessSignal::SIGHUP);
    until("other attributes are in force", || texts(&world, "reconfigured").len() == 2);
    assert_eq!(world.updates(), updates, "BIRD's end still has the old key");
    rekey(&bird, "new");
    until("what was told in between has arrived", || world.updates() == updates + 2);
    assert_eq!(session_since(&world), since);
    assert!(world.birdc("show protocols site").contains("Established"));

    // BIRD drops its session when its own file changes. The next one has the new key from the first segment on.
    configure(&world, &[("hold time 9;", &password("new"))]);
    until("another session", || session_since(&world) != since && world.is_announced());
}

#[test]
fn guards_work_over_ipv6_and_can_be_taken_away() {
    let world = World::new();
    write_key(&world, "swordfish");
    let secured = format!("{}\n  ttl security on;", password("swordfish"));
    let bird: Vec<_> = BIRD_OVER_IPV6.into_iter().chain([("hold time 9;", secured.as_str())]).collect();
    let _bird = world.bird_with(&bird);
    let _nsd = world.nsd();
    let guards = format!("{}\nttl_security = 1", SIGNED.1);
    let site: Vec<_> = SITE_OVER_IPV6.into_iter().chain([(SIGNED.0, guards.as_str())]).collect();
    let daemon = world.daemon_with_pieces(&site);
    until("both prefixes are announced", || world.is_announced());
    let status = world.document("/status");
    assert_eq!(status["peers"][0]["transport"], json!({ "signature": "md5", "ttl_security": 1 }));

    // Both ends give their guards up.
    world.rewrite(&[(&guards, "asn = 64500\nhold_time = \"90s\"\nttl_security = 255")]);
    configure(&world, &BIRD_OVER_IPV6);
    daemon.signal(ProcessSignal::SIGHUP);
    until("a session without a key", || {
        let peer = world.document("/status")["peers"][0].clone();
        peer["transport"] == json!({ "ttl_security": 255 })
            && peer["state"] == "established"
            && world.is_announced()
    });
}

/// BIRD sends with TTL 1 to the next host, unless it is told to secure it.
#[test]
fn who_is_too_far_away_is_not_let_in() {
    let world = World::new();
    let bird = world.bird();
    let _nsd = world.nsd();
    // A second peer may be anywhere, so the socket that listens takes calls from anywhere.
    let near = ("asn = 64500", "asn = 64500\nttl_security = 1\npassive = true");
    let second =
        "[[peer]]\nname = \"second\"\naddress = \"10.1.0.2\"\nport = 1179\nasn = 64502\n\n[[service]]";
    let _daemon = world.daemon_with_pieces(&[near, ("[[service]]", second)]);
    until("its call was refused", || !texts(&world, "call-too-far").is_empty());
    let told = &texts(&world, "call-too-far")[0];
    assert!(told.starts_with("a call with TTL 1 was refused, `ttl_security` takes 255 and more"), "{told}");
    assert!(world.is_withdrawn());
    drop(bird);

    let _bird = world.bird_with(&[("hold time 9;", "hold time 9;\n  ttl security on;")]);
    until("both prefixes are announced", || world.is_announced());
}

/// Where every peer has to be near, the kernel drops what comes from further away before anybody answers.
#[test]
fn nobody_far_away_gets_an_answer_where_every_peer_is_near() {
    let world = World::new();
    let _bird = world.bird();
    let _nsd = world.nsd();
    let _daemon = world.daemon_with("asn = 64500", "asn = 64500\nttl_security = 1");
    until("the daemon says what is dropped", || !texts(&world, "segments-dropped").is_empty());
    let told = &texts(&world, "segments-dropped")[0];
    assert!(told.contains("from further away than `ttl_security` allows"), "{told}");
    assert_eq!(world.count("call-too-far"), 0);
    configure(&world, &[("hold time 9;", "hold time 9;\n  ttl security on;")]);
    until("both prefixes are announced", || world.is_announced());
}

#[test]
fn a_link_local_neighbour_is_called_and_calls() {
    let world = World::new();
    give_link_local(&world);
    let _bird = world.bird_with(&BIRD_OVER_LINK_LOCAL);
    let _nsd = world.nsd();
    let _daemon = world.daemon_with_pieces(&SITE_OVER_LINK_LOCAL);
    until("both prefixes are announced", || world.is_announced());
    let peer = world.document("/status")["peers"][0].clone();
    assert_eq!((&peer["address"], &peer["transport"]), (&json!("fe80::1"), &json!({ "interface": "site" })));
    let is_via =
        |next_hop: &str| world.birdc("show route 2001:db8:53::/48").contains(&format!("via {next_hop} on"));
    assert!(is_via("2001:db8:1::10"), "{}", world.birdc("show route all"));

    // Without a global address on that interface, the link-local one has to do. And BIRD calls.
    let mut netlink = world.site.netlink().unwrap();
    let cable = link::index(&mut netlink, "site").unwrap();
    address::remove(&mut netlink, cable, "2001:db8:1::10/64".parse().unwrap()).unwrap();
    world.rewrite(&[("asn = 64500", "asn = 64500\npassive = true")]);
    let answer = world.post("/reload", &json!({ "override_guard": true, "reason": "the peer calls" })).1;
    assert_eq!(answer["verdict"], "applied", "{answer}");
    // The session goes on as it is; the next one is BIRD's to begin.
    world.birdc("restart all");
    until("BIRD has called", || world.is_announced() && is_via("fe80::10"));
}

#[test]
fn an_interface_that_is_not_there_is_waited_for() {
    let world = World::new();
    let _nsd = world.nsd();
    let site = [("address = \"10.1.0.1\"", "address = \"fe80::1%later\""), SITE_OVER_IPV6[1]];
    let _daemon = world.daemon_with_pieces(&site);
    until("the daemon says what it waits for", || {
        texts(&world, "state-changed").iter().any(|text| text.contains("cannot find interface later"))
    });
}

#[test]
fn a_kernel_without_tcp_ao_is_named_and_nothing_starts() {
    let world = World::new();
    write_key(&world, "swordfish");
    let ao = "asn = 64500\ntcp_ao = { key_file = \"bird.key\", send_id = 1, receive_id = 1 }";
    if linux::tcp::ao::is_supported().unwrap() {
        let _nsd = world.nsd();
        let _daemon = world.daemon_with("asn = 64500", ao);
        until("it runs", || world.path("api.sock").exists());
        return;
    }
    let mut daemon = world.daemon_with("asn = 64500", ao);
    assert!(!daemon.ended().success());
    assert!(!world.path("api.sock").exists());
    let mut netlink = world.site.netlink().unwrap();
    let service = "198.18.0.53".parse().unwrap();
    assert!(!address::exists(&mut netlink, link::LinkIndex::LOOPBACK, service).unwrap());

    // A reload is refused as a whole, and says why.
    let _bird = world.bird();
    let _nsd = world.nsd();
    let _daemon = world.daemon();
    until("both prefixes are announced", || world.is_announced());
    world.rewrite(&[("asn = 64500", ao)]);
    let answer = world.post("/reload", &json!({ "override_guard": true, "reason": "test" })).1;
    assert_eq!(answer["verdict"], "refused");
    let why = answer["refusals"][0].as_str().unwrap();
    assert!(why.contains("peer transit-a has `tcp_ao`") && why.contains("CONFIG_TCP_AO"), "{why}");
    assert!(world.is_announced());
}

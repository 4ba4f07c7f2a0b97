//! Live sessions with BIRD 2 over loopback: what it shows to its operator is what we told.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
#![allow(clippy::disallowed_types, reason = "the driver of a test does the I/O that the core must not")]

#[path = "support/driver.rs"]
mod driver;

use bgp::session::{Event, IdleHold, Input, Settings, StateName, StopKind};
use driver::Driver;
use std::net::TcpListener;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::Duration;
use terms::{Attributes, ExtendedCommunity, RouteSet};

/// A BIRD of our own: its own configuration, control socket and log, no kernel routes. It ends with the test.
struct Bird {
    directory: tempfile::TempDir,
    process: Child,
}

impl Bird {
    /// A router of AS 64500 with one neighbour, and two routes to tell it.
    fn start(options: &str, its_port: u16, our_port: u16) -> Bird {
        let directory = tempfile::tempdir().unwrap();
        let log = directory.path().join("log");
        let configuration = format!(
            r#"
            log "{log}" all;
            router id 10.1.0.1;
            protocol device {{}}
            protocol static {{ ipv4; route 192.0.2.0/24 unreachable; }}
            protocol static {{ ipv6; route 2001:db8:2::/48 unreachable; }}
            protocol bgp site {{
                local 127.0.0.1 port {its_port} as 64500;
                neighbor 127.0.0.1 port {our_port} as 64501;
                multihop;
                connect delay time 1;
                connect retry time 1;
                error wait time 1, 2;
                {options}
                ipv4 {{ import all; export all; next hop address 10.1.0.1; }};
                ipv6 {{ import all; export all; next hop address 2001:db8::1; }};
            }}
            "#,
            log = log.display(),
        );
        let file = directory.path().join("bird.conf");
        std::fs::write(&file, configuration).unwrap();
        let process = Command::new("bird")
            .args(["-f", "-c"])
            .arg(&file)
            .arg("-s")
            .arg(directory.path().join("control"))
            .stderr(Stdio::inherit())
            .spawn()
            .expect("bird is installed (Debian package bird2)");
        Bird { directory, process }
    }

    fn control(&self) -> PathBuf {
        self.directory.path().join("control")
    }

    /// What its operator sees.
    fn ask(&self, command: &str) -> String {
        let output =
            Command::new("birdcl").arg("-s").arg(self.control()).args(command.split(' ')).output().unwrap();
        String::from_utf8(output.stdout).unwrap()
    }

    fn log(&self) -> String {
        std::fs::read_to_string(self.directory.path().join("log")).unwrap_or_default()
    }
}

impl Drop for Bird {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// Our side and BIRD, with BIRD's options.
fn pair(options: &str, passive: bool) -> (Driver, Bird) {
    let free = || TcpListener::bind("127.0.0.1:0").unwrap();
    let (listener, reserved) = (free(), free());
    let neighbour = reserved.local_addr().unwrap();
    drop(reserved);
    let bird = Bird::start(options, neighbour.port(), listener.local_addr().unwrap().port());
    let (asn, peer_asn) = ("64501".parse().unwrap(), "64500".parse().unwrap());
    // Quick, because BIRD is not up yet at the first attempt, and is asked to restart.
    let settings = Settings {
        passive,
        connect_retry: Duration::from_millis(200),
        idle_hold: IdleHold { base: Duration::from_millis(100), cap: Duration::from_secs(1) },
        ..Settings::new(asn, peer_asn, "10.1.0.10".parse().unwrap())
    };
    let mut driver = Driver::new(settings, listener, neighbour);
    driver.feed(Input::Start);
    (driver, bird)
}

/// One route of each family with everything that a route can say.
fn routes() -> RouteSet {
    let mut attributes = Attributes::originated("10.1.0.10".parse().unwrap());
    attributes.path = vec!["64501".parse().unwrap(), "4200000000".parse().unwrap()];
    attributes.med = Some(50);
    attributes.communities = ["64501:1", "65535:0"].map(|text| text.parse().unwrap()).into();
    attributes.large_communities = ["64501:2:3".parse().unwrap()].into();
    // Route target 64501:7 (RFC 4360 section 4)
    attributes.extended_communities = [ExtendedCommunity([0, 2, 0xfb, 0xf5, 0, 0, 0, 7])].into();
    let attributes6 = Attributes { next_hop: "2001:db8:1::10".parse().unwrap(), ..attributes.clone() };
    [("198.18.0.0/24", attributes), ("2001:db8:53::/48", attributes6)]
        .map(|(prefix, attributes)| (prefix.parse().unwrap(), attributes))
        .into()
}

/// BIRD hears and speaks: routes with all attributes, refresh, withdraw, and both kinds of goodbye.
#[test]
fn a_whole_life() {
    let (mut driver, bird) = pair("passive yes;", false);
    driver.run_until("session", |driver| driver.session.state() == StateName::Established);
    driver.feed(Input::Wanted(Arc::new(routes())));

    driver.run_until("both routes", |_| bird.ask("show route protocol site").matches("[site").count() == 2);
    for (prefix, next_hop) in [("198.18.0.0/24", "10.1.0.10"), ("2001:db8:53::/48", "2001:db8:1::10")] {
        let shown = bird.ask(&format!("show route {prefix} protocol site all"));
        for said in [
            "BGP.origin: IGP",
            "BGP.as_path: 64501 64501 4200000000",
            &format!("BGP.next_hop: {next_hop}"),
            "BGP.med: 50",
            "BGP.community: (64501,1) (65535,0)",
            "BGP.ext_community: (rt, 64501, 7)",
            "BGP.large_community: (64501, 2, 3)",
        ] {
            assert!(shown.contains(said), "{said} is not in {shown}");
        }
    }

    // Its two routes were heard, and its End-of-RIB of both families.
    driver.run_until_event("has told all its ipv4 routes");
    driver.run_until_event("has told all its ipv6 routes");
    assert_eq!(driver.session.received().accepted, 2);

    bird.ask("reload in site");
    driver.run_until_event("asked to be told its ipv4 routes again");
    driver.run_until_event("asked to be told its ipv6 routes again");

    let left: RouteSet = routes().into_iter().take(1).collect();
    driver.feed(Input::Wanted(Arc::new(left)));
    driver.run_until("one route gone", |_| {
        let shown = bird.ask("show route protocol site");
        shown.contains("198.18.0.0/24") && !shown.contains("2001:db8:53::/48")
    });

    bird.ask("disable site \"back at noon\"");
    driver.run_until_event(
        "the neighbour ended the connection: Cease: Administrative Shutdown (6/2) \"back at noon\"",
    );
    bird.ask("enable site");
    driver.run_until("session again", |driver| driver.session.state() == StateName::Established);
    driver.feed(Input::Stop {
        kind: StopKind::Shutdown,
        text: Some("moving to rack 7 — until 05:00".parse().unwrap()),
    });
    driver.run_until("our text in its log", |_| bird.log().contains("moving to rack 7 — until 05:00"));
}

/// We wait, BIRD connects.
#[test]
fn bird_connects() {
    let (mut driver, bird) = pair("", true);
    driver.run_until("session", |driver| driver.session.state() == StateName::Established);
    assert!(bird.ask("show protocols all site").contains("4-octet AS numbers"));
}

/// Both connect, again and again, whichever side is the larger identifier: they end up with one session.
#[test]
fn both_connect() {
    let (mut driver, bird) = pair("", false);
    for _ in 0..3 {
        driver.run_until("session", |driver| driver.session.state() == StateName::Established);
        bird.ask("restart site");
        driver.run_until("its end", |driver| driver.session.state() != StateName::Established);
    }
    driver.run_until("session", |driver| driver.session.state() == StateName::Established);
    driver.feed(Input::Wanted(Arc::new(routes())));
    driver.run_until("both routes", |_| bird.ask("show route protocol site").matches("[site").count() == 2);
    let told = Event::Told { announced: routes().into_keys().collect(), withdrawn: Default::default() };
    assert!(driver.events.contains(&told.to_string()), "{:#?}", driver.events);
}

/// A neighbour that knows two-octet numbers and no capabilities.
#[test]
fn an_old_neighbour() {
    let (mut driver, bird) = pair("capabilities off;", false);
    driver.feed(Input::Wanted(Arc::new(routes())));
    driver.run_until("one route", |_| bird.ask("show route protocol site").contains("198.18.0.0/24"));
    let shown = bird.ask("show route 198.18.0.0/24 protocol site all");
    assert!(shown.contains("BGP.as_path: 64501 64501 4200000000"), "{shown}");
    driver.run_until_event("cannot announce 2001:db8:53::/48: the neighbour does not carry ipv6 routes");
}

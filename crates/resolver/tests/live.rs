//! Unbound and Knot Resolver take what is written for them, and do what it says. Needs root: each has a network of its own.
#![allow(clippy::unwrap_used, clippy::panic)] // the helpers of tests may panic like the tests themselves

use linux::link::LinkIndex;
use linux::process::{Namespaces, die_with_parent, start_in};
use linux::{Namespace, address, link};
use resolver::{KNOWN_NAME, Profile, Software};
use std::net::IpAddr;
use std::os::fd::AsFd;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};
use terms::{Prefix, SiteName};

const SERVICE: [&str; 2] = ["198.18.0.53", "2001:db8:53::53"];
/// A client that may ask, over each family.
const FRIENDS: [&str; 2] = ["192.0.2.1", "2001:db8:1::1"];
const STRANGERS: [&str; 2] = ["203.0.113.1", "2001:db8:2::1"];

fn configuration(software: Software) -> String {
    let site: SiteName = "london".parse().unwrap();
    let addresses = SERVICE.map(|address| address.parse::<IpAddr>().unwrap());
    let allow = ["192.0.2.0/24", "2001:db8:1::/48"].map(|prefix| prefix.parse::<Prefix>().unwrap());
    let outgoing = FRIENDS.map(|address| address.parse::<IpAddr>().unwrap());
    Profile { site: &site, addresses: &addresses, allow: &allow, outgoing: &outgoing }.configuration(software)
}

#[test]
fn what_each_is_told() {
    for (word, software) in Software::WORDS {
        insta::assert_snapshot!(word, configuration(software));
    }
}

/// A network with nobody else in it, and a resolver there; both end with this value.
struct Stage {
    network: Namespace,
    server: Child,
}

impl Stage {
    fn new(command: &mut Command) -> Stage {
        let network = Namespace::new().unwrap();
        link::set_up(&mut network.netlink().unwrap(), LinkIndex::LOOPBACK).unwrap();
        let own = Namespaces::new([network.as_fd().try_clone_to_owned().unwrap()]);
        start_in(command, own);
        die_with_parent(command);
        let program = command.get_program().to_owned();
        let server = command.stdin(Stdio::null()).spawn();
        let server =
            server.unwrap_or_else(|error| panic!("{program:?}: {error}; `make install-test` installs it"));
        // The service's own come last: the resolver has to listen without them.
        for address in FRIENDS.iter().chain(&STRANGERS).chain(&SERVICE) {
            let address: IpAddr = address.parse().unwrap();
            address::add(&mut network.netlink().unwrap(), LinkIndex::LOOPBACK, address.into()).unwrap();
        }
        let stage = Stage { network, server };
        stage.wait();
        stage
    }

    fn wait(&self) {
        let deadline = Instant::now() + Duration::from_secs(30);
        while !self.dig(FRIENDS[0], SERVICE[0], &[KNOWN_NAME, "TXT"]).contains("NOERROR") {
            assert!(Instant::now() < deadline, "the resolver does not answer");
            std::thread::sleep(Duration::from_millis(100));
        }
    }

    fn dig(&self, from: &str, to: &str, question: &[&str]) -> String {
        let mut dig = Command::new("dig");
        dig.args(["+tries=3", "+timeout=2", "+nsid", "-b", from]).arg(format!("@{to}")).args(question);
        start_in(&mut dig, Namespaces::new([self.network.as_fd().try_clone_to_owned().unwrap()]));
        String::from_utf8(dig.output().unwrap().stdout).unwrap()
    }

    /// What both programs do alike, over both families.
    fn does_as_told(&self) {
        for family in 0..2 {
            let known = self.dig(FRIENDS[family], SERVICE[family], &[KNOWN_NAME, "TXT"]);
            assert!(known.contains("\"london\""), "the known name: {known}");
            assert!(known.contains("(\"london\")"), "NSID: {known}");
            assert!(known.contains(" ra"), "recursion is available: {known}");
            let of_check = self.dig(SERVICE[family], SERVICE[family], &[KNOWN_NAME, "TXT"]);
            assert!(of_check.contains("\"london\""), "the check asks from the service address: {of_check}");
            let stranger = self.dig(STRANGERS[family], SERVICE[family], &["example.", "A"]);
            assert!(stranger.contains("REFUSED"), "a stranger: {stranger}");
        }
    }
}

impl Drop for Stage {
    fn drop(&mut self) {
        let _ = self.server.kill();
        let _ = self.server.wait();
    }
}

fn write(directory: &Path, text: &str) -> std::path::PathBuf {
    let file = directory.join("made.conf");
    std::fs::write(&file, text).unwrap();
    file
}

#[test]
fn unbound_does_as_told() {
    let directory = tempfile::tempdir().unwrap();
    // What the package says elsewhere.
    let own = "server:\n username: \"\"\n chroot: \"\"\n pidfile: \"\"\n do-daemonize: no\n use-syslog: no\n";
    let file = write(directory.path(), &(configuration(Software::Unbound) + own));
    let judged = Command::new("unbound-checkconf").arg(&file).output().unwrap();
    assert!(judged.status.success(), "{}", String::from_utf8_lossy(&judged.stderr));
    let stage = Stage::new(Command::new("unbound").arg("-d").arg("-c").arg(&file));
    stage.does_as_told();
    let identity = stage.dig(FRIENDS[0], SERVICE[0], &["id.server", "CH", "TXT"]);
    assert!(identity.contains("\"london\""), "{identity}");
}

#[test]
fn knot_resolver_does_as_told() {
    let directory = tempfile::tempdir().unwrap();
    let file = write(directory.path(), &configuration(Software::KnotResolver));
    let mut command = Command::new("kresd");
    command.arg("-n").arg("-c").arg(&file).arg(directory.path());
    Stage::new(&mut command).does_as_told();
}

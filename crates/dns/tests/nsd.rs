//! The same zones served by NSD and by us, asked the same questions: code, flags and records must agree.
//!
//! NSD is another implementation by other people, so what both do alike is unlikely to be wrong in the same way. Where
//! we differ on purpose, the test says so by name (see [`Difference`]); nothing is left out silently.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
#![allow(clippy::disallowed_types, reason = "another server is asked over the network")]

#[path = "support/messages.rs"]
mod messages;

use dns::{Identity, Outcome, Transport, Zones, answer, zone};
use messages::{Ask, AskEdns, Shown, ask, show};
use std::collections::BTreeSet;
use std::io::{Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpStream, UdpSocket};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};
use terms::{DomainName, RecordType};

const EXAMPLE: &str = include_str!("zones/example.zone");
const BIG: &str = include_str!("zones/big.zone");

/// A running NSD that ends with this value.
struct Nsd {
    child: Child,
    address: SocketAddr,
    /// Its configuration and zones.
    _folder: tempfile::TempDir,
}

impl Nsd {
    fn start() -> Nsd {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("example.zone"), EXAMPLE).unwrap();
        std::fs::write(folder.path().join("big.zone"), BIG).unwrap();
        // Both kinds of socket must be free; nobody else is given the port while it is being tried.
        let probe = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let address = probe.local_addr().unwrap();
        drop(probe);
        let here = folder.path().display();
        let configuration = format!(
            "server:\n ip-address: 127.0.0.1@{port}\n port: {port}\n server-count: 1\n username: \"\"\n \
             chroot: \"\"\n zonesdir: \"{here}\"\n pidfile: \"{here}/nsd.pid\"\n database: \"\"\n \
             xfrdfile: \"{here}/xfrd.state\"\n zonelistfile: \"{here}/zone.list\"\n xfrdir: \"{here}\"\n \
             cookie-secret-file: \"\"\n minimal-responses: yes\n reuseport: no\n rrl-ratelimit: 0\n\
             remote-control:\n control-enable: no\n\
             zone:\n name: example.\n zonefile: example.zone\n\
             zone:\n name: big.example.\n zonefile: big.zone\n",
            port = address.port()
        );
        let file = folder.path().join("nsd.conf");
        std::fs::write(&file, configuration).unwrap();
        let child = Command::new("nsd")
            .args(["-d", "-c"])
            .arg(&file)
            .stdout(Stdio::inherit())
            .stderr(Stdio::inherit())
            .spawn()
            .expect("nsd is needed here: apt-get install nsd");
        let nsd = Nsd { child, address, _folder: folder };
        nsd.wait_until_it_answers();
        nsd
    }

    fn wait_until_it_answers(&self) {
        let deadline = Instant::now() + Duration::from_secs(30);
        let query = ask("example.", "SOA").octets();
        while Instant::now() < deadline {
            if self.try_udp(&query, Duration::from_millis(100)).is_some() {
                return;
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        panic!("nsd does not answer on {}", self.address);
    }

    fn try_udp(&self, query: &[u8], patience: Duration) -> Option<Vec<u8>> {
        let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        socket.set_read_timeout(Some(patience)).unwrap();
        socket.connect(self.address).unwrap();
        socket.send(query).ok()?;
        let mut reply = vec![0; 65535];
        let length = socket.recv(&mut reply).ok()?;
        reply.truncate(length);
        Some(reply)
    }

    fn ask(&self, query: &[u8], transport: Transport) -> Vec<u8> {
        match transport {
            Transport::Udp => {
                // Asked again after silence: a busy machine may lose a datagram even on loopback.
                let mut tries = (0..5).filter_map(|_| self.try_udp(query, Duration::from_secs(2)));
                tries.next().expect("nsd was silent five times")
            }
            Transport::Tcp => {
                let mut stream = TcpStream::connect(self.address).unwrap();
                stream.write_all(&(query.len() as u16).to_be_bytes()).unwrap();
                stream.write_all(query).unwrap();
                let mut length = [0; 2];
                stream.read_exact(&mut length).unwrap();
                let mut reply = vec![0; usize::from(u16::from_be_bytes(length))];
                stream.read_exact(&mut reply).unwrap();
                reply
            }
        }
    }
}

impl Drop for Nsd {
    fn drop(&mut self) {
        // SIGTERM, so that it ends its own children too.
        let _ = Command::new("kill").arg(self.child.id().to_string()).status();
        let _ = self.child.wait();
    }
}

fn ours(zones: &Zones, query: &[u8], transport: Transport) -> Vec<u8> {
    let identity = Identity::new(&"london".parse().unwrap(), None);
    let mut out = vec![0; 65535];
    match answer(zones, &identity, query, transport, &mut out) {
        Outcome::Reply { length, .. } => out[..length].to_vec(),
        Outcome::Silence(why) => panic!("silence: {why:?}"),
    }
}

/// How much of two replies must agree.
enum Difference {
    /// Everything.
    None,
    /// We leave the target of an alias to the client, NSD follows it in the zone: so NSD's first answer is ours, and
    /// its code is that of the target.
    AliasIsFollowed,
    /// Both give one set (RFC 8482), but each chooses for itself which.
    MinimalAny,
}

fn difference(ask: &Ask, ours: &Shown) -> Difference {
    let alias_inside =
        set(&ours.answer).iter().any(|record| record.contains(" cname ") && record.ends_with("example."));
    if alias_inside && ask.kind != RecordType::CNAME {
        Difference::AliasIsFollowed
    } else if ask.kind == RecordType::ANY {
        Difference::MinimalAny
    } else {
        Difference::None
    }
}

/// Records as a set: a server may rotate them, and may spell compressed names in another case.
fn set(records: &[String]) -> BTreeSet<String> {
    records.iter().map(|record| record.to_ascii_lowercase()).collect()
}

fn compare(ask: &Ask, ours: &Shown, theirs: &Shown) {
    let title = format!("{ask:?}\nours:\n{ours}nsd:\n{theirs}");
    assert_eq!(ours.question, theirs.question, "{title}");
    assert_eq!(ours.edns.is_some(), theirs.edns.is_some(), "{title}");
    match difference(ask, ours) {
        Difference::None => {
            assert_eq!((&ours.code, &ours.flags), (&theirs.code, &theirs.flags), "{title}");
            if !ours.flags.contains("tc") {
                assert_eq!(set(&ours.answer), set(&theirs.answer), "{title}");
                assert_eq!(set(&ours.authority), set(&theirs.authority), "{title}");
            }
        }
        Difference::AliasIsFollowed => {
            assert_eq!(ours.flags, theirs.flags, "{title}");
            assert_eq!(ours.answer.len(), 1, "{title}");
            assert_eq!(set(&ours.answer), set(&theirs.answer[..1]), "{title}");
        }
        Difference::MinimalAny => {
            assert_eq!(ours.code, theirs.code, "{title}");
            assert_eq!(set(&ours.authority), set(&theirs.authority), "{title}");
            if !theirs.flags.contains("tc") && !ours.flags.contains("tc") {
                assert_eq!(ours.flags, theirs.flags, "{title}");
                assert_eq!(ours.answer.is_empty(), theirs.answer.is_empty(), "{title}");
            }
        }
    }
}

/// Every name of the two zones, names beside, above and below each, and names outside.
fn names() -> BTreeSet<DomainName> {
    let owners = [
        "",
        "ns1",
        "ns2",
        "mail",
        "www",
        "www.upper",
        "deep.empty.non.terminal",
        "alias",
        "inside",
        "_sip._udp",
        "sip",
        "4",
        "key",
        "text",
        r"a\.b",
        "_25._tcp.mail",
        "ptr",
        "unknown",
        "generic",
        "host",
        "loc",
        "medium.big",
        "large.big",
        "huge.big",
        "ns.big",
        "big",
    ];
    let mut names = BTreeSet::new();
    for owner in owners {
        let dot = if owner.is_empty() { "" } else { "." };
        for name in
            ["", "x.", "*.", "a.b.c.d.e.", r"\000.", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa."]
        {
            names.insert(format!("{name}{owner}{dot}example.").parse::<DomainName>().unwrap());
        }
        names.insert(format!("{owner}x.example.").parse().unwrap());
        names.insert(format!("{owner}{dot}test.").parse().unwrap());
        let mut above = format!("{owner}{dot}example.").parse::<DomainName>().ok();
        while let Some(name) = above {
            above = name.parent();
            names.insert(name);
        }
    }
    names
}

/// Upper case for some letters, decided by `seed`.
fn in_mixed_case(name: &DomainName, seed: usize) -> DomainName {
    let mixed = |(index, &octet): (usize, &u8)| {
        if (index * 7 + seed).is_multiple_of(3) { octet.to_ascii_uppercase() } else { octet }
    };
    DomainName::from_wire(&name.as_wire().iter().enumerate().map(mixed).collect::<Vec<u8>>()).unwrap()
}

#[test]
fn nsd_agrees() {
    let nsd = Nsd::start();
    let zone = |text| Arc::new(zone::parse(text).unwrap());
    let zones = Zones::new(vec![zone(EXAMPLE), zone(BIG)]).unwrap();
    let kinds = [
        "A",
        "NS",
        "CNAME",
        "SOA",
        "PTR",
        "HINFO",
        "MX",
        "TXT",
        "AAAA",
        "SRV",
        "NAPTR",
        "SSHFP",
        "TLSA",
        "HTTPS",
        "CAA",
        "TYPE65280",
        "TYPE731",
        "LOC",
        "DS",
        "ANY",
    ];
    let mut asked = 0;
    for name in names() {
        for kind in kinds {
            let mut ask = ask(".", kind);
            ask.name = in_mixed_case(&name, asked);
            ask.id = asked as u16;
            ask.flags = if asked % 2 == 0 { 0x0100 } else { 0 };
            ask.edns = [None, Some(512), Some(1232), Some(4096)][asked % 4]
                .map(|payload| AskEdns { payload, ..AskEdns::default() });
            // Over TCP for the names whose answers are large, and for some of the rest.
            let large = name.to_string().contains("big.example.");
            let transport =
                if large && asked % 3 == 0 || asked % 50 == 0 { Transport::Tcp } else { Transport::Udp };
            let query = ask.octets();
            let ours = show(&ours(&zones, &query, transport)).unwrap();
            let theirs = show(&nsd.ask(&query, transport)).unwrap();
            compare(&ask, &ours, &theirs);
            asked += 1;
        }
    }
    println!("{asked} questions, the same answers");
    assert!(asked > 3000, "only {asked} questions");
}

//! The service in a network namespace of its own, asked by `dig` and by sockets.

mod clients;
mod moving;
mod streams;
mod tapped;
mod tls;
mod transports;

use super::counters::Counts;
use super::*;
use ::dns::{ResponseCode, Zones, zone};
use config::BuiltInDns;
use linux::{Namespace, address, link};
use std::collections::BTreeSet;
use std::io::{Read, Write};
use std::net::{TcpStream, UdpSocket};
use std::path::Path;
use std::process::Command;
use std::time::Instant;

const SERVICE: [&str; 2] = ["198.18.0.53", "2001:db8:53::53"];
/// How long something that must happen may take on a machine that is busy with other things.
const PATIENCE: Duration = Duration::from_secs(120);

/// A network stack with nothing but a loopback interface, and the service in it.
struct World {
    namespace: Namespace,
    server: Server,
    shelf: Shelf,
}

fn zone_text(serial: u32) -> String {
    let mut text = format!(
        "$ORIGIN example.\n$TTL 60\n@ SOA ns1 hostmaster {serial} 1h 15m 1w 5m\n NS ns1\nns1 A 198.18.0.53\n"
    );
    for n in 0..200 {
        text += &format!("large TXT \"{n:03} {}\"\n", "x".repeat(200));
    }
    text
}

fn zones(serial: u32) -> BuiltInDns {
    let zone = Arc::new(zone::parse(&zone_text(serial)).unwrap());
    let zones = Arc::new(Zones::new(vec![zone]).unwrap());
    BuiltInDns {
        files: Vec::new(),
        listen: Vec::new(),
        zones,
        limits: limits(1000, 10),
        tls: None,
        rate_limit: None,
        dnstap: None,
        keys: Default::default(),
        transfers: Vec::new(),
        catalogs: std::collections::BTreeMap::new(),
    }
}

/// The shelf of a service that keeps nothing.
fn shelf() -> Shelf {
    Shelf::new(&zones(1), Images::new(Path::new("/nowhere"), &settings(1).service), Teller::for_test())
        .unwrap()
}

/// The settings of most tests. However busy the machine is, nobody is cut for being slow.
fn settings(workers: usize) -> Settings {
    Settings {
        service: "dns".parse().unwrap(),
        addresses: SERVICE.map(|address| address.parse().unwrap()).to_vec(),
        workers: workers.try_into().unwrap(),
        identity: Identity::new(&"london".parse().unwrap(), Some(&"lon-1".parse().unwrap())),
        limits: limits(1000, 3600),
        tls: None,
        rate_limit: None,
    }
}

/// So many connections, however near their clients are, each idle for so many seconds.
fn limits(connections: usize, idle: u64) -> Limits {
    let connections = connections.try_into().unwrap();
    Limits { connections, per_network: connections, idle: Duration::from_secs(idle) }
}

pub(super) fn surroundings() -> Surroundings {
    let keyring = Keyring::new(7, ::dns::Secret([1; 16]), Clock::start().wall());
    Surroundings {
        clock: Clock::start(),
        keyring: watch::Sender::new(keyring).subscribe(),
        cooperation: crate::handover::prepare().0,
        bus: crate::events::Bus::for_test(),
    }
}

impl World {
    /// The service starts before its addresses are on the host, as it may in a site.
    fn new(workers: usize) -> World {
        World::with(&settings(workers))
    }

    fn with(settings: &Settings) -> World {
        World::on(shelf(), settings)
    }

    /// Answers from this shelf.
    fn on(shelf: Shelf, settings: &Settings) -> World {
        World::among(shelf, settings, &surroundings())
    }

    fn among(shelf: Shelf, settings: &Settings, surroundings: &Surroundings) -> World {
        let namespace = Namespace::new().unwrap();
        let mut netlink = namespace.netlink().unwrap();
        link::set_up(&mut netlink, link::LinkIndex::LOOPBACK).unwrap();
        let server = namespace
            .run(|| {
                let nothing = &mut Inheritance::default();
                Server::start(settings, shelf.published(), surroundings, nothing)
            })
            .unwrap()
            .unwrap();
        for &service in &settings.addresses {
            address::add(&mut netlink, link::LinkIndex::LOOPBACK, service.into()).unwrap();
            // The kernel gives an IPv6 address the route by which it takes packets in a moment later.
            let echo = || {
                let socket = UdpSocket::bind((service, 0))?;
                socket.set_read_timeout(Some(Duration::from_millis(100)))?;
                socket.send_to(b"hello", socket.local_addr()?)?;
                socket.recv(&mut [0; 5])
            };
            let is_reached = || echo().is_ok();
            wait_until("the route to the address", || namespace.run(is_reached).unwrap());
        }
        World { namespace, server, shelf }
    }

    fn dig(&self, arguments: &str) -> String {
        let dig = || Command::new("dig").args(["+tries=5", "+timeout=3"]).args(arguments.split(' ')).output();
        let output =
            self.namespace.run(dig).unwrap().expect("dig is needed here: apt-get install bind9-dnsutils");
        assert!(output.status.success(), "dig {arguments}: {}", String::from_utf8_lossy(&output.stdout));
        String::from_utf8(output.stdout).unwrap()
    }

    fn counts(&self, transport: Transport) -> Counts {
        tally::total_of(&self.server.tallies(), transport)
    }

    fn connect(&self) -> TcpStream {
        self.connect_to((SERVICE[0], PORT))
    }

    fn connect_to(&self, to: (&str, u16)) -> TcpStream {
        let stream = self.namespace.run(|| TcpStream::connect(to)).unwrap().unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        stream
    }

    /// Asks from a source port that was not used before.
    fn ask(&self, query: &[u8]) -> Vec<u8> {
        self.ask_at(SERVICE[0], query)
    }

    fn ask_at(&self, address: &str, query: &[u8]) -> Vec<u8> {
        self.ask_from(address, address, query)
    }

    fn ask_from(&self, source: &str, address: &str, query: &[u8]) -> Vec<u8> {
        let ask = || {
            let socket = UdpSocket::bind((source, 0)).unwrap();
            socket.set_read_timeout(Some(PATIENCE)).unwrap();
            socket.connect((address, PORT)).unwrap();
            socket.send(query).unwrap();
            let mut reply = vec![0; 2000];
            let length = socket.recv(&mut reply).unwrap();
            reply[..length].to_vec()
        };
        self.namespace.run(ask).unwrap()
    }
}

/// A question for `example.`
pub(super) fn query(id: u16, kind: u8) -> Vec<u8> {
    let mut message = id.to_be_bytes().to_vec();
    message.extend_from_slice(b"\0\0\0\x01\0\0\0\0\0\0\x07example\0\0");
    message.extend_from_slice(&[kind, 0, 1]);
    message
}

/// A question for the 200 texts of `large.example.`, with its length in front.
fn large_query() -> Vec<u8> {
    b"\0\x1f\0\x07\0\0\0\x01\0\0\0\0\0\0\x05large\x07example\0\0\x10\0\x01".to_vec()
}

pub(super) fn framed(message: &[u8]) -> Vec<u8> {
    [&(message.len() as u16).to_be_bytes()[..], message].concat()
}

pub(super) fn read_framed(stream: &mut impl Read) -> Vec<u8> {
    let mut length = [0; 2];
    stream.read_exact(&mut length).unwrap();
    let mut message = vec![0; usize::from(u16::from_be_bytes(length))];
    stream.read_exact(&mut message).unwrap();
    message
}

fn wait_until(what: &str, mut happened: impl FnMut() -> bool) {
    let deadline = Instant::now() + PATIENCE;
    while !happened() {
        assert!(Instant::now() < deadline, "{what} did not happen");
        std::thread::sleep(Duration::from_millis(10));
    }
}

#[test]
fn dig_learns_which_site_answers_on_every_path() {
    let world = World::new(2);
    for address in SERVICE {
        for transport in ["+notcp", "+tcp"] {
            let ask = |question: &str| world.dig(&format!("@{address} {transport} +noall {question}"));
            assert_eq!(ask("+short CH TXT id.server"), "\"london\"\n");
            assert_eq!(ask("+short CH TXT hostname.bind"), "\"lon-1\"\n");
            assert_eq!(ask("+short example. NS"), "ns1.example.\n");
            let comments = ask("+comments +nsid example. SOA");
            assert!(comments.contains("status: NOERROR"), "{comments}");
            assert!(comments.contains("flags: qr aa rd;"), "{comments}");
            assert!(comments.contains("(\"london\")"), "NSID: {comments}");
        }
        assert_eq!(
            world.dig(&format!("@{address} +short +ignore large.example. TXT")),
            "",
            "truncated over UDP"
        );
        let texts = world.dig(&format!("@{address} +short large.example. TXT"));
        assert_eq!(texts.lines().count(), 200, "dig asks again over TCP");
    }
}

#[test]
fn what_happens_is_counted() {
    let world = World::new(1);
    world.ask(&query(1, 6));
    world.ask(&query(2, 99));
    let mut refused = query(3, 6);
    refused[13] = b'f';
    world.ask(&refused);
    world.ask(&large_query()[2..]);
    let counts = || world.counts(Transport::Udp);
    wait_until("the count of all queries", || counts().queries == 4);
    let replies: Vec<_> = counts().replies().filter(|&(_, count)| count > 0).collect();
    assert_eq!(replies, [(ResponseCode::NoError, 3), (ResponseCode::Refused, 1)]);
    assert_eq!((counts().truncated, counts().silent, counts().unsent), (1, 0, 0));
    let tcp = world.counts(Transport::Tcp);
    assert_eq!((tcp.queries, tcp.connections), (0, 0));
}

#[test]
fn every_worker_answers_and_beats() {
    let world = World::new(3);
    for id in 0..300 {
        assert_eq!(world.ask(&query(id, 6))[..2], id.to_be_bytes());
    }
    let on_ipv4 =
        world.server.threads.iter().filter(|running| running.tally.transport == Transport::Udp).take(3);
    for running in on_ipv4 {
        // Of 300 source ports none falls to a worker with a probability of 10^-52.
        assert!(running.tally.counters.read().queries > 0);
    }
    let beats = || world.server.hearts().iter().map(Heart::beats).collect::<Vec<_>>();
    let before = beats();
    assert_eq!(before.len(), 7, "three for each address, one for TCP");
    wait_until("a beat of every thread", || beats().iter().zip(&before).all(|(now, then)| now > then));
}

#[test]
fn other_zones_are_served_without_a_restart() {
    let world = World::new(2);
    let mut stream = world.connect();
    let mut serial_over_tcp = || {
        stream.write_all(&framed(&query(1, 6))).unwrap();
        read_framed(&mut stream)
    };
    let serial = |reply: &[u8]| u32::from_be_bytes(*reply[reply.len() - 20..].first_chunk().unwrap());
    assert_eq!(serial(&serial_over_tcp()), 1);
    assert_eq!(serial(&world.ask(&query(1, 6))), 1);

    world.shelf.change(&zones(2));
    // Every query that arrives from now on is answered from the new zones.
    assert_eq!(serial(&serial_over_tcp()), 2);
    let serials: BTreeSet<u32> = (0..50).map(|id| serial(&world.ask(&query(id, 6)))).collect();
    assert_eq!(serials, BTreeSet::from([2]));
}

#[test]
fn the_port_is_taken_while_it_runs_and_free_when_it_has_stopped() {
    let World { namespace, server, .. } = World::new(2);
    let start = || {
        let nothing = &mut Inheritance::default();
        let start = || Server::start(&settings(1), shelf().published(), &surroundings(), nothing);
        namespace.run(start).unwrap()
    };
    let error = start().unwrap_err();
    assert!(matches!(error, Error::Taken { address } if address.to_string() == "198.18.0.53:53"), "{error}");
    server.stop();
    start().unwrap().stop();
}

#[tokio::test]
async fn a_passive_check_judges_what_users_are_answered() {
    use crate::check::{Asker, Surroundings};
    use crate::clock::Clock;
    use terms::Verdict;
    let world = World::new(1);
    let surroundings = Surroundings {
        clock: Clock::start(),
        workshop: tokio::runtime::Handle::current(),
        tallies: watch::Sender::new(world.server.tallies()).subscribe(),
        inventory: watch::Sender::default().subscribe(),
    };
    let expectation = check::passive::Expectation { most_percent: 50, least_answers: 10 };
    let question = config::Question::Passive { bad: vec![ResponseCode::Refused], expectation };
    let asker = Asker::new(&"dns".parse().unwrap(), &question, &surroundings);
    let other = Asker::new(&"web".parse().unwrap(), &question, &surroundings);
    let verdict = async |asker: &Asker| asker.ask(tokio::time::Instant::now()).await.unwrap().verdict;
    let foreign = b"\0\x07\0\0\0\x01\0\0\0\0\0\0\x05other\0\0\x06\0\x01";
    for _ in 0..9 {
        world.ask(foreign);
    }
    assert_eq!(verdict(&asker).await, Verdict::Pass, "too few to say anything");
    for _ in 0..10 {
        world.ask(foreign);
    }
    assert_eq!(verdict(&other).await, Verdict::Pass, "another service's answers");
    assert_eq!(verdict(&asker).await, Verdict::definite("10 of 10 answers were bad"));
    for _ in 0..10 {
        world.ask(&query(1, 6));
    }
    assert_eq!(verdict(&asker).await, Verdict::Pass, "what was bad before is over");
}

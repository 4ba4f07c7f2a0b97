//! Two sites: a client's connection goes from one to the other, and the client notices nothing.

use super::driver::Driver;
use super::tally::{Numbers, Why};
use super::{Cooperation, Fate, Given, Membership, Situation, Tally, channel, prepare};
use crate::clock::Clock;
use crate::continuity::Fences;
use crate::events::Bus;
use ::continuity::{Filter, Key, KeyId, KeyRing, Pace, Paces, Settings, Site, SiteNumber, State};
use announce::permit::Speaker;
use linux::link::{self, LinkIndex};
use linux::route::{self, Route, Via};
use linux::veth::Receiver;
use linux::{Namespace, address, mount, offload, sysctl};
use std::future::Future;
use std::net::{IpAddr, SocketAddr};
use std::num::{NonZeroU16, NonZeroU32};
use std::os::fd::AsFd;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::sync::{mpsc, watch};
use xdp::{Continuity, Room};

const SERVICE: &str = "198.18.0.53:7";
const SITES: [&str; 2] = ["10.1.0.10", "10.2.0.10"];
/// How long something that must happen may take on a machine that is busy with other things.
const PATIENCE: Duration = Duration::from_secs(30);

fn number(number: u8) -> SiteNumber {
    number.try_into().unwrap()
}

fn ring(octet: u8) -> KeyRing {
    KeyRing::new(KeyId::ALL[0], Key::new([octet; 16]))
}

fn service() -> SocketAddr {
    SERVICE.parse().unwrap()
}

/// Two hosts, and a client whose packets go to the first one.
///
/// ```text
///   first site ── client, and router between the two ── second site
/// ```
struct Stage {
    client: Namespace,
    hosts: [Arc<Namespace>; 2],
    fences: [Fences; 2],
    /// What a program sends back out of a site's LAN arrives there.
    _receivers: [Receiver; 2],
}

/// Runs the work on such a stage.
fn inside<F: Future<Output = ()>>(work: impl FnOnce(Stage) -> F + Send) {
    if !linux::privileges::can_make_namespaces().unwrap() {
        return eprintln!("SKIPPED: only root may load programs into the kernel: run the tests as root");
    }
    let pins = tempfile::tempdir().unwrap();
    let place = pins.path();
    std::thread::scope(|scope| {
        let run = || {
            mount::make_own().unwrap();
            mount::bpf(place).unwrap();
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            let stage = Stage::new(place);
            runtime.block_on(async { tokio::time::timeout(PATIENCE, work(stage)).await.unwrap() });
        };
        scope.spawn(run).join().unwrap();
    });
}

impl Stage {
    fn new(pins: &Path) -> Self {
        let new = || Namespace::new().unwrap();
        let (client, hosts) = (new(), [Arc::new(new()), Arc::new(new())]);
        cable((&client, "to1", "10.1.0.1/24"), (&hosts[0], "lan", "10.1.0.10/24"));
        cable((&client, "to2", "10.2.0.1/24"), (&hosts[1], "lan", "10.2.0.10/24"));
        let way = |from: &Namespace, to: &str, gateway: &str| {
            let via = Via::Gateway(gateway.parse().unwrap());
            let route = Route { destination: to.parse().unwrap(), via, metric: None };
            route::add(&mut from.netlink().unwrap(), route).unwrap();
        };
        way(&client, "198.18.0.0/24", "10.1.0.10");
        way(&hosts[0], "0.0.0.0/0", "10.1.0.1");
        way(&hosts[1], "0.0.0.0/0", "10.2.0.1");
        // Programs send what they forward back to the router, which is the client here.
        client.run(|| sysctl::write("ipv4/ip_forward", "1").unwrap()).unwrap();
        let receivers = ["to1", "to2"].map(|end| client.run(|| Receiver::at(end).unwrap()).unwrap());
        for host in &hosts {
            let mut netlink = host.netlink().unwrap();
            link::set_up(&mut netlink, LinkIndex::LOOPBACK).unwrap();
            address::add(&mut netlink, LinkIndex::LOOPBACK, service().ip().into()).unwrap();
        }
        let fences = [0, 1].map(|site| {
            let mut programs = programs(site, &pins.join(["first", "second"][site]));
            hosts[site].run(|| programs.attach("lan").unwrap()).unwrap();
            Fences::new(Arc::new(Mutex::new(Some(programs))))
        });
        Stage { client, hosts, fences, _receivers: receivers }
    }

    /// One site's driver, and its service's end of it.
    fn place(&self, site: u8, is_leaving: bool, takes: bool, ring: KeyRing) -> Place {
        let address = |site: u8| -> IpAddr { SITES[usize::from(site) - 1].parse().unwrap() };
        let other = 3 - site;
        let host = Speaker { site: "paris".parse().unwrap(), host: "par-1".parse().unwrap() };
        let situation = Situation {
            here: number(site),
            ring,
            sources: vec![address(site)],
            port: PORT,
            peers: [(number(other), address(other))].into(),
            receivers: vec![super::Receiver { number: number(other), address: address(other), host }],
            services: [service().ip()].into(),
            is_leaving,
        };
        let (cooperation, offers) = prepare();
        let (situation, known) = watch::channel(Some(situation));
        let (tally, fences) = (Tally::default(), self.fences[usize::from(site) - 1].clone());
        let bus = Bus::for_test();
        let (clock, situation_known) = (Clock::start(), known);
        let driver = Driver { clock, bus, offers, fences, tally: tally.clone(), situation: situation_known };
        let namespace = Arc::clone(&self.hosts[usize::from(site) - 1]);
        // It ends with the situation.
        std::thread::spawn(move || {
            let run = || {
                let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
                runtime.block_on(driver.run());
            };
            namespace.run(run).unwrap();
        });
        let (takes_in, given) = mpsc::channel(4);
        let membership = takes.then(|| cooperation.join(vec![service()], &takes_in));
        Place { cooperation, situation, tally, given, _membership: membership }
    }

    /// A client and the service's end of its connection, at the first site.
    async fn call(&self) -> (TcpStream, TcpStream) {
        let listener = self.listen(0, service());
        let socket = self.client.run(|| TcpSocket::new_v4().unwrap()).unwrap();
        let client = socket.connect(service()).await.unwrap();
        client.set_nodelay(true).unwrap();
        (client, listener.accept().await.unwrap().0)
    }

    fn listen(&self, host: usize, at: SocketAddr) -> TcpListener {
        let listener = self.hosts[host].run(|| std::net::TcpListener::bind(at).unwrap()).unwrap();
        listener.set_nonblocking(true).unwrap();
        TcpListener::from_std(listener).unwrap()
    }
}

struct Place {
    cooperation: Cooperation,
    situation: watch::Sender<Option<Situation>>,
    tally: Tally,
    given: mpsc::Receiver<Given>,
    _membership: Option<Membership>,
}

type End<'a> = (&'a Namespace, &'a str, &'a str);

fn cable(one: End<'_>, other: End<'_>) {
    let [here, there] = [one, other].map(|(namespace, name, _)| link::End { namespace, name });
    link::create_veth(&mut one.0.netlink().unwrap(), here, there).unwrap();
    for (namespace, name, own) in [one, other] {
        let mut netlink = namespace.netlink().unwrap();
        let index = link::index(&mut netlink, name).unwrap();
        address::add(&mut netlink, index, own.parse().unwrap()).unwrap();
        link::set_up(&mut netlink, index).unwrap();
        // As on a real wire, checksums are in the packets.
        namespace.run(|| offload::set_transmit_checksum(name, false).unwrap()).unwrap();
    }
}

/// The programs of a site.
fn programs(site: usize, pins: &Path) -> Continuity {
    let room = Room { flows_of_a_site: 1000, moved_flows: 4096, prefixes: 1024 };
    let mut programs = Continuity::load(pins, room).unwrap();
    let pace = Pace::per_second(NonZeroU32::new(1000).unwrap(), 1000);
    let other = Site {
        address: SITES[1 - site].parse().unwrap(),
        state: State::Alive,
        filter: Some(Filter::with_room_for(100).into()),
    };
    let numbers = [number(1), number(2)];
    programs
        .tell(&Settings {
            number: numbers[site],
            keys: ring(1),
            filter_key: Key::new([9; 16]),
            paces: Paces { claims: pace, guesses: pace, resets: pace },
            source4: Some(SITES[site].parse().unwrap()),
            source6: None,
            port: PORT,
            mtu: 1500,
            relay: None,
            services: [service().ip()].into(),
            sites: [(numbers[1 - site], other)].into(),
        })
        .unwrap();
    programs
}

const PORT: NonZeroU16 = NonZeroU16::new(9057).unwrap();

async fn read(stream: &mut TcpStream, length: usize) -> Vec<u8> {
    let mut octets = vec![0; length];
    stream.read_exact(&mut octets).await.unwrap();
    octets
}

async fn offer(place: &Place, stream: &TcpStream) -> Fate {
    let turn = place.cooperation.turn(&mut 0).await;
    turn.offer(stream.as_fd().try_clone_to_owned().unwrap(), b"state".to_vec()).await
}

#[test]
fn a_connection_goes_to_the_other_site_and_its_packets_with_it() {
    inside(async |stage| {
        let leaving = stage.place(1, true, false, ring(1));
        let mut staying = stage.place(2, false, true, ring(1));
        let (mut client, mut stream) = stage.call().await;
        client.write_all(b"before").await.unwrap();
        assert_eq!(read(&mut stream, 3).await, b"bef");
        // All the time something is on its way, so that some of it meets the fence.
        let (mut hears, mut says) = client.into_split();
        let speaking = tokio::spawn(async move {
            for line in 0..400 {
                says.write_all(format!("{line:05}").as_bytes()).await.unwrap();
                tokio::time::sleep(Duration::from_micros(50)).await;
            }
            says
        });
        assert_eq!(offer(&leaving, &stream).await, Fate::Moved);
        assert!(stream.peer_addr().is_err(), "it has ended here");
        let Given { stream, state } = staying.given.recv().await.unwrap();
        assert_eq!(state, b"state");
        let mut stream = TcpStream::from_std(stream).unwrap();
        assert_eq!(read(&mut stream, 3).await, b"ore");
        let expected: String = (0..400).map(|line| format!("{line:05}")).collect();
        assert_eq!(String::from_utf8(read(&mut stream, 2000).await).unwrap(), expected);
        stream.write_all(b"answer").await.unwrap();
        let mut answer = [0; 6];
        hears.read_exact(&mut answer).await.unwrap();
        assert_eq!(&answer, b"answer");
        drop(speaking.await.unwrap());
        let Numbers { given, kept, .. } = leaving.tally.numbers();
        assert_eq!((given, kept.len(), staying.tally.numbers().taken), (1, 0, 1));
    });
}

/// What the connection of one client comes to if the other site is like this.
async fn stays(stage: Stage, takes: bool, theirs: KeyRing, is_reached: bool, why: Why) {
    let leaving = stage.place(1, true, false, ring(1));
    let staying = stage.place(2, false, takes, theirs);
    if !is_reached {
        staying.situation.send_replace(None);
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    let (mut client, mut stream) = stage.call().await;
    assert_eq!(offer(&leaving, &stream).await, Fate::Stays);
    client.write_all(b"goes on").await.unwrap();
    assert_eq!(read(&mut stream, 7).await, b"goes on");
    let Numbers { given, kept, .. } = leaving.tally.numbers();
    assert_eq!((given, kept), (0, [(why, 1)].into()));
    assert_eq!(staying.tally.numbers().taken, 0);
}

#[test]
fn a_connection_stays_where_no_service_takes_it() {
    inside(async |stage| stays(stage, false, ring(1), true, Why::NoService).await);
}

#[test]
fn a_connection_stays_where_the_other_site_has_another_key() {
    inside(async |stage| stays(stage, true, ring(2), true, Why::Unreachable).await);
}

#[test]
fn a_connection_stays_where_nobody_listens() {
    inside(async |stage| stays(stage, true, ring(1), false, Why::Unreachable).await);
}

#[test]
fn what_was_held_comes_back_where_the_other_site_falls_silent() {
    inside(async |stage| {
        let leaving = stage.place(1, true, false, ring(1));
        // It answers the call, has the key, and then says nothing.
        let listener = stage.listen(1, SocketAddr::new(SITES[1].parse().unwrap(), PORT.get()));
        let silent = tokio::spawn(async move {
            let (stream, _) = listener.accept().await.unwrap();
            let mut channel =
                channel::Channel::hear_out(stream, number(2), &ring(1), |_| true).await.unwrap();
            let offer = channel.hear().await.unwrap();
            (channel, offer)
        });
        let (mut client, mut stream) = stage.call().await;
        let fate = tokio::spawn(async move { (offer(&leaving, &stream).await, stream, leaving) });
        let kept = silent.await.unwrap();
        client.write_all(b"held").await.unwrap();
        let leaving;
        let fate = fate.await.unwrap();
        assert_eq!(fate.0, Fate::Stays);
        (stream, leaving) = (fate.1, fate.2);
        assert_eq!(read(&mut stream, 4).await, b"held");
        stream.write_all(b"answer").await.unwrap();
        assert_eq!(read(&mut client, 6).await, b"answer");
        assert_eq!(leaving.tally.numbers().kept, [(Why::Late, 1)].into());
        drop(kept);
    });
}

#[test]
fn nothing_is_offered_while_the_site_is_not_left() {
    inside(async |stage| {
        let place = stage.place(1, false, false, ring(1));
        let turn = tokio::time::timeout(Duration::from_millis(200), place.cooperation.turn(&mut 0)).await;
        assert!(turn.is_err());
        place.situation.send_modify(|now| now.as_mut().unwrap().is_leaving = true);
        place.cooperation.turn(&mut 0).await;
    });
}

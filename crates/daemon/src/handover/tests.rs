//! Two sites: a client's connection goes from one to the other, and the client notices nothing.

use super::driver::Driver;
use super::tally::{Numbers, Why};
use super::{Cooperation, Fate, Given, Membership, Patience, Situation, Tally, channel, kernel, prepare};
use crate::clock::Clock;
use crate::continuity::Fences;
use crate::events::Bus;
use ::continuity::handover::Message;
use ::continuity::{
    Count, Filter, Flow, Key, KeyId, KeyRing, Pace, Paces, Settings, Site, SiteNumber, State,
};
use announce::permit::Speaker;
use linux::link::{self, LinkIndex};
use linux::route::{self, Route, Via};
use linux::tcp::repair;
use linux::veth::Receiver;
use linux::{Namespace, address, mount, offload, sysctl};
use std::future::Future;
use std::net::{IpAddr, SocketAddr};
use std::num::{NonZeroU16, NonZeroU32};
use std::os::fd::AsFd;
use std::path::Path;
use std::sync::Arc;
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
    programs: [Continuity; 2],
    fences: [Fences; 2],
    patience: Patience,
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
        route::add(&mut client.netlink().unwrap(), way("198.18.0.0/24", SITES[0])).unwrap();
        for (host, gateway) in hosts.iter().zip(["10.1.0.1", "10.2.0.1"]) {
            route::add(&mut host.netlink().unwrap(), way("0.0.0.0/0", gateway)).unwrap();
        }
        // Programs send what they forward back to the router, which is the client here.
        client.run(|| sysctl::write("ipv4/ip_forward", "1").unwrap()).unwrap();
        let receivers = ["to1", "to2"].map(|end| client.run(|| Receiver::at(end).unwrap()).unwrap());
        for host in &hosts {
            let mut netlink = host.netlink().unwrap();
            link::set_up(&mut netlink, LinkIndex::LOOPBACK).unwrap();
            address::add(&mut netlink, LinkIndex::LOOPBACK, service().ip().into()).unwrap();
        }
        let programs = [0, 1].map(|site| {
            let mut programs = programs(site, &pins.join(["first", "second"][site]));
            hosts[site].run(|| programs.attach("lan").unwrap()).unwrap();
            programs
        });
        let fences = [0, 1].map(|site| {
            let fences = Fences::default();
            fences.follow(Some(programs[site].fences().unwrap()));
            fences
        });
        // What is not about patience has all that it needs.
        let patience = Patience::of(PATIENCE);
        Stage { client, hosts, programs, fences, patience, _receivers: receivers }
    }

    /// From now on the client's packets go to another host.
    fn route_to(&self, site: usize) {
        let mut netlink = self.client.netlink().unwrap();
        let service = "198.18.0.0/24";
        route::delete(&mut netlink, way(service, SITES[1 - site])).unwrap();
        route::add(&mut netlink, way(service, SITES[site])).unwrap();
    }

    /// So many of its services' packets has a host seen, held or not.
    fn seen(&self, site: usize) -> u64 {
        let counts = self.programs[site].counts().unwrap();
        [Count::Held, Count::Owned, Count::Orphaned].into_iter().map(|count| counts.get(count)).sum()
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
        let driver = Driver {
            clock,
            bus: bus.clone(),
            offers,
            fences,
            tally: tally.clone(),
            patience: self.patience,
            situation: situation_known,
        };
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
        let membership = takes.then(|| cooperation.join(vec![service()], &takes_in, &Default::default()));
        // From here on it can be called.
        while !self.is_open(usize::from(site) - 1) {
            std::thread::yield_now();
        }
        Place { cooperation, situation, tally, bus, given, takes_in, _membership: membership }
    }

    /// Whether somebody listens where other sites call.
    fn is_open(&self, site: usize) -> bool {
        let door = SocketAddr::new(SITES[site].parse().unwrap(), PORT.get());
        self.hosts[1 - site].run(|| std::net::TcpStream::connect(door).is_ok()).unwrap()
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
    bus: Bus,
    given: mpsc::Receiver<Given>,
    takes_in: mpsc::Sender<Given>,
    _membership: Option<Membership>,
}

/// A way to the client's or the host's network.
fn way(to: &str, gateway: &str) -> Route {
    let via = Via::Gateway(gateway.parse().unwrap());
    Route { destination: to.parse().unwrap(), via, metric: None }
}

/// Waits until something has happened on another thread or in the kernel.
async fn until(mut has_happened: impl FnMut() -> bool) {
    while !has_happened() {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
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

/// A connection stays, for this reason, and goes on.
async fn stays(stage: &Stage, why: Why) {
    let leaving = stage.place(1, true, false, ring(1));
    let (mut client, mut stream) = stage.call().await;
    assert_eq!(offer(&leaving, &stream).await, Fate::Stays);
    client.write_all(b"goes on").await.unwrap();
    assert_eq!(read(&mut stream, 7).await, b"goes on");
    let Numbers { given, kept, .. } = leaving.tally.numbers();
    assert_eq!((given, kept), (0, [(why, 1)].into()));
}

/// Nobody can be reached: the service has the connection all the time, and it is said why it stays.
async fn is_not_asked_for(stage: &Stage) {
    let leaving = stage.place(1, true, false, ring(1));
    let mut round = 0;
    tokio::select! {
        _ = leaving.cooperation.turn(&mut round) => panic!("it would stand still for nothing"),
        () = until(|| leaving.tally.numbers().kept.contains_key(&Why::Unreachable)) => {}
    }
}

#[test]
fn a_connection_stays_where_no_service_takes_it() {
    inside(async |stage| {
        let _staying = stage.place(2, false, false, ring(1));
        stays(&stage, Why::NoService).await;
    });
}

#[test]
fn a_connection_stays_where_the_other_site_is_being_left_too() {
    inside(async |stage| {
        let staying = stage.place(2, true, true, ring(1));
        stays(&stage, Why::Service).await;
        assert_eq!(staying.tally.numbers().taken, 0);
    });
}

#[test]
fn a_connection_stays_where_the_service_has_no_room() {
    inside(async |stage| {
        let staying = stage.place(2, false, true, ring(1));
        let _all = staying.takes_in.try_reserve_many(4).unwrap();
        stays(&stage, Why::Service).await;
    });
}

#[test]
fn a_connection_is_not_asked_for_where_the_other_site_has_another_key() {
    inside(async |stage| {
        let _staying = stage.place(2, false, true, ring(2));
        is_not_asked_for(&stage).await;
    });
}

#[test]
fn a_connection_is_not_asked_for_where_nobody_listens() {
    inside(async |stage| is_not_asked_for(&stage).await);
}

#[test]
fn a_door_that_somebody_holds_is_opened_when_it_is_free() {
    inside(async |stage| {
        let door = SocketAddr::new(SITES[1].parse().unwrap(), PORT.get());
        let other = stage.listen(1, door);
        let staying = stage.place(2, false, true, ring(1));
        until(|| staying.bus.latest().iter().any(|row| row.kind == "handover-deaf")).await;
        drop(other);
        until(|| stage.is_open(1)).await;
    });
}

/// Routing moves the client to the site that has taken the connection and not been released: what it takes in there would be
/// lost where the connection stays.
#[test]
fn a_query_that_reaches_the_other_site_too_early_is_not_lost() {
    inside(async |stage| {
        let _staying = stage.place(2, false, true, ring(1));
        let (mut client, mut stream) = stage.call().await;
        let flow = Flow::new(stream.peer_addr().unwrap(), service());
        stage.fences[0].fence(&flow, PATIENCE).unwrap();
        repair::freeze(&stream).unwrap();
        let dump = kernel::said(repair::dump(&stream).unwrap());
        let socket = stage.hosts[0].run(|| TcpSocket::new_v4().unwrap()).unwrap();
        let door = SocketAddr::new(SITES[1].parse().unwrap(), PORT.get());
        let ends = channel::Ends { giver: number(1), taker: number(2) };
        let way = socket.connect(door).await.unwrap();
        let mut channel = channel::Channel::begin(way, ends, &ring(1)).await.unwrap();
        channel.say(&Message::Offer { state: Vec::new(), dump }).await.unwrap();
        assert_eq!(channel.hear().await.unwrap(), Message::Accepted);
        let before = stage.seen(1);
        stage.route_to(1);
        client.write_all(b"query").await.unwrap();
        until(|| stage.seen(1) > before).await;
        // Somebody without the socket would reset it.
        stage.route_to(0);
        channel.say(&Message::Withdrawn).await.unwrap();
        repair::thaw(&stream).unwrap();
        stage.fences[0].unfence(&flow);
        assert_eq!(read(&mut stream, 5).await, b"query");
    });
}

#[test]
fn what_the_frozen_socket_has_taken_in_after_all_is_not_lost() {
    inside(async |stage| {
        let leaving = stage.place(1, true, false, ring(1));
        let listener = stage.listen(1, SocketAddr::new(SITES[1].parse().unwrap(), PORT.get()));
        let (mut client, mut stream) = stage.call().await;
        let flow = Flow::new(stream.peer_addr().unwrap(), service());
        let taker = async {
            let (call, _) = listener.accept().await.unwrap();
            let mut channel = channel::Channel::hear_out(call, number(2), &ring(1), |_| true).await.unwrap();
            let Message::Offer { dump, .. } = channel.hear().await.unwrap() else { panic!("no offer") };
            // A packet that has passed the fence before it came up is on its way to the socket for long.
            stage.fences[0].unfence(&flow);
            client.write_all(b"late").await.unwrap();
            until(|| repair::expected(&stream).unwrap() != dump.received.next).await;
            channel.say(&Message::Accepted).await.unwrap();
            assert_eq!(channel.hear().await.unwrap(), Message::Withdrawn);
        };
        let (fate, ()) = tokio::join!(offer(&leaving, &stream), taker);
        assert_eq!(fate, Fate::Stays);
        assert_eq!(read(&mut stream, 4).await, b"late");
        assert_eq!(leaving.tally.numbers().kept, [(Why::Changed, 1)].into());
    });
}

#[test]
fn what_was_held_comes_back_where_the_other_site_falls_silent() {
    inside(async |mut stage| {
        stage.patience = Patience::default();
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
        let _staying = stage.place(2, false, true, ring(1));
        let place = stage.place(1, false, false, ring(1));
        let turn = tokio::time::timeout(Duration::from_millis(200), place.cooperation.turn(&mut 0)).await;
        assert!(turn.is_err());
        place.situation.send_modify(|now| now.as_mut().unwrap().is_leaving = true);
        place.cooperation.turn(&mut 0).await;
    });
}

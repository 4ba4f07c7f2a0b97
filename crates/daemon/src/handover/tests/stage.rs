//! Two hosts with the programs in their kernels, a client whose packets go to either, and the drivers of both sites.

use crate::clock::Clock;
use crate::continuity::Fences;
use crate::events::Bus;
use crate::handover::driver::{Driver, Receiver as Taker};
use crate::handover::{Cooperation, Fate, Given, Membership, Patience, Situation, Tally, prepare};
use ::continuity::{Count, Filter, Key, KeyId, KeyRing, Pace, Paces, Settings, Site, SiteNumber, State};
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
use std::sync::Arc;
use std::time::Duration;
use tokio::io::AsyncReadExt;
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::sync::{mpsc, watch};
use xdp::{Continuity, Room};

pub(super) const SERVICE: &str = "198.18.0.53:7";
pub(super) const SITES: [&str; 2] = ["10.1.0.10", "10.2.0.10"];
/// How long something that must happen may take on a machine that is busy with other things.
pub(super) const PATIENCE: Duration = Duration::from_secs(30);

pub(super) fn number(number: u8) -> SiteNumber {
    number.try_into().unwrap()
}

pub(super) fn ring(octet: u8) -> KeyRing {
    KeyRing::new(KeyId::ALL[0], Key::new([octet; 16]))
}

pub(super) fn service() -> SocketAddr {
    SERVICE.parse().unwrap()
}

/// Two hosts, and a client whose packets go to the first one.
///
/// ```text
///   first site ── client, and router between the two ── second site
/// ```
pub(super) struct Stage {
    pub(super) client: Namespace,
    pub(super) hosts: [Arc<Namespace>; 2],
    programs: [Continuity; 2],
    pub(super) fences: [Fences; 2],
    pub(super) patience: Patience,
    /// What a program sends back out of a site's LAN arrives there.
    _receivers: [Receiver; 2],
}

/// Runs the work on such a stage.
pub(super) fn inside<F: Future<Output = ()>>(work: impl FnOnce(Stage) -> F + Send) {
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
    pub(super) fn route_to(&self, site: usize) {
        let mut netlink = self.client.netlink().unwrap();
        let service = "198.18.0.0/24";
        route::delete(&mut netlink, way(service, SITES[1 - site])).unwrap();
        route::add(&mut netlink, way(service, SITES[site])).unwrap();
    }

    /// So many of its services' packets has a host seen, held or not.
    pub(super) fn seen(&self, site: usize) -> u64 {
        let counts = self.programs[site].counts().unwrap();
        [Count::Held, Count::Owned, Count::Orphaned].into_iter().map(|count| counts.get(count)).sum()
    }

    /// So many segments has a host taken in before one that was sent earlier.
    pub(super) fn out_of_order(&self, site: usize) -> u64 {
        let read = || std::fs::read_to_string("/proc/thread-self/net/netstat").unwrap();
        let text = self.hosts[site].run(read).unwrap();
        let mut rows = text.lines().filter(|line| line.starts_with("TcpExt:")).map(str::split_whitespace);
        let (names, numbers) = (rows.next().unwrap(), rows.next().unwrap());
        names.zip(numbers).find(|(name, _)| *name == "TCPOFOQueue").unwrap().1.parse().unwrap()
    }

    /// One site's driver, and its service's end of it.
    pub(super) fn place(&self, site: u8, is_leaving: bool, takes: bool, ring: KeyRing) -> Place {
        let address = |site: u8| -> IpAddr { SITES[usize::from(site) - 1].parse().unwrap() };
        let other = 3 - site;
        let host = Speaker { site: "paris".parse().unwrap(), host: "par-1".parse().unwrap() };
        let situation = Situation {
            here: number(site),
            ring,
            sources: vec![address(site)],
            port: PORT,
            peers: [(number(other), address(other))].into(),
            receivers: vec![Taker { number: number(other), address: address(other), host }],
            services: [service().ip()].into(),
            leaving: if is_leaving { [service().ip()].into() } else { Default::default() },
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
    pub(super) fn is_open(&self, site: usize) -> bool {
        let door = SocketAddr::new(SITES[site].parse().unwrap(), PORT.get());
        self.hosts[1 - site].run(|| std::net::TcpStream::connect(door).is_ok()).unwrap()
    }

    /// A client and the service's end of its connection, at the first site.
    pub(super) async fn call(&self) -> (TcpStream, TcpStream) {
        self.call_at(service()).await
    }

    /// The same with the service at this address.
    pub(super) async fn call_at(&self, service: SocketAddr) -> (TcpStream, TcpStream) {
        let listener = self.listen(0, service);
        let socket = self.client.run(|| TcpSocket::new_v4().unwrap()).unwrap();
        let client = socket.connect(service).await.unwrap();
        client.set_nodelay(true).unwrap();
        (client, listener.accept().await.unwrap().0)
    }

    pub(super) fn listen(&self, host: usize, at: SocketAddr) -> TcpListener {
        let listener = self.hosts[host].run(|| std::net::TcpListener::bind(at).unwrap()).unwrap();
        listener.set_nonblocking(true).unwrap();
        TcpListener::from_std(listener).unwrap()
    }
}

pub(super) struct Place {
    pub(super) cooperation: Cooperation,
    pub(super) situation: watch::Sender<Option<Situation>>,
    pub(super) tally: Tally,
    pub(super) bus: Bus,
    pub(super) given: mpsc::Receiver<Given>,
    pub(super) takes_in: mpsc::Sender<Given>,
    _membership: Option<Membership>,
}

/// A way to the client's or the host's network.
fn way(to: &str, gateway: &str) -> Route {
    let via = Via::Gateway(gateway.parse().unwrap());
    Route { destination: to.parse().unwrap(), via, metric: None }
}

/// Waits until something has happened on another thread or in the kernel.
pub(super) async fn until(mut has_happened: impl FnMut() -> bool) {
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

pub(super) const PORT: NonZeroU16 = NonZeroU16::new(9057).unwrap();

pub(super) async fn read(stream: &mut TcpStream, length: usize) -> Vec<u8> {
    let mut octets = vec![0; length];
    stream.read_exact(&mut octets).await.unwrap();
    octets
}

pub(super) async fn offer(place: &Place, stream: &TcpStream) -> Fate {
    let turn = place.cooperation.turn(stream.local_addr().unwrap(), &mut 0).await;
    turn.offer(stream.as_fd().try_clone_to_owned().unwrap(), b"state".to_vec()).await
}

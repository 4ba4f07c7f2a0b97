//! Four networks, joined by cables:
//!
//! ```text
//!   client ─── router ─┬─ site 1
//!                      └─ site 2      both have the addresses of the service
//! ```
//! The sites' programs are attached natively. All of it goes with the process, however that ends.

use crate::frames;
use continuity::{Filter, Flow, Key, KeyId, KeyRing, Pace, Paces, Settings, Site, SiteNumber, State};
use linux::link::{self, End, LinkIndex};
use linux::offload;
use linux::route::{self, Route, Via};
use linux::{Namespace, address, mount, sysctl};
use socket2::{Domain, Protocol, Socket, Type};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::num::{NonZeroU16, NonZeroU32};
use std::path::Path;
use xdp::{Continuity, Mode, Room};

pub(crate) const SERVICE: [IpAddr; 2] = [
    IpAddr::V4(Ipv4Addr::new(198, 18, 0, 53)),
    IpAddr::V6(Ipv6Addr::new(0x2001, 0xdb8, 0x53, 0, 0, 0, 0, 0x53)),
];
pub(crate) const PORT: u16 = 8080;

/// A packet that comes with its own IP header (`raw(7)`).
const IPPROTO_RAW: i32 = 255;

/// The nodes behind the router, by the number in their addresses.
const CLIENT: u8 = 9;
const SITES: [u8; 2] = [1, 2];

pub(crate) struct World {
    pub(crate) client: Namespace,
    router: Namespace,
    pub(crate) sites: [Namespace; 2],
    pub(crate) programs: Vec<Continuity>,
}

fn of(node: u8, host: u8) -> [IpAddr; 2] {
    let (node16, host16) = (u16::from(node), u16::from(host));
    [Ipv4Addr::new(10, node, 0, host).into(), Ipv6Addr::new(0x2001, 0xdb8, node16, 0, 0, 0, 0, host16).into()]
}

fn key(octet: u8) -> Key {
    Key::new([octet; 16])
}

/// Runs the work in such a world, if this process may make one.
pub(crate) fn inside(work: impl FnOnce(&mut World) + Send) {
    if !linux::privileges::can_make_namespaces().unwrap() {
        return eprintln!("SKIPPED: only root may load programs into the kernel: run the tests as root");
    }
    let pins = tempfile::tempdir().unwrap();
    let place = pins.path();
    std::thread::scope(|scope| {
        let run = || {
            mount::make_own().unwrap();
            mount::bpf(place).unwrap();
            work(&mut World::new(place));
        };
        scope.spawn(run).join().unwrap();
    });
}

impl World {
    fn new(pins: &Path) -> Self {
        let new = || Namespace::new().unwrap();
        let world = World { client: new(), router: new(), sites: [new(), new()], programs: Vec::new() };
        let forward = || {
            sysctl::write("ipv4/ip_forward", "1").unwrap();
            sysctl::write("ipv6/conf/all/forwarding", "1").unwrap();
        };
        world.router.run(forward).unwrap();
        world.join(&world.client, CLIENT);
        for (site, number) in world.sites.iter().zip(SITES) {
            world.join(site, number);
            let mut netlink = site.netlink().unwrap();
            link::set_up(&mut netlink, LinkIndex::LOOPBACK).unwrap();
            for service in SERVICE {
                address::add(&mut netlink, LinkIndex::LOOPBACK, service.into()).unwrap();
            }
        }
        world.shift_to(0);
        let place = |site: usize| pins.join(format!("site{}", SITES[site]));
        let programs = [0, 1].map(|site| load(&world.sites[site], &place(site), &["lan"]));
        // What a program sends back through a virtual Ethernet is lost, unless its other end has a program, too: the
        // router's lets everything pass. What is pinned stays.
        load(&world.router, &pins.join("router"), &["to1", "to2"]);
        World { programs: programs.into(), ..world }
    }

    /// A cable between the router and a node, which sends everything to the router.
    fn join(&self, node: &Namespace, number: u8) {
        let name = format!("to{number}");
        let (here, there) =
            (End { namespace: &self.router, name: &name }, End { namespace: node, name: "lan" });
        link::create_veth(&mut self.router.netlink().unwrap(), here, there).unwrap();
        for (namespace, name, host) in [(&self.router, name.as_str(), 1), (node, "lan", 10)] {
            let mut netlink = namespace.netlink().unwrap();
            let index = link::index(&mut netlink, name).unwrap();
            for (address, length) in of(number, host).into_iter().zip([24, 64]) {
                address::add(&mut netlink, index, ipnet::IpNet::new(address, length).unwrap()).unwrap();
            }
            link::set_up(&mut netlink, index).unwrap();
            // As on a real wire, checksums are in the packets.
            namespace.run(|| offload::set_transmit_checksum(name, false).unwrap()).unwrap();
        }
        let mut netlink = node.netlink().unwrap();
        for (gateway, all) in of(number, 1).into_iter().zip(["0.0.0.0/0", "::/0"]) {
            let route = Route { destination: all.parse().unwrap(), via: Via::Gateway(gateway), metric: None };
            route::add(&mut netlink, route).unwrap();
        }
    }

    /// Routing sends the service's clients to a site, from this moment on.
    pub(crate) fn shift_to(&self, site: usize) {
        let mut netlink = self.router.netlink().unwrap();
        for (service, gateway) in SERVICE.into_iter().zip(of(SITES[site], 10)) {
            let destination = ipnet::IpNet::from(service).to_string().parse().unwrap();
            route::replace(&mut netlink, Route { destination, via: Via::Gateway(gateway), metric: None })
                .unwrap();
        }
    }

    /// Somebody at the router sends a SYN of a connection in its client's name.
    pub(crate) fn send_syn(&self, flow: &Flow) {
        let [from, to] = [(flow.client, flow.client_port), (flow.service, flow.service_port)]
            .map(|(address, port)| SocketAddr::new(address.to_canonical(), port));
        let packet = frames::tcp(from, to, frames::SYN, b"");
        let send = || {
            let whole = Some(Protocol::from(IPPROTO_RAW));
            let socket = Socket::new(Domain::for_address(to), Type::RAW, whole).unwrap();
            socket.send_to(&packet, &SocketAddr::new(to.ip(), 0).into()).unwrap();
        };
        self.router.run(send).unwrap();
    }

    /// The way to a site carries few octets, and the client permits that its packets are broken up.
    pub(crate) fn break_up_on_the_way_to(&self, site: usize) {
        self.client.run(|| sysctl::write("ipv4/ip_no_pmtu_disc", "1").unwrap()).unwrap();
        let mut netlink = self.router.netlink().unwrap();
        let cable = link::index(&mut netlink, &format!("to{}", SITES[site])).unwrap();
        link::set_mtu(&mut netlink, cable, 1300).unwrap();
    }

    /// What each site is told: who the other one is, and what flows it says it has.
    pub(crate) fn tell(&mut self, flows: [&[Flow]; 2], family: usize) {
        for (site, programs) in self.programs.iter_mut().enumerate() {
            let other = 1 - site;
            programs.tell(&settings(site, family, flows[other])).unwrap();
        }
    }

    /// Where the clients are.
    pub(crate) fn from(&self, family: usize) -> SocketAddr {
        SocketAddr::new(of(CLIENT, 10)[family], 0)
    }
}

fn load(node: &Namespace, pins: &Path, interfaces: &[&str]) -> Continuity {
    let room = Room { flows_of_a_site: 1000, moved_flows: 4096, prefixes: 1024 };
    let mut programs = Continuity::load(pins, room).unwrap();
    for interface in interfaces {
        let mode = node.run(|| programs.attach(interface).unwrap()).unwrap();
        assert_eq!(mode, Mode::Native);
    }
    programs
}

/// The way between the sites is of the same family as the clients' packets, or of the other one: both are tried.
fn settings(site: usize, over: usize, others: &[Flow]) -> Settings {
    let number = |site: usize| SiteNumber::try_from(SITES[site]).unwrap();
    let mut filter = Filter::with_room_for(1000);
    others.iter().for_each(|flow| filter.insert(flow, &key(9)));
    let other =
        Site { address: of(SITES[1 - site], 10)[over], state: State::Alive, filter: Some(filter.into()) };
    let pace = Pace::per_second(NonZeroU32::new(1000).unwrap(), 1000);
    let [IpAddr::V4(source4), IpAddr::V6(source6)] = of(SITES[site], 10) else { unreachable!() };
    Settings {
        number: number(site),
        keys: KeyRing::new(KeyId::ALL[0], key(1)),
        filter_key: key(9),
        paces: Paces { claims: pace, guesses: pace, resets: pace },
        source4: Some(source4),
        source6: Some(source6),
        port: NonZeroU16::new(9057).unwrap(),
        mtu: 1500,
        relay: None,
        services: SERVICE.into(),
        sites: [(number(1 - site), other)].into(),
    }
}

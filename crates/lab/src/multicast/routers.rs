//! The sockets of all multicast routers of a world, and the one thread that serves them.
//!
//! ```text
//!  kernel ── reports of hosts, packets for nobody ──> igmp ──> proxy ──> queries, joins, routes ──> kernel
//! ```

use crate::clock;
use crate::machine::Machine;
use crate::multicast::igmp::{self, ALL_ROUTERS, ALL_SYSTEMS, REPORTS};
use crate::multicast::proxy::{Input, LAST_MEMBER, Output, Proxy, RESPONSE};
use crate::multicast::tree::{Branch, tree};
use crate::plan::{CableId, NodeId, Plan, SWITCH};
use crate::running::lock;
use linux::link::{self, LinkIndex};
use linux::multicast::{Interface, MOST_INTERFACES, MulticastRouter};
use linux::{Error, Result, sysctl};
use rustix::buffer::spare_capacity;
use rustix::event::Timespec;
use rustix::event::epoll::{self, CreateFlags, EventData, EventFlags};
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io;
use std::net::Ipv4Addr;
use std::os::fd::OwnedFd;
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

/// Groups in which a router's socket can be: everything that is wanted behind it, and two on each interface.
const MEMBERSHIPS: (&str, &str) = ("ipv4/igmp_max_memberships", "160");
/// Where a kernel says what it forwards. The calling thread's namespace is that of the router.
const FORWARDED: &str = "/proc/thread-self/net/ip_mr_cache";
/// Longest packet that is read, octets.
const LONGEST: usize = 2048;
/// Packets that are read of one router before the others have their turn.
const AT_ONCE: usize = 64;

/// What an interface of a router leads to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Network {
    /// Whatever is at the other end of a cable.
    Cable(CableId),
    /// The devices of a LAN, by its place in the world.
    Lan(usize),
}

/// The multicast routers of a world.
#[derive(Debug)]
pub(crate) struct Routers {
    /// What each of them knows.
    known: Arc<Mutex<BTreeMap<NodeId, BTreeSet<Ipv4Addr>>>>,
    /// Where each of its interfaces leads, by the multicast router's number.
    networks: BTreeMap<NodeId, Vec<Network>>,
}

/// One of them.
struct Station {
    node: NodeId,
    socket: MulticastRouter,
    proxy: Proxy,
    /// The kernel's number of each interface, by the multicast router's.
    links: Vec<LinkIndex>,
    upstream: Option<LinkIndex>,
}

impl Routers {
    /// Starts one in every router; they run until the process ends.
    pub(crate) fn start(plan: &Plan, machines: &[Machine]) -> Result<Self> {
        let mut stations = Vec::new();
        let mut networks = BTreeMap::new();
        for (node, branch) in tree(plan) {
            let leads: Vec<(Network, &str)> = leads(plan, node, &branch);
            if leads.len() > MOST_INTERFACES {
                let error = io::Error::other(format!("{} has {} of them", plan.node(node).name, leads.len()));
                return Err(Error::new(
                    format!("route multicast over more than {MOST_INTERFACES} interfaces"),
                    error,
                ));
            }
            let open = || Station::open(node, &leads, branch.upstream.is_some());
            stations.push(machines[node.0].namespace.run(open)??);
            networks.insert(node, leads.into_iter().map(|(network, _)| network).collect());
        }
        let known = Arc::new(Mutex::new(BTreeMap::new()));
        serve(stations, Arc::clone(&known))?;
        Ok(Routers { known, networks })
    }

    /// The groups that each router knows members of, by IGMP.
    pub(crate) fn known(&self) -> BTreeMap<NodeId, BTreeSet<Ipv4Addr>> {
        lock(&self.known).clone()
    }

    /// Where the kernel of each router forwards each group to, as it says itself.
    pub(crate) fn forwarded(&self, machines: &[Machine]) -> Vec<(NodeId, Ipv4Addr, Network)> {
        let of_router = |(node, networks): (&NodeId, &Vec<Network>)| {
            let table = machines[node.0].namespace.run(|| fs::read_to_string(FORWARDED));
            let rows = table.ok().and_then(io::Result::ok).map(|table| rows(&table)).unwrap_or_default();
            let known = |(group, interface): (Ipv4Addr, usize)| {
                networks.get(interface).map(|network| (*node, group, *network))
            };
            rows.into_iter().filter_map(known).collect::<Vec<_>>()
        };
        self.networks.iter().flat_map(of_router).collect()
    }
}

/// The interfaces of a router, the one towards the root first.
fn leads<'p>(plan: &'p Plan, router: NodeId, branch: &Branch) -> Vec<(Network, &'p str)> {
    let cables = branch.upstream.iter().chain(&branch.downstream);
    let by_cable = cables.filter_map(|cable| {
        let port = plan.cables[cable.0].ends.iter().find(|port| port.node == router)?;
        Some((Network::Cable(*cable), port.interface.as_str()))
    });
    by_cable.chain(branch.lan.map(|lan| (Network::Lan(lan), SWITCH))).collect()
}

/// The groups and the interfaces over which they are forwarded, of the kernel's table: group, source, interface, three
/// counters, and `interface:threshold` for each that is forwarded over.
fn rows(table: &str) -> Vec<(Ipv4Addr, usize)> {
    let row = |line: &str| {
        let mut words = line.split_whitespace();
        // The kernel prints the four octets as one number of this machine.
        let group = Ipv4Addr::from(u32::from_str_radix(words.next()?, 16).ok()?.to_ne_bytes());
        let outlets = words.filter_map(|word| word.split_once(':')?.0.parse().ok());
        Some(outlets.map(|outlet| (group, outlet)).collect::<Vec<_>>())
    };
    table.lines().skip(1).filter_map(row).flatten().collect()
}

impl Station {
    /// To be called in the namespace of the router.
    fn open(node: NodeId, leads: &[(Network, &str)], has_upstream: bool) -> Result<Self> {
        sysctl::write(MEMBERSHIPS.0, MEMBERSHIPS.1)?;
        let socket = MulticastRouter::open()?;
        let mut links = Vec::new();
        for (number, (_, name)) in (0..).zip(leads) {
            let link = link::index_here(name)?;
            socket.add(Interface(number), link)?;
            socket.join(REPORTS, link)?;
            socket.join(ALL_ROUTERS, link)?;
            links.push(link);
        }
        let all = (0..).take(links.len()).map(Interface);
        let upstream = has_upstream.then_some(Interface(0));
        let proxy = Proxy::new(upstream, all.filter(|one| Some(*one) != upstream), clock::now());
        let upstream = links.first().copied().filter(|_| has_upstream);
        Ok(Station { node, socket, proxy, links, upstream })
    }

    /// Reads what there is.
    fn hear(&mut self) {
        let mut buffer = [0; LONGEST];
        for _ in 0..AT_ONCE {
            // An error is one of an earlier question; there may be more to read.
            let Ok(Some(arrived)) = self.socket.receive(&mut buffer) else { return };
            let interface = self.links.iter().position(|link| *link == arrived.link);
            let interface = interface.and_then(|place| u16::try_from(place).ok()).map(Interface);
            // What is malformed is nobody's wish.
            if let Ok(heard) = igmp::read(&buffer[..arrived.length]) {
                self.proxy.handle(Input::Heard(interface, heard), clock::now());
            }
        }
    }

    /// Does what the router wants. What the kernel refuses, it is asked again: hosts repeat themselves, and it does.
    fn act(&mut self) {
        while let Some(output) = self.proxy.poll_output() {
            let _ = match output {
                Output::Query(interface, group) => self.query(interface, group),
                Output::Join(group) => self.upstream.map_or(Ok(()), |link| self.socket.join(group, link)),
                Output::Leave(group) => self.upstream.map_or(Ok(()), |link| self.socket.leave(group, link)),
                Output::Forward(flow, from, to) => self.socket.forward(flow.source, flow.group, from, &to),
                Output::Forget(flow) => self.socket.forget(flow.source, flow.group),
            };
        }
    }

    fn query(&self, interface: Interface, group: Option<Ipv4Addr>) -> Result<()> {
        let Some(link) = self.links.get(usize::from(interface.0)) else { return Ok(()) };
        let patience = if group.is_some() { LAST_MEMBER } else { RESPONSE };
        let message = igmp::query(group, u16::try_from(patience.as_millis()).unwrap_or(u16::MAX));
        self.socket.send(&message, group.unwrap_or(ALL_SYSTEMS), *link)
    }
}

fn serve(mut stations: Vec<Station>, known: Arc<Mutex<BTreeMap<NodeId, BTreeSet<Ipv4Addr>>>>) -> Result<()> {
    let waiting =
        epoll::create(CreateFlags::CLOEXEC).map_err(|error| Error::new("create an epoll", error))?;
    for (place, station) in stations.iter().enumerate() {
        epoll::add(&waiting, &station.socket, EventData::new_u64(place as u64), EventFlags::IN)
            .map_err(|error| Error::new("watch a multicast router", error))?;
    }
    let run = move || {
        loop {
            turn(&waiting, &mut stations);
            let groups = |station: &Station| (station.node, station.proxy.groups().into_keys().collect());
            *lock(&known) = stations.iter().map(groups).collect();
        }
    };
    let thread = thread::Builder::new().name("multicast".into()).spawn(run);
    thread.map(drop).map_err(|error| Error::new("start the multicast routers", error))
}

/// Waits for something to hear or for a timer, and lets every router do what it wants.
fn turn(waiting: &OwnedFd, stations: &mut [Station]) {
    /// A world without a router has nothing to wait for.
    const CALM: Duration = Duration::from_secs(60);
    let now = clock::now();
    let next = stations.iter().map(|station| station.proxy.deadline().since(now)).min().unwrap_or(CALM);
    let patience = Timespec { tv_sec: next.as_secs() as i64, tv_nsec: i64::from(next.subsec_nanos()) };
    let mut events = Vec::with_capacity(64);
    // Interrupted is the only error a valid epoll knows: look again.
    let _ = epoll::wait(waiting, spare_capacity(&mut events), Some(&patience));
    for event in &events {
        if let Some(station) = stations.get_mut(event.data.u64() as usize) {
            station.hear();
        }
    }
    let now = clock::now();
    for station in stations {
        if station.proxy.deadline() <= now {
            station.proxy.handle(Input::Time, now);
        }
        station.act();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_kernels_table_is_read() {
        let group = Ipv4Addr::new(239, 18, 0, 7);
        let number = u32::from_ne_bytes(group.octets());
        let table = format!(
            "Group    Origin   Iif     Pkts    Bytes    Wrong Oifs\n\
             {number:08X} 1200010A 2          1       40        0  0:1    3:1  \n\
             {number:08X} 1300010A -1         0        0        0\n\
             nonsense\n"
        );
        assert_eq!(rows(&table), [(group, 0), (group, 3)]);
    }
}

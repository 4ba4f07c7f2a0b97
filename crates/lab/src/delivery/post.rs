//! A UDP socket on each host of a world, and one thread that reads them all.

use crate::clock;
use crate::delivery::{Ledger, Message, packet};
use crate::machine::Machine;
use crate::multicast::{Network, Routers};
use crate::plan::{NodeId, Plan, Role, SERVICE};
use crate::running::lock;
use linux::{Error, Result, socket};
use rustix::buffer::spare_capacity;
use rustix::event::epoll::{self, CreateFlags, EventData, EventFlags};
use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::net::{Ipv4Addr, UdpSocket};
use std::os::fd::OwnedFd;
use std::sync::{Arc, Mutex};
use std::thread;

/// Where hosts receive messages.
pub(crate) const PORT: u16 = 4018;
/// Routers that a message to a group may pass.
const MULTICAST_TTL: u32 = 64;
/// Datagrams that are read of one host before the others have their turn.
const AT_ONCE: usize = 64;

/// The hosts of a world, ready to send and to receive.
pub(crate) struct Post {
    /// What was sent, and who got it.
    pub(crate) ledger: Arc<Mutex<Ledger>>,
    hosts: Arc<BTreeMap<NodeId, Receiver>>,
    members: Mutex<BTreeMap<Ipv4Addr, BTreeSet<NodeId>>>,
    routers: Routers,
}

struct Receiver {
    name: String,
    own: Ipv4Addr,
    socket: UdpSocket,
}

/// Whether a node sends and receives: clients, devices, and hosts of sites.
pub(crate) fn is_host(role: Role) -> bool {
    match role {
        Role::Host(_) | Role::Client(_) | Role::Device(_) => true,
        Role::Router(_) | Role::Exchange(_) | Role::Core => false,
    }
}

impl Post {
    /// Opens the sockets, starts the multicast routers, and reads until the process ends.
    pub(crate) fn start(plan: &Plan, machines: &[Machine]) -> Result<Self> {
        let mut hosts = BTreeMap::new();
        for (index, (node, machine)) in plan.nodes.iter().zip(machines).enumerate() {
            if is_host(node.role) {
                let (own, name) = (node.address.v4, node.name.clone());
                let bind = || socket::bind_udp_to_all(PORT, own, MULTICAST_TTL);
                hosts.insert(NodeId(index), Receiver { name, own, socket: machine.namespace.run(bind)?? });
            }
        }
        let post = Post {
            ledger: Arc::default(),
            hosts: Arc::new(hosts),
            members: Mutex::default(),
            routers: Routers::start(plan, machines)?,
        };
        post.receive()?;
        Ok(post)
    }

    /// Sends a message. What it says of its number and its receivers is not read.
    pub(crate) fn send(&self, from: NodeId, message: Message) -> Result<()> {
        let sender = self.host(from)?;
        let address = message.address;
        // Nobody must receive what is not in the ledger yet.
        let number = lock(&self.ledger).enter(message);
        let sent = sender.socket.send_to(&packet::write(number), (address, PORT));
        sent.map(drop).map_err(|error| Error::new(format!("send to {address} from {}", sender.name), error))
    }

    /// Has a host join a group; its kernel tells its router (IGMP).
    pub(crate) fn join(&self, group: Ipv4Addr, node: NodeId) -> Result<()> {
        let host = self.host(node)?;
        let mut members = lock(&self.members);
        if members.get(&group).is_some_and(|members| members.contains(&node)) {
            return Ok(());
        }
        let joined = host.socket.join_multicast_v4(&group, &host.own);
        joined.map_err(|error| Error::new(format!("join {group} at {}", host.name), error))?;
        members.entry(group).or_default().insert(node);
        Ok(())
    }

    /// Has a host leave a group.
    pub(crate) fn leave(&self, group: Ipv4Addr, node: NodeId) -> Result<()> {
        let host = self.host(node)?;
        let mut members = lock(&self.members);
        let Some(joined) = members.get_mut(&group).filter(|members| members.contains(&node)) else {
            return Ok(());
        };
        let left = host.socket.leave_multicast_v4(&group, &host.own);
        left.map_err(|error| Error::new(format!("leave {group} at {}", host.name), error))?;
        joined.remove(&node);
        if joined.is_empty() {
            members.remove(&group);
        }
        Ok(())
    }

    /// The hosts that have joined each group, by name.
    pub(crate) fn members(&self) -> BTreeMap<Ipv4Addr, BTreeSet<String>> {
        let name = |node: &NodeId| self.hosts.get(node).map(|host| host.name.clone());
        let members = lock(&self.members);
        members.iter().map(|(group, nodes)| (*group, nodes.iter().filter_map(name).collect())).collect()
    }

    /// The groups that each router knows members of, by IGMP.
    pub(crate) fn known(&self) -> BTreeMap<NodeId, BTreeSet<Ipv4Addr>> {
        self.routers.known()
    }

    /// Where the kernels of routers forward each group to, as they say themselves.
    pub(crate) fn forwarded(&self, machines: &[Machine]) -> Vec<(NodeId, Ipv4Addr, Network)> {
        self.routers.forwarded(machines)
    }

    fn host(&self, node: NodeId) -> Result<&Receiver> {
        let nobody = || Error::new("find a host", io::Error::from(io::ErrorKind::NotFound));
        self.hosts.get(&node).ok_or_else(nobody)
    }

    fn receive(&self) -> Result<()> {
        let waiting =
            epoll::create(CreateFlags::CLOEXEC).map_err(|error| Error::new("create an epoll", error))?;
        for (node, host) in self.hosts.iter() {
            epoll::add(&waiting, &host.socket, EventData::new_u64(node.0 as u64), EventFlags::IN)
                .map_err(|error| Error::new("watch a host's socket", error))?;
        }
        let (hosts, ledger) = (Arc::clone(&self.hosts), Arc::clone(&self.ledger));
        let thread = thread::Builder::new().name("post".into());
        let thread = thread.spawn(move || read(&waiting, &hosts, &ledger));
        thread.map(drop).map_err(|error| Error::new("start the thread that receives", error))
    }
}

fn read(waiting: &OwnedFd, hosts: &BTreeMap<NodeId, Receiver>, ledger: &Mutex<Ledger>) {
    let mut events = Vec::with_capacity(64);
    loop {
        events.clear();
        // Interrupted is the only error a valid epoll knows: look again.
        let _ = epoll::wait(waiting, spare_capacity(&mut events), None);
        for event in &events {
            let Some(host) = hosts.get(&NodeId(event.data.u64() as usize)) else { continue };
            // One octet more than a message, so that a longer datagram is none.
            let mut buffer = [0; packet::LENGTH + 1];
            for _ in 0..AT_ONCE {
                match host.socket.recv(&mut buffer) {
                    Ok(length) => {
                        if let Some(number) = packet::read(&buffer[..length]) {
                            lock(ledger).receive(number, &host.name);
                        }
                    }
                    Err(error) if error.kind() == io::ErrorKind::WouldBlock => break,
                    // An ICMP error for something that was sent earlier.
                    Err(_) => {}
                }
            }
        }
    }
}

/// A message that is about to be sent.
pub(crate) fn message(
    method: api::Method,
    (from, to): (String, String),
    address: Ipv4Addr,
    reach: crate::delivery::Reach,
) -> Message {
    let received = BTreeMap::new();
    Message { number: 0, method, from, to, address, at: clock::now(), wall: clock::wall(), reach, received }
}

/// The address of the nearest of many machines.
pub(crate) const ANYCAST: Ipv4Addr = SERVICE.v4;

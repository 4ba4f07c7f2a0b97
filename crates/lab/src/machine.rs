//! A node that runs: a network namespace with its interfaces, addresses and default routes.

use crate::cable::{Carriage, Fibre};
use crate::plan::{CableId, Medium, NodeId, Pair, Plan, Port, Purpose, Role, SWITCH};
use ipnet::{IpNet, Ipv4Net, Ipv6Net};
use linux::link::{self, End, LinkIndex};
use linux::panel::{Panel, Plug};
use linux::route::{self, Route, Via};
use linux::{Error, Namespace, Netlink, Result, address, sysctl};
use std::collections::BTreeMap;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use terms::Prefix;

/// Nodes that are built at the same time: much of the work waits for locks of the kernel.
const BUILDERS: usize = 4;

/// What every node has set. A forwarding node accepts packets on any interface, whatever the way back is.
const SETTINGS: [(&str, &str); 11] = [
    ("ipv4/conf/all/rp_filter", "0"),
    ("ipv4/conf/default/rp_filter", "0"),
    ("ipv6/conf/all/accept_dad", "0"),
    ("ipv6/conf/default/accept_dad", "0"),
    ("ipv6/conf/all/accept_ra", "0"),
    ("ipv6/conf/default/accept_ra", "0"),
    // No link-local addresses: nothing announces itself over the cables by itself.
    ("ipv6/conf/default/addr_gen_mode", "1"),
    ("ipv4/fib_multipath_hash_policy", "1"),
    ("ipv6/fib_multipath_hash_policy", "1"),
    ("ipv4/conf/all/ignore_routes_with_linkdown", "1"),
    ("ipv6/conf/all/ignore_routes_with_linkdown", "1"),
];
/// What a router has set besides.
const FORWARDING: [(&str, &str); 2] = [("ipv4/ip_forward", "1"), ("ipv6/conf/all/forwarding", "1")];

/// What a node has set besides whose LANs are cut at its end: its addresses stay.
const LASTING: [(&str, &str); 1] = [("ipv6/conf/all/keep_addr_on_down", "1")];

/// A node that runs.
#[derive(Debug)]
pub(crate) struct Machine {
    /// Its network.
    pub(crate) namespace: Namespace,
    netlink: Mutex<Netlink>,
    /// What leads where: the cable behind each interface, by the kernel's number.
    interfaces: BTreeMap<LinkIndex, CableId>,
}

impl Machine {
    /// Asks the kernel of this node for something.
    pub(crate) fn with_netlink<T>(&self, ask: impl FnOnce(&mut Netlink) -> Result<T>) -> Result<T> {
        ask(&mut self.netlink.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// The cable behind an interface.
    pub(crate) fn cable_at(&self, link: LinkIndex) -> Option<CableId> {
        self.interfaces.get(&link).copied()
    }
}

/// Every node of a plan, and the cables between them with both ends plugged in.
pub(crate) struct Machines {
    /// In the order of the plan.
    pub(crate) machines: Vec<Machine>,
    /// Every cable but the LANs.
    pub(crate) fibres: Vec<Arc<Fibre>>,
}

/// Builds every node of a plan. Each is handed to `ready` as soon as it is there, on the thread that built it, so that
/// its router can begin to look for neighbours while the rest of the world is built.
pub(crate) fn build(
    plan: &Plan,
    panel: &Panel,
    ready: impl Fn(NodeId, &Machine) -> Result<()> + Sync,
) -> Result<Machines> {
    let mut built = build_all(plan, panel, &ready)?;
    let mut machines: Vec<Machine> = Vec::with_capacity(built.len());
    let mut plugs: BTreeMap<CableId, Vec<Plug>> = BTreeMap::new();
    for node in &mut built {
        for (cable, plug) in node.plugs.drain(..) {
            plugs.entry(cable).or_default().push(plug);
        }
    }
    machines.extend(built.into_iter().map(|node| node.machine));
    for (index, cable) in plan.cables.iter().enumerate() {
        if cable.medium == Medium::Lan {
            join(&mut machines, plan, CableId(index))?;
        }
    }
    let mut fibres = Vec::new();
    for (index, cable) in plan.cables.iter().enumerate() {
        let id = CableId(index);
        let (Medium::Fibre { delay, loss, rate }, Some(ends)) = (cable.medium, plugs.remove(&id)) else {
            continue;
        };
        // Nodes were visited in order; the plan may name the ends the other way round.
        let [left, right] = &cable.ends;
        let ends = <[Plug; 2]>::try_from(ends).map_err(|_| one_ended(&cable.name))?;
        let ends = if left.node <= right.node { ends } else { swap(ends) };
        fibres.push(Arc::new(Fibre::new(id, ends, Carriage { delay, loss, rate })));
    }
    Ok(Machines { machines, fibres })
}

fn swap([left, right]: [Plug; 2]) -> [Plug; 2] {
    [right, left]
}

fn one_ended(cable: &str) -> Error {
    Error::new(format!("plug in cable {cable}"), io::Error::other("it has one end only"))
}

struct Built {
    machine: Machine,
    plugs: Vec<(CableId, Plug)>,
}

fn build_all(
    plan: &Plan,
    panel: &Panel,
    ready: &(impl Fn(NodeId, &Machine) -> Result<()> + Sync),
) -> Result<Vec<Built>> {
    let next = AtomicUsize::new(0);
    let build_some = || -> Result<Vec<(usize, Built)>> {
        let numbers = std::iter::from_fn(|| Some(next.fetch_add(1, Ordering::Relaxed)));
        let nodes = numbers.take_while(|&node| node < plan.nodes.len());
        nodes
            .map(|node| {
                let built = build_one(plan, panel, NodeId(node))?;
                ready(NodeId(node), &built.machine)?;
                Ok((node, built))
            })
            .collect()
    };
    let shares: Vec<Result<Vec<(usize, Built)>>> = thread::scope(|scope| {
        let threads: Vec<_> = (0..BUILDERS).map(|_| scope.spawn(build_some)).collect();
        threads.into_iter().map(|thread| thread.join().unwrap_or_else(|_| Err(panicked()))).collect()
    });
    let mut built: Vec<(usize, Built)> = Vec::with_capacity(plan.nodes.len());
    for share in shares {
        built.extend(share?);
    }
    built.sort_by_key(|(node, _)| *node);
    Ok(built.into_iter().map(|(_, built)| built).collect())
}

fn panicked() -> Error {
    Error::new("build a node", io::Error::other("the builder panicked"))
}

/// Lengths of the prefixes of the LAN between a host and its router.
const LAN: [u8; 2] = [29, 64];
/// Lengths of the prefixes of the LAN of an exchange.
const EXCHANGE: [u8; 2] = [24, 64];
/// Lengths of the prefixes of a LAN with devices.
const DEVICES: [u8; 2] = [28, 64];
/// What the router of such a LAN has set besides: it lets packets for all of its devices in. Others do not
/// (RFC 2644).
const DIRECTED_BROADCAST: [(&str, &str); 2] =
    [("ipv4/conf/all/bc_forwarding", "1"), ("ipv4/conf/default/bc_forwarding", "1")];

fn build_one(plan: &Plan, panel: &Panel, node: NodeId) -> Result<Built> {
    let namespace = Namespace::new()?;
    let fibres: Vec<(CableId, &Port, &Port)> =
        plan.ports(node).filter(|(cable, _, _)| plan.cables[cable.0].medium != Medium::Lan).collect();
    let role = plan.node(node).role;
    let is_router = matches!(role, Role::Router(_));
    let lan = lan_of(plan, node);
    let (netlink, plugs, interfaces) = namespace.run(|| -> Result<_> {
        let forwarding = if is_router { &FORWARDING[..] } else { &[] };
        let lasting = if is_router || role == Role::Core { &LASTING[..] } else { &[] };
        let directed = if lan.is_some() { &DIRECTED_BROADCAST[..] } else { &[] };
        let settings = SETTINGS.iter().chain(forwarding).chain(lasting).chain(directed);
        settings.into_iter().try_for_each(|(name, value)| sysctl::write(name, value))?;
        let mut netlink = Netlink::open()?;
        link::set_up(&mut netlink, LinkIndex::LOOPBACK)?;
        let own = plan.node(node).address;
        match role {
            Role::Router(_) | Role::Core => assign(&mut netlink, LinkIndex::LOOPBACK, own, [32, 128])?,
            Role::Exchange(_) => switch(&mut netlink, own, EXCHANGE)?,
            Role::Host(_) | Role::Client(_) | Role::Device(_) => {}
        }
        lan.map_or(Ok(()), |own| switch(&mut netlink, own, DEVICES))?;
        let mut plugs = Vec::new();
        let mut interfaces = BTreeMap::new();
        for (cable, here, there) in fibres {
            plugs.push((cable, panel.plug(&namespace, &here.interface)?));
            let link = link::index(&mut netlink, &here.interface)?;
            interfaces.insert(link, cable);
            let purpose = plan.cables[cable.0].purpose;
            let lengths = if purpose == Purpose::SiteLan { LAN } else { [31, 127] };
            assign(&mut netlink, link, here.address, lengths)?;
            link::set_up(&mut netlink, link)?;
            if matches!(purpose, Purpose::Access | Purpose::SiteLan) && !is_router {
                default_route(&mut netlink, there.address)?;
            }
        }
        Ok((netlink, plugs, interfaces))
    })??;
    Ok(Built { machine: Machine { namespace, netlink: Mutex::new(netlink), interfaces }, plugs })
}

/// The addresses of a router on its LAN; none where it has no devices.
fn lan_of(plan: &Plan, node: NodeId) -> Option<Pair> {
    let leads_to_device = |cable: CableId| plan.cables[cable.0].purpose == Purpose::Device;
    match plan.node(node).role {
        Role::Router(_) => {
            plan.ports(node).find(|(cable, _, _)| leads_to_device(*cable)).map(|(_, port, _)| port.address)
        }
        Role::Core | Role::Exchange(_) | Role::Host(_) | Role::Client(_) | Role::Device(_) => None,
    }
}

/// A switch that the route server, or the router of a LAN, stands at as well.
fn switch(netlink: &mut Netlink, own: Pair, lengths: [u8; 2]) -> Result<()> {
    link::create_bridge(netlink, SWITCH)?;
    ask_neighbours_from_own_address(SWITCH)?;
    let lan = link::index(netlink, SWITCH)?;
    link::set_up(netlink, lan)?;
    assign(netlink, lan, own, lengths)
}

/// A neighbour's hardware address is asked for from the own link-local address (RFC 4861 section 7.2.2).
fn ask_neighbours_from_own_address(interface: &str) -> Result<()> {
    sysctl::write(&format!("ipv6/conf/{interface}/addr_gen_mode"), "0")
}

/// Joins two nodes by a virtual Ethernet: an edge router and its host, a router and the switch of an exchange or a device
/// of its LAN, or the operator's own data centre and a host.
fn join(machines: &mut [Machine], plan: &Plan, cable: CableId) -> Result<()> {
    let [router, host] = &plan.cables[cable.0].ends;
    let (here, there) = (&machines[router.node.0], &machines[host.node.0]);
    let here_end = End { namespace: &here.namespace, name: &router.interface };
    let there_end = End { namespace: &there.namespace, name: &host.interface };
    here.with_netlink(|netlink| link::create_veth(netlink, here_end, there_end))?;
    // Both ends are up before either has an address: a neighbour without a carrier would not hear its first questions.
    for port in [router, host] {
        let machine = &mut machines[port.node.0];
        machine.namespace.run(|| ask_neighbours_from_own_address(&port.interface))??;
        let link = machine.with_netlink(|netlink| {
            let link = link::index(netlink, &port.interface)?;
            link::set_up(netlink, link)?;
            Ok(link)
        })?;
        machine.interfaces.insert(link, cable);
    }
    for (port, far) in [(router, host), (host, router)] {
        machines[port.node.0].with_netlink(|netlink| {
            let link = link::index(netlink, &port.interface)?;
            match (plan.node(port.node).role, plan.node(far.node).role) {
                (Role::Host(_), Role::Core) => {
                    assign(netlink, link, port.address, LAN)?;
                    route_via(netlink, plan.node(far.node).address.both().map(Prefix::host), far.address)
                }
                (Role::Host(_), _) => {
                    assign(netlink, link, port.address, LAN)?;
                    default_route(netlink, far.address)
                }
                (Role::Device(_), _) => {
                    assign(netlink, link, port.address, DEVICES)?;
                    default_route(netlink, far.address)
                }
                (Role::Exchange(_), _) | (Role::Router(_), Role::Device(_)) => {
                    let switch = link::index(netlink, SWITCH)?;
                    link::plug_into(netlink, link, switch)
                }
                (Role::Router(_), Role::Exchange(_)) => assign(netlink, link, port.address, EXCHANGE),
                (Role::Router(_) | Role::Core | Role::Client(_), _) => {
                    assign(netlink, link, port.address, LAN)
                }
            }
        })?;
    }
    Ok(())
}

fn assign(netlink: &mut Netlink, link: LinkIndex, pair: Pair, [length4, length6]: [u8; 2]) -> Result<()> {
    let invalid = |_| Error::new("assign an address", io::Error::from(io::ErrorKind::InvalidInput));
    let v4 = IpNet::V4(Ipv4Net::new(pair.v4, length4).map_err(invalid)?);
    let v6 = IpNet::V6(Ipv6Net::new(pair.v6, length6).map_err(invalid)?);
    [v4, v6].into_iter().try_for_each(|net| address::add(netlink, link, net).map(drop))
}

fn default_route(netlink: &mut Netlink, gateway: Pair) -> Result<()> {
    let everything = [IpAddr::V4(Ipv4Addr::UNSPECIFIED), IpAddr::V6(Ipv6Addr::UNSPECIFIED)];
    let all =
        |any| Prefix::new(any, 0).map_err(|error| Error::new("route everything", io::Error::other(error)));
    let [v4, v6] = everything.map(all);
    route_via(netlink, [v4?, v6?], gateway)
}

fn route_via(netlink: &mut Netlink, destinations: [Prefix; 2], gateway: Pair) -> Result<()> {
    for (destination, gateway) in destinations.into_iter().zip(gateway.both()) {
        route::replace(netlink, Route { destination, via: Via::Gateway(gateway), metric: None })?;
    }
    Ok(())
}

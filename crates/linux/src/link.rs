//! Interfaces: loopback, veth pairs, bridges, up and down.

use crate::error::Attempt;
use crate::netlink::interface_name;
use crate::{Namespace, Netlink, Result};
use netlink_packet_core::{NLM_F_CREATE, NLM_F_EXCL};
use netlink_packet_route::RouteNetlinkMessage;
use netlink_packet_route::link::{
    InfoData, InfoKind, InfoVeth, LinkAttribute, LinkFlags, LinkInfo, LinkLayerType, LinkMessage,
};
use nix::errno::Errno;
use nix::net::if_::{if_indextoname, if_nametoindex};
use std::io;
use std::os::fd::{AsFd, AsRawFd};

/// The kernel's number of an interface, valid in its own namespace.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LinkIndex(pub u32);

impl LinkIndex {
    /// The loopback interface: the first one of every namespace.
    pub const LOOPBACK: LinkIndex = LinkIndex(1);
}

/// One end of a cable to be: the namespace it is born in and its name there.
#[derive(Clone, Copy, Debug)]
pub struct End<'a> {
    /// Where the interface appears.
    pub namespace: &'a Namespace,
    /// What it is called there, at most 15 bytes.
    pub name: &'a str,
}

/// Whether an interface is administratively up and whether it has a carrier.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LinkState {
    /// Switched on.
    pub up: bool,
    /// A cable is plugged in.
    pub carrier: bool,
}

/// The number of the interface called `name`.
pub fn index(netlink: &mut Netlink, name: &str) -> Result<LinkIndex> {
    let mut message = LinkMessage::default();
    message.attributes.push(LinkAttribute::IfName(interface_name(name)?.to_owned()));
    get(netlink, message)
        .map(|found| LinkIndex(found.header.index))
        .attempt(|| format!("find interface {name}"))
}

/// The number of the interface called `name` in the calling thread's network namespace: one system call, for those who
/// have no netlink socket at hand.
pub fn index_here(name: &str) -> Result<LinkIndex> {
    if_nametoindex(interface_name(name)?).map(LinkIndex).attempt(|| format!("find interface {name}"))
}

/// What the interface of that number is called in the calling thread's network namespace.
pub fn name_here(link: LinkIndex) -> Result<String> {
    let attempt = || format!("name interface {}", link.0);
    let name = if_indextoname(link.0).attempt(attempt)?.to_string_lossy().into_owned();
    // `nix` takes the null pointer that says that there is none for an empty name.
    let name = if name.is_empty() { Err(io::Error::from(Errno::ENXIO)) } else { Ok(name) };
    name.attempt(attempt)
}

/// Whether an interface is up and has a carrier.
pub fn state(netlink: &mut Netlink, link: LinkIndex) -> Result<LinkState> {
    let mut message = LinkMessage::default();
    message.header.index = link.0;
    let found = get(netlink, message).attempt(|| format!("look at interface {}", link.0))?;
    let flags = found.header.flags;
    Ok(LinkState { up: flags.contains(LinkFlags::Up), carrier: flags.contains(LinkFlags::LowerUp) })
}

/// Whether the frames of an interface of the calling thread's network namespace begin with an Ethernet header, as those of
/// the loopback interface do. A TUN device of layer 3 has none.
pub fn has_ethernet_here(link: LinkIndex) -> Result<bool> {
    let mut message = LinkMessage::default();
    message.header.index = link.0;
    let found = get(&mut Netlink::open()?, message).attempt(|| format!("look at interface {}", link.0))?;
    Ok(matches!(found.header.link_layer_type, LinkLayerType::Ether | LinkLayerType::Loopback))
}

fn get(netlink: &mut Netlink, message: LinkMessage) -> io::Result<LinkMessage> {
    match netlink.ask(RouteNetlinkMessage::GetLink(message))? {
        RouteNetlinkMessage::NewLink(found) => Ok(found),
        other => Err(io::Error::other(format!("the kernel answered {other:?}"))),
    }
}

/// Switches an interface on.
pub fn set_up(netlink: &mut Netlink, link: LinkIndex) -> Result<()> {
    set_flags(netlink, link, LinkFlags::Up).attempt(|| format!("set interface {} up", link.0))
}

/// Switches an interface off: its routes vanish.
pub fn set_down(netlink: &mut Netlink, link: LinkIndex) -> Result<()> {
    set_flags(netlink, link, LinkFlags::empty()).attempt(|| format!("set interface {} down", link.0))
}

/// Sets how many octets the longest packet may have that an interface sends.
pub fn set_mtu(netlink: &mut Netlink, link: LinkIndex, octets: u32) -> Result<()> {
    let mut message = LinkMessage::default();
    message.header.index = link.0;
    message.attributes.push(LinkAttribute::Mtu(octets));
    let set = netlink.change(RouteNetlinkMessage::SetLink(message), 0);
    set.attempt(|| format!("set the longest packet of interface {} to {octets} octets", link.0))
}

fn set_flags(netlink: &mut Netlink, link: LinkIndex, flags: LinkFlags) -> io::Result<()> {
    let mut message = LinkMessage::default();
    message.header.index = link.0;
    message.header.flags = flags;
    message.header.change_mask = LinkFlags::Up;
    netlink.change(RouteNetlinkMessage::SetLink(message), 0)
}

/// Creates a virtual Ethernet cable whose two ends are born in their namespaces. (Creating both here and moving them
/// costs thirty times as much, because a move waits for every processor.)
pub fn create_veth(netlink: &mut Netlink, here: End<'_>, there: End<'_>) -> Result<()> {
    let (near, far) = (born_in(here)?, born_in(there)?);
    join(netlink, near, far).attempt(|| format!("create the cable from {} to {}", here.name, there.name))
}

/// The hardware address of every interface that is made by [`create_lead`]: a local one (IEEE 802, U/L bit).
const ANYBODY: [u8; 6] = [0x02, 0, 0, 0, 0, 0x01];

/// Creates a virtual Ethernet cable whose end `there` has one neighbour, whoever that is: it asks for no hardware
/// address (`IFF_NOARP`) and sends to its own, which all such interfaces have in common. So whatever comes out `here`
/// can be sent into any other lead, and is taken at its end. The end `here` gets this number and is switched on.
pub fn create_lead(
    netlink: &mut Netlink,
    (here, number): (End<'_>, LinkIndex),
    there: End<'_>,
) -> Result<()> {
    let mut far = born_in(there)?;
    far.header.flags = LinkFlags::Noarp;
    far.header.change_mask = LinkFlags::Noarp;
    far.attributes.push(LinkAttribute::Address(ANYBODY.to_vec()));
    let mut message = born_in(here)?;
    message.header.index = number.0;
    message.header.flags = LinkFlags::Up;
    message.header.change_mask = LinkFlags::Up;
    join(netlink, message, far).attempt(|| format!("create the lead from {} to {}", here.name, there.name))
}

fn join(netlink: &mut Netlink, mut here: LinkMessage, there: LinkMessage) -> io::Result<()> {
    let data = InfoData::Veth(InfoVeth::Peer(there));
    here.attributes.push(LinkAttribute::LinkInfo(vec![LinkInfo::Kind(InfoKind::Veth), LinkInfo::Data(data)]));
    netlink.change(RouteNetlinkMessage::NewLink(here), NLM_F_CREATE | NLM_F_EXCL)
}

fn born_in(end: End<'_>) -> Result<LinkMessage> {
    let mut message = LinkMessage::default();
    message.attributes.push(LinkAttribute::IfName(interface_name(end.name)?.to_owned()));
    message.attributes.push(LinkAttribute::NetNsFd(end.namespace.as_fd().as_raw_fd()));
    Ok(message)
}

/// Creates a bridge: a switch without ports, in the namespace of the netlink socket.
pub fn create_bridge(netlink: &mut Netlink, name: &str) -> Result<()> {
    let mut message = LinkMessage::default();
    message.attributes.push(LinkAttribute::IfName(interface_name(name)?.to_owned()));
    message.attributes.push(LinkAttribute::LinkInfo(vec![LinkInfo::Kind(InfoKind::Bridge)]));
    netlink
        .change(RouteNetlinkMessage::NewLink(message), NLM_F_CREATE | NLM_F_EXCL)
        .attempt(|| format!("create the bridge {name}"))
}

/// Plugs an interface into a bridge as one of its ports.
pub fn plug_into(netlink: &mut Netlink, link: LinkIndex, bridge: LinkIndex) -> Result<()> {
    let mut message = LinkMessage::default();
    message.header.index = link.0;
    message.attributes.push(LinkAttribute::Controller(bridge.0));
    netlink
        .change(RouteNetlinkMessage::SetLink(message), 0)
        .attempt(|| format!("plug interface {} into bridge {}", link.0, bridge.0))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::address;

    #[test]
    fn both_ends_are_born_in_their_namespaces_and_carry_when_both_are_up() {
        let (left, right) = (Namespace::new().unwrap(), Namespace::new().unwrap());
        let mut at_left = left.netlink().unwrap();
        let mut at_right = right.netlink().unwrap();
        let (here, there) = (End { namespace: &left, name: "east" }, End { namespace: &right, name: "west" });
        create_veth(&mut at_left, here, there).unwrap();
        let (east, west) = (index(&mut at_left, "east").unwrap(), index(&mut at_right, "west").unwrap());
        set_up(&mut at_left, east).unwrap();
        assert_eq!(state(&mut at_left, east).unwrap(), LinkState { up: true, carrier: false });
        set_up(&mut at_right, west).unwrap();
        assert_eq!(state(&mut at_left, east).unwrap(), LinkState { up: true, carrier: true });
        set_down(&mut at_right, west).unwrap();
        assert_eq!(state(&mut at_left, east).unwrap(), LinkState { up: true, carrier: false });
    }

    #[test]
    fn whoever_is_plugged_into_a_bridge_reaches_the_others() {
        let (switch, left, right) =
            (Namespace::new().unwrap(), Namespace::new().unwrap(), Namespace::new().unwrap());
        let mut at_switch = switch.netlink().unwrap();
        create_bridge(&mut at_switch, "lan").unwrap();
        let bridge = index(&mut at_switch, "lan").unwrap();
        set_up(&mut at_switch, bridge).unwrap();
        for (namespace, name, address) in [(&left, "left", "192.0.2.1/24"), (&right, "right", "192.0.2.2/24")]
        {
            create_veth(&mut at_switch, End { namespace: &switch, name }, End { namespace, name: "lan" })
                .unwrap();
            let port = index(&mut at_switch, name).unwrap();
            plug_into(&mut at_switch, port, bridge).unwrap();
            set_up(&mut at_switch, port).unwrap();
            let mut inside = namespace.netlink().unwrap();
            let lan = index(&mut inside, "lan").unwrap();
            set_up(&mut inside, lan).unwrap();
            address::add(&mut inside, lan, address.parse().unwrap()).unwrap();
        }
        let listener = right.run(|| std::net::TcpListener::bind("192.0.2.2:7000")).unwrap().unwrap();
        let call = || std::net::TcpStream::connect("192.0.2.2:7000");
        left.run(call).unwrap().unwrap();
        listener.accept().unwrap();
    }

    #[test]
    fn an_interface_is_found_by_name_and_by_number_without_netlink() {
        let namespace = Namespace::new().unwrap();
        namespace
            .run(|| {
                assert_eq!(index_here("lo").unwrap(), LinkIndex::LOOPBACK);
                assert_eq!(name_here(LinkIndex::LOOPBACK).unwrap(), "lo");
                let error = index_here("nowhere").unwrap_err().to_string();
                assert!(error.starts_with("cannot find interface nowhere: "), "{error}");
                assert!(name_here(LinkIndex(4242)).is_err());
            })
            .unwrap();
    }

    #[test]
    fn a_missing_interface_and_a_bad_name_are_errors_that_say_so() {
        let namespace = Namespace::new().unwrap();
        let mut netlink = namespace.netlink().unwrap();
        let error = index(&mut netlink, "nowhere").unwrap_err();
        assert!(error.to_string().starts_with("cannot find interface nowhere: No such device"), "{error}");
        assert!(index(&mut netlink, "sixteen-letters-").is_err());
    }
}

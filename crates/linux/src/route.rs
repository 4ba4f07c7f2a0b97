//! Routes of the main table: add, delete, and ask where a packet would go.

use crate::address::Outcome;
use crate::error::Attempt;
use crate::link::LinkIndex;
use crate::netlink::answered;
use crate::{Netlink, Result};
use netlink_packet_core::{NLM_F_CREATE, NLM_F_EXCL, NLM_F_REPLACE};
use netlink_packet_route::route::{
    RouteAddress, RouteAttribute, RouteHeader, RouteMessage, RouteNextHop, RouteProtocol, RouteScope,
    RouteType,
};
use netlink_packet_route::{AddressFamily, RouteNetlinkMessage};
use nix::errno::Errno;
use std::io;
use std::net::IpAddr;
use terms::{Family, Prefix};

/// Where packets for a destination go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Via {
    /// To a router.
    Gateway(IpAddr),
    /// To whoever is at the other end of an interface.
    Link(LinkIndex),
    /// Nowhere: the sender is told "unreachable". Packets for an announced aggregate that no more specific route
    /// claims end here instead of looping between us and the router that sent them.
    Unreachable,
}

/// A route of the main table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Route {
    /// Which packets.
    pub destination: Prefix,
    /// Where they go.
    pub via: Via,
    /// Lower is preferred among routes for the same destination; the kernel's default when absent.
    pub metric: Option<u32>,
}

/// What the kernel would do with a packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lookup {
    /// Sent out through an interface, to a gateway or to a neighbour.
    Forward {
        /// The next router, or none when the destination is on the link.
        gateway: Option<IpAddr>,
        /// The interface.
        link: LinkIndex,
    },
    /// Delivered here.
    Local,
    /// Dropped, and nobody is told: a route says blackhole.
    Dropped,
    /// No route, or one that says unreachable.
    Unreachable,
}

/// Adds a route. One for the same destination and metric must not exist, or [`Outcome::Already`] is returned.
pub fn add(netlink: &mut Netlink, route: Route) -> Result<Outcome> {
    match netlink.change(RouteNetlinkMessage::NewRoute(message(&route)), NLM_F_CREATE | NLM_F_EXCL) {
        Err(error) if answered(&error, Errno::EEXIST) => Ok(Outcome::Already),
        result => {
            result.map(|()| Outcome::Changed).attempt(|| format!("add a route for {}", route.destination))
        }
    }
}

/// Adds a route, or replaces the one for the same destination and metric.
pub fn replace(netlink: &mut Netlink, route: Route) -> Result<()> {
    netlink
        .change(RouteNetlinkMessage::NewRoute(message(&route)), NLM_F_CREATE | NLM_F_REPLACE)
        .attempt(|| format!("replace the route for {}", route.destination))
}

/// Deletes a route.
pub fn delete(netlink: &mut Netlink, route: Route) -> Result<Outcome> {
    match netlink.change(RouteNetlinkMessage::DelRoute(message(&route)), 0) {
        Err(error) if answered(&error, Errno::ESRCH) => Ok(Outcome::Already),
        result => result
            .map(|()| Outcome::Changed)
            .attempt(|| format!("delete the route for {}", route.destination)),
    }
}

/// Where the kernel would send a packet for `destination` that comes from here.
pub fn lookup(netlink: &mut Netlink, destination: IpAddr) -> Result<Lookup> {
    let mut message = RouteMessage::default();
    message.header.address_family = address_family(Family::of(destination));
    message.header.destination_prefix_length = Family::of(destination).bits();
    message.attributes.push(RouteAttribute::Destination(RouteAddress::from(destination)));
    match netlink.ask(RouteNetlinkMessage::GetRoute(message)) {
        Ok(RouteNetlinkMessage::NewRoute(route)) => Ok(read(&route)),
        Ok(other) => Err(io::Error::other(format!("the kernel answered {other:?}"))),
        // What the kernel answers where the route is a blackhole.
        Err(error) if answered(&error, Errno::EINVAL) => Ok(Lookup::Dropped),
        Err(error) if unreachable(&error) => Ok(Lookup::Unreachable),
        Err(error) => Err(error),
    }
    .attempt(|| format!("look up the route to {destination}"))
}

fn unreachable(error: &io::Error) -> bool {
    [Errno::ENETUNREACH, Errno::EHOSTUNREACH].iter().any(|&errno| answered(error, errno))
}

fn read(route: &RouteMessage) -> Lookup {
    match route.header.kind {
        RouteType::Local => return Lookup::Local,
        RouteType::BlackHole => return Lookup::Dropped,
        RouteType::Unicast => {}
        _ => return Lookup::Unreachable,
    }
    let gateway = route.attributes.iter().find_map(|attribute| match attribute {
        RouteAttribute::Gateway(RouteAddress::Inet(address)) => Some(IpAddr::V4(*address)),
        RouteAttribute::Gateway(RouteAddress::Inet6(address)) => Some(IpAddr::V6(*address)),
        _ => None,
    });
    let link = route.attributes.iter().find_map(|attribute| match attribute {
        RouteAttribute::Oif(index) => Some(LinkIndex(*index)),
        RouteAttribute::MultiPath(hops) => {
            hops.first().map(|hop: &RouteNextHop| LinkIndex(hop.interface_index))
        }
        _ => None,
    });
    match link {
        // A kernel with one IPv6 table shows an address on loopback as a plain route.
        Some(LinkIndex::LOOPBACK) => Lookup::Local,
        Some(link) => Lookup::Forward { gateway, link },
        None => Lookup::Unreachable,
    }
}

/// The destination of a message about a route.
pub(crate) fn destination(route: &RouteMessage) -> Option<Prefix> {
    let length = route.header.destination_prefix_length;
    let written = route.attributes.iter().find_map(|attribute| match attribute {
        RouteAttribute::Destination(RouteAddress::Inet(address)) => Some(IpAddr::V4(*address)),
        RouteAttribute::Destination(RouteAddress::Inet6(address)) => Some(IpAddr::V6(*address)),
        _ => None,
    });
    let any = || match route.header.address_family {
        AddressFamily::Inet => Some(IpAddr::from([0; 4])),
        AddressFamily::Inet6 => Some(IpAddr::from([0; 16])),
        _ => None,
    };
    Prefix::containing(written.or_else(any)?, length).ok()
}

fn address_family(family: Family) -> AddressFamily {
    match family {
        Family::Ipv4 => AddressFamily::Inet,
        Family::Ipv6 => AddressFamily::Inet6,
    }
}

fn message(route: &Route) -> RouteMessage {
    let mut message = RouteMessage::default();
    message.header.address_family = address_family(route.destination.family());
    message.header.destination_prefix_length = route.destination.length();
    message.header.table = RouteHeader::RT_TABLE_MAIN;
    message.header.protocol = RouteProtocol::Static;
    message.header.scope = RouteScope::Universe;
    message.header.kind = RouteType::Unicast;
    message.attributes.push(RouteAttribute::Destination(RouteAddress::from(route.destination.address())));
    match route.via {
        Via::Gateway(address) => {
            message.attributes.push(RouteAttribute::Gateway(RouteAddress::from(address)))
        }
        Via::Link(link) => {
            message.header.scope = RouteScope::Link;
            message.attributes.push(RouteAttribute::Oif(link.0));
        }
        Via::Unreachable => message.header.kind = RouteType::Unreachable,
    }
    if let Some(metric) = route.metric {
        message.attributes.push(RouteAttribute::Priority(metric));
    }
    message
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Namespace, address, link};

    fn namespace() -> (Namespace, Netlink) {
        let namespace = Namespace::new().unwrap();
        let mut netlink = namespace.netlink().unwrap();
        link::set_up(&mut netlink, LinkIndex::LOOPBACK).unwrap();
        (namespace, netlink)
    }

    #[test]
    fn an_unreachable_aggregate_swallows_what_no_address_claims() {
        let (_namespace, mut netlink) = namespace();
        for (aggregate, service, unused) in [
            ("198.18.0.0/24", "198.18.0.53", "198.18.0.99"),
            ("2001:db8:53::/48", "2001:db8:53::53", "2001:db8:53::99"),
        ] {
            let service: IpAddr = service.parse().unwrap();
            address::add(&mut netlink, LinkIndex::LOOPBACK, service.into()).unwrap();
            let route =
                Route { destination: aggregate.parse().unwrap(), via: Via::Unreachable, metric: None };
            assert_eq!(add(&mut netlink, route).unwrap(), Outcome::Changed);
            assert_eq!(add(&mut netlink, route).unwrap(), Outcome::Already);
            assert_eq!(lookup(&mut netlink, service).unwrap(), Lookup::Local);
            assert_eq!(lookup(&mut netlink, unused.parse().unwrap()).unwrap(), Lookup::Unreachable);
            assert_eq!(delete(&mut netlink, route).unwrap(), Outcome::Changed);
            assert_eq!(delete(&mut netlink, route).unwrap(), Outcome::Already);
        }
    }

    #[test]
    fn a_blackhole_is_told_from_a_route_that_is_not_there() {
        let (namespace, mut netlink) = namespace();
        for (target, beside) in [("198.18.0.99", "198.18.0.98"), ("2001:db8:53::99", "2001:db8:53::98")] {
            let mut ip = std::process::Command::new("ip");
            ip.args(["route", "add", "blackhole", target]);
            assert!(namespace.run(|| ip.status()).unwrap().unwrap().success());
            assert_eq!(lookup(&mut netlink, target.parse().unwrap()).unwrap(), Lookup::Dropped);
            assert_eq!(lookup(&mut netlink, beside.parse().unwrap()).unwrap(), Lookup::Unreachable);
        }
    }

    #[test]
    fn a_lookup_names_the_gateway_and_the_interface() {
        let (left, mut netlink) = namespace();
        let (right, mut other) = namespace();
        let ends =
            [link::End { namespace: &left, name: "east" }, link::End { namespace: &right, name: "west" }];
        link::create_veth(&mut netlink, ends[0], ends[1]).unwrap();
        let east = link::index(&mut netlink, "east").unwrap();
        let west = link::index(&mut other, "west").unwrap();
        link::set_up(&mut netlink, east).unwrap();
        link::set_up(&mut other, west).unwrap();
        for (net, gateway, far) in
            [("10.0.0.0/31", "10.0.0.1", "192.0.2.1"), ("fd00::/127", "fd00::1", "2001:db8::1")]
        {
            address::add(&mut netlink, east, net.parse().unwrap()).unwrap();
            let (gateway, far): (IpAddr, IpAddr) = (gateway.parse().unwrap(), far.parse().unwrap());
            assert_eq!(lookup(&mut netlink, far).unwrap(), Lookup::Unreachable);
            let route = Route { destination: Prefix::host(far), via: Via::Gateway(gateway), metric: None };
            replace(&mut netlink, route).unwrap();
            let forward = Lookup::Forward { gateway: Some(gateway), link: east };
            assert_eq!(lookup(&mut netlink, far).unwrap(), forward);
            let on_link = Lookup::Forward { gateway: None, link: east };
            assert_eq!(lookup(&mut netlink, gateway).unwrap(), on_link);
            replace(&mut netlink, Route { via: Via::Link(east), ..route }).unwrap();
            assert_eq!(lookup(&mut netlink, far).unwrap(), on_link);
        }
    }
}

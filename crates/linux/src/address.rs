//! Addresses on interfaces.

use crate::error::Attempt;
use crate::link::LinkIndex;
use crate::netlink::answered;
use crate::{Netlink, Result};
use ipnet::IpNet;
use netlink_packet_core::{NLM_F_CREATE, NLM_F_EXCL};
use netlink_packet_route::address::{AddressAttribute, AddressHeaderFlags, AddressMessage};
use netlink_packet_route::{AddressFamily, RouteNetlinkMessage};
use nix::errno::Errno;
use std::net::IpAddr;

/// What a request to add or to remove found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The request changed something.
    Changed,
    /// It was so already.
    Already,
}

/// Puts an address on an interface. An IPv6 address is usable at once: duplicate address detection (RFC 4862) is
/// switched off for it, because an anycast address is a duplicate by design.
pub fn add(netlink: &mut Netlink, link: LinkIndex, address: IpNet) -> Result<Outcome> {
    let message = RouteNetlinkMessage::NewAddress(message(link, address));
    match netlink.change(message, NLM_F_CREATE | NLM_F_EXCL) {
        Err(error) if answered(&error, Errno::EEXIST) => Ok(Outcome::Already),
        result => {
            result.map(|()| Outcome::Changed).attempt(|| format!("add {address} to interface {}", link.0))
        }
    }
}

/// Takes an address off an interface.
pub fn remove(netlink: &mut Netlink, link: LinkIndex, address: IpNet) -> Result<Outcome> {
    match netlink.change(RouteNetlinkMessage::DelAddress(message(link, address)), 0) {
        Err(error) if answered(&error, Errno::EADDRNOTAVAIL) => Ok(Outcome::Already),
        result => result
            .map(|()| Outcome::Changed)
            .attempt(|| format!("remove {address} from interface {}", link.0)),
    }
}

/// The addresses on an interface, in the kernel's order.
pub fn list(netlink: &mut Netlink, link: LinkIndex) -> Result<Vec<IpNet>> {
    let answers = netlink
        .list(RouteNetlinkMessage::GetAddress(AddressMessage::default()))
        .attempt(|| format!("list the addresses of interface {}", link.0))?;
    Ok(answers.iter().filter_map(on_link).filter(|(found, _)| *found == link).map(|(_, net)| net).collect())
}

/// Whether an interface carries this very address, whatever the prefix length.
pub fn exists(netlink: &mut Netlink, link: LinkIndex, address: IpAddr) -> Result<bool> {
    Ok(list(netlink, link)?.iter().any(|net| net.addr() == address))
}

/// The interface and the address of a netlink message about an address.
pub(crate) fn on_link(message: &RouteNetlinkMessage) -> Option<(LinkIndex, IpNet)> {
    let (RouteNetlinkMessage::NewAddress(found) | RouteNetlinkMessage::DelAddress(found)) = message else {
        return None;
    };
    // On a point-to-point link ADDRESS is the far end, LOCAL ours; IPv6 without a far end has ADDRESS only.
    let local = found.attributes.iter().find_map(|attribute| match attribute {
        AddressAttribute::Local(address) => Some(*address),
        _ => None,
    });
    let address = found.attributes.iter().find_map(|attribute| match attribute {
        AddressAttribute::Address(address) => Some(*address),
        _ => None,
    });
    let net = IpNet::new(local.or(address)?, found.header.prefix_len).ok()?;
    Some((LinkIndex(found.header.index), net))
}

fn message(link: LinkIndex, address: IpNet) -> AddressMessage {
    let mut message = AddressMessage::default();
    message.header.index = link.0;
    message.header.prefix_len = address.prefix_len();
    message.header.family = match address {
        IpNet::V4(_) => AddressFamily::Inet,
        IpNet::V6(_) => AddressFamily::Inet6,
    };
    message.header.flags = AddressHeaderFlags::Nodad;
    message.attributes.push(AddressAttribute::Local(address.addr()));
    message.attributes.push(AddressAttribute::Address(address.addr()));
    message
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Namespace;
    use crate::link;

    #[test]
    fn an_address_comes_and_goes_and_doing_it_twice_is_no_error() {
        let namespace = Namespace::new().unwrap();
        let mut netlink = namespace.netlink().unwrap();
        let lo = LinkIndex::LOOPBACK;
        link::set_up(&mut netlink, lo).unwrap();
        for text in ["198.18.0.53/32", "2001:db8:53::53/128"] {
            let address: IpNet = text.parse().unwrap();
            assert!(!exists(&mut netlink, lo, address.addr()).unwrap());
            assert_eq!(add(&mut netlink, lo, address).unwrap(), Outcome::Changed);
            assert_eq!(add(&mut netlink, lo, address).unwrap(), Outcome::Already);
            assert!(list(&mut netlink, lo).unwrap().contains(&address));
            let bound = namespace.run(|| std::net::UdpSocket::bind((address.addr(), 53))).unwrap();
            bound.unwrap_or_else(|error| panic!("{text} is usable at once: {error}"));
            assert_eq!(remove(&mut netlink, lo, address).unwrap(), Outcome::Changed);
            assert_eq!(remove(&mut netlink, lo, address).unwrap(), Outcome::Already);
            assert!(!exists(&mut netlink, lo, address.addr()).unwrap());
        }
    }

    #[test]
    fn an_interface_that_is_not_there_is_an_error() {
        let namespace = Namespace::new().unwrap();
        let mut netlink = namespace.netlink().unwrap();
        let error = add(&mut netlink, LinkIndex(99), "192.0.2.1/32".parse().unwrap()).unwrap_err();
        assert!(error.to_string().starts_with("cannot add 192.0.2.1/32 to interface 99: "), "{error}");
    }
}

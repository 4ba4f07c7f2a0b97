//! Which address goes where; the table is in the module above.

use crate::world::{RouterRef, World};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use terms::{Family, Prefix};

/// An address of each family.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pair {
    /// IPv4.
    pub v4: Ipv4Addr,
    /// IPv6.
    pub v6: Ipv6Addr,
}

impl Pair {
    /// The address of a family.
    pub fn of(self, family: Family) -> IpAddr {
        match family {
            Family::Ipv4 => self.v4.into(),
            Family::Ipv6 => self.v6.into(),
        }
    }

    /// Both.
    pub fn both(self) -> [IpAddr; 2] {
        [self.v4.into(), self.v6.into()]
    }
}

/// 198.18.0.0/15 is set aside for tests of networks (RFC 2544), 2001:db8::/32 for documentation (RFC 3849).
pub(super) const SERVICE: Pair =
    Pair { v4: Ipv4Addr::new(198, 18, 0, 53), v6: Ipv6Addr::new(0x2001, 0xdb8, 0x53, 0, 0, 0, 0, 0x53) };

const ANNOUNCED_LENGTHS: [u8; 2] = [24, 48];

/// Cables that can begin at one router.
pub(crate) const MOST_CABLES: usize = 96;

/// The address of a service: each has a block of its own, the first one [`SERVICE`].
pub(super) fn service(number: usize) -> Pair {
    // The reader of the world file bounds the number of services.
    let number = u8::try_from(number).unwrap_or(u8::MAX);
    let ([a, b, c, d], mut v6) = (SERVICE.v4.octets(), SERVICE.v6.segments());
    v6[2] += u16::from(number);
    Pair { v4: Ipv4Addr::new(a, b, c.saturating_add(number), d), v6: Ipv6Addr::from(v6) }
}

pub(super) fn announced(service_number: usize) -> [Prefix; 2] {
    blocks(service(service_number), ANNOUNCED_LENGTHS)
}

/// The blocks of these lengths around an address.
fn blocks(pair: Pair, [length4, length6]: [u8; 2]) -> [Prefix; 2] {
    let block =
        |address: IpAddr, length| Prefix::containing(address, length).unwrap_or(Prefix::host(address));
    [block(pair.v4.into(), length4), block(pair.v6.into(), length6)]
}

/// `10.n.k.host` and `fd00:n:k:subnet::host6`.
fn address(router: RouterRef, host: usize, subnet: usize, host6: u16) -> Pair {
    let [network, place] = [router.network + 1, router.place];
    // The reader of the world file bounds the number of networks and of places.
    let byte = |number: usize| u8::try_from(number).unwrap_or(u8::MAX);
    let word = |number: usize| u16::try_from(number).unwrap_or(u16::MAX);
    Pair {
        v4: Ipv4Addr::new(10, byte(network), byte(place), byte(host)),
        v6: Ipv6Addr::new(0xfd00, word(network), word(place), word(subnet), 0, 0, 0, host6),
    }
}

pub(super) fn loopback(router: RouterRef) -> Pair {
    address(router, 1, 0, 1)
}

/// The edge router and one of the hosts of a site on their LAN.
pub(super) fn site_lan(router: RouterRef, host: u8) -> [Pair; 2] {
    let (first, subnet) = (8 * usize::from(host), 1 + usize::from(host));
    [address(router, first + 33, subnet, 1), address(router, first + 34, subnet, 2)]
}

/// The subnet of a LAN within the block of its router, and its first address of IPv4.
const LAN_SUBNET: usize = 0x10;
const LAN_FIRST: usize = 16;

pub(super) fn lan_router(router: RouterRef) -> Pair {
    address(router, LAN_FIRST + 1, LAN_SUBNET, 1)
}

/// A device on the LAN of a router.
pub(super) fn device(router: RouterRef, number: u8) -> Pair {
    address(router, LAN_FIRST + 2 + usize::from(number), LAN_SUBNET, 2 + u16::from(number))
}

/// The last address of the LAN (RFC 919).
pub(super) fn broadcast(router: RouterRef) -> Ipv4Addr {
    address(router, LAN_FIRST + 15, LAN_SUBNET, 1).v4
}

/// Exchanges belong to a network of their own, the last but one.
const EXCHANGES: usize = 253;

/// The route server of an exchange on its LAN.
pub(super) fn route_server(exchange: usize) -> Pair {
    address(RouterRef { network: EXCHANGES, place: exchange }, 1, 1, 1)
}

/// A member of an exchange on its LAN.
pub(super) fn member(exchange: usize, member: usize) -> Pair {
    let host6 = u16::try_from(member + 2).unwrap_or(u16::MAX);
    address(RouterRef { network: EXCHANGES, place: exchange }, member + 2, 1, host6)
}

/// The operator's own network counts as the last one: no network of a world file is as high.
const OPERATOR: usize = 254;

pub(super) fn core() -> Pair {
    loopback(RouterRef { network: OPERATOR, place: 255 })
}

/// The ends of the cable from the operator's own data centre to a host of a site.
pub(super) fn management(site: usize, host: u8) -> [Pair; 2] {
    site_lan(RouterRef { network: OPERATOR, place: site }, host)
}

/// A hostile router on the LAN of a site.
pub(super) fn hostile_neighbour(router: RouterRef) -> Pair {
    address(router, 35, 1, 3)
}

/// The two ends of a router's cable number `cable`.
pub(super) fn cable(router: RouterRef, cable: usize) -> [Pair; 2] {
    let end = |far: usize| address(router, 64 + 2 * cable + far, 0x100 + cable, far as u16);
    [end(0), end(1)]
}

pub(super) fn originated(world: &World, router: RouterRef) -> [Prefix; 2] {
    let lengths = if world.networks[router.network].islands { [24, 48] } else { [16, 32] };
    blocks(loopback(router), lengths)
}

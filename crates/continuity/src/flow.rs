//! A connection, as the packets of its client name it.

use std::fmt;
use std::net::{IpAddr, Ipv6Addr, SocketAddr};
use terms::Family;

/// The four values that name a connection. An IPv4 address is mapped into an IPv6 one (RFC 4291 section 2.5.5.2), so that
/// both families have one form.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Flow {
    /// The client's address.
    pub client: Ipv6Addr,
    /// The address of the service.
    pub service: Ipv6Addr,
    /// The client's port; 0 where the packet has none.
    pub client_port: u16,
    /// The port of the service; 0 where the packet has none.
    pub service_port: u16,
}

impl Flow {
    /// Octets of [`Flow::octets`].
    pub const LEN: usize = 36;

    /// The flow between two ends.
    pub fn new(client: SocketAddr, service: SocketAddr) -> Self {
        Flow {
            client: mapped(client.ip()),
            service: mapped(service.ip()),
            client_port: client.port(),
            service_port: service.port(),
        }
    }

    /// Both addresses, then both ports, in network order: what filters and tags hash, and the key of the tables.
    pub fn octets(&self) -> [u8; Self::LEN] {
        let mut octets = [0; Self::LEN];
        octets[..16].copy_from_slice(&self.client.octets());
        octets[16..32].copy_from_slice(&self.service.octets());
        octets[32..34].copy_from_slice(&self.client_port.to_be_bytes());
        octets[34..].copy_from_slice(&self.service_port.to_be_bytes());
        octets
    }

    /// The flow that [`Flow::octets`] gave.
    pub fn of_octets(octets: &[u8; Self::LEN]) -> Self {
        let [client @ .., _, _, _, _] = octets;
        let (client, service) = client.split_at(16);
        let address = |octets: &[u8]| {
            let mut address = [0; 16];
            address.copy_from_slice(octets);
            Ipv6Addr::from(address)
        };
        Flow {
            client: address(client),
            service: address(service),
            client_port: u16::from_be_bytes([octets[32], octets[33]]),
            service_port: u16::from_be_bytes([octets[34], octets[35]]),
        }
    }
}

impl fmt::Display for Flow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let client = SocketAddr::new(self.client.to_canonical(), self.client_port);
        let service = SocketAddr::new(self.service.to_canonical(), self.service_port);
        write!(f, "{client} -> {service}")
    }
}

/// The address in the form that both families share.
pub(crate) fn mapped(address: IpAddr) -> Ipv6Addr {
    match address {
        IpAddr::V4(address) => address.to_ipv6_mapped(),
        IpAddr::V6(address) => address,
    }
}

/// The first address of the prefix whose clients are thought to be routed alike: 24 bits of IPv4, 48 of IPv6, the longest
/// that networks accept from each other.
pub fn client_prefix(client: Ipv6Addr, family: Family) -> Ipv6Addr {
    let bits = match family {
        Family::Ipv4 => 96 + 24,
        Family::Ipv6 => 48,
    };
    Ipv6Addr::from_bits(client.to_bits() & (u128::MAX << (128 - bits)))
}

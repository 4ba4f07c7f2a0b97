//! What the options about keys have in common: whose key it is, and its octets.

use nix::libc;
use std::net::IpAddr;

/// `struct sockaddr_storage` with an address and no port, as the options about keys want it.
#[repr(C, align(8))]
#[derive(Clone, Copy)]
pub(super) struct Address {
    family: u16,
    rest: [u8; 126],
}

impl Address {
    /// Octets before the address: the port.
    const BEFORE_IPV4: usize = 2;
    /// Octets before the address: the port and the flow label.
    const BEFORE_IPV6: usize = 6;

    pub(super) fn of(address: IpAddr) -> Self {
        let mut rest = [0; 126];
        let family = match address {
            IpAddr::V4(address) => {
                rest[Self::BEFORE_IPV4..][..4].copy_from_slice(&address.octets());
                libc::AF_INET
            }
            IpAddr::V6(address) => {
                rest[Self::BEFORE_IPV6..][..16].copy_from_slice(&address.octets());
                libc::AF_INET6
            }
        };
        Address { family: family as u16, rest }
    }
}

/// The length of a prefix that is one address.
pub(super) fn whole(address: IpAddr) -> u8 {
    if address.is_ipv4() { 32 } else { 128 }
}

/// The octets of a key, as the options about keys want them: at the beginning of a field of fixed length.
pub(super) fn padded(octets: &[u8]) -> [u8; terms::SharedKey::MOST] {
    let mut field = [0; terms::SharedKey::MOST];
    field[..octets.len()].copy_from_slice(octets);
    field
}

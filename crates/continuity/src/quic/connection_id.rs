//! An id that a site gives to its client.

use std::fmt;

/// What makes an id another one than all others of its site under the same key: never the same twice, since the same id
/// would name two connections. A counter from a random beginning will do, and so will random octets: after 2^40 of them,
/// two are the same with a probability of 1 in 100,000.
pub type Nonce = [u8; 12];

/// An id that names its site: what a server gives to its client, in its handshake (RFC 9000 section 7.2) and later
/// (NEW_CONNECTION_ID, section 19.15).
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct ConnectionId([u8; Self::LEN]);

impl ConnectionId {
    /// Octets of each.
    pub const LEN: usize = 17;

    /// The first octet, and the block behind it.
    pub(super) fn new(first: u8, block: [u8; 16]) -> Self {
        let mut octets = [first; Self::LEN];
        octets[1..].copy_from_slice(&block);
        ConnectionId(octets)
    }

    /// Its octets, as packets carry them.
    pub fn octets(&self) -> &[u8; Self::LEN] {
        &self.0
    }
}

impl fmt::Display for ConnectionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|octet| write!(f, "{octet:02x}"))
    }
}

impl fmt::Debug for ConnectionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ConnectionId({self})")
    }
}

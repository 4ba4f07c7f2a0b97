//! The header of everything that is said about one neighbour (RFC 7854 section 4.2, RFC 8671 section 4).

use std::net::IpAddr;
use terms::{Asn, RouterId, WallTime};

/// Octets of the header.
pub(super) const PEER_HEADER: usize = 42;

/// A peer that is no member of a VPN.
const GLOBAL_INSTANCE: u8 = 0;
/// The address has 16 octets.
const V: u8 = 0x80;
/// After policy.
const L: u8 = 0x40;
/// AS_PATH has numbers of two octets.
const A: u8 = 0x20;
/// Told and not heard.
const O: u8 = 0x10;

/// A neighbour as the station tells it from others.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Peer {
    /// Its address.
    pub address: IpAddr,
    /// Its network.
    pub asn: Asn,
    /// Its BGP identifier.
    pub router_id: RouterId,
    /// Whether AS numbers in its UPDATEs have four octets (RFC 6793).
    pub four_octet_asn: bool,
}

/// Which routes of a session.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Rib {
    /// What the neighbour told, before any policy (Adj-RIB-In, pre-policy).
    In,
    /// What it was told, after every policy (Adj-RIB-Out, post-policy).
    Out,
}

impl Peer {
    /// The header. Without a RIB it is about the session as a whole: then neither L nor O is set (RFC 8671 section 6).
    pub(super) fn header(&self, rib: Option<Rib>, at: Option<WallTime>) -> [u8; PEER_HEADER] {
        let version = if self.address.is_ipv6() { V } else { 0 };
        let width = if self.four_octet_asn { 0 } else { A };
        let direction = match rib {
            None | Some(Rib::In) => 0,
            Some(Rib::Out) => L | O,
        };
        // RFC 7854 section 4.2: zero where the time is not known.
        let WallTime(millis) = at.unwrap_or_default();
        let seconds = u32::try_from(millis / 1000).unwrap_or(u32::MAX);
        let micros = u32::try_from(millis % 1000 * 1000).unwrap_or_default();
        let mut header = [0; PEER_HEADER];
        header[0] = GLOBAL_INSTANCE;
        header[1] = version | width | direction;
        // 8 octets of a distinguisher that a global instance has none of
        header[10..26].copy_from_slice(&sixteen(self.address));
        header[26..30].copy_from_slice(&self.asn.get().to_be_bytes());
        header[30..34].copy_from_slice(&self.router_id.get().to_be_bytes());
        header[34..38].copy_from_slice(&seconds.to_be_bytes());
        header[38..].copy_from_slice(&micros.to_be_bytes());
        header
    }
}

/// An address in 16 octets: the four of IPv4 at the end.
pub(super) fn sixteen(address: IpAddr) -> [u8; 16] {
    match address {
        IpAddr::V4(v4) => u128::from(u32::from(v4)).to_be_bytes(),
        IpAddr::V6(v6) => v6.octets(),
    }
}

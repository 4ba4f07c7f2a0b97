//! A resolver behind an anycast address: what Unbound or Knot Resolver is told, as text.
//!
//! Whoever resolves for others from an address that many hosts share gets a few things wrong in the same ways. The
//! profile has them right: replies leave from the address that was asked; questions of its own never do, since their
//! answers would come to another site; the sockets are open before the address is on the host; only whom the operator
//! names is served; every answer says which site gave it; and one name proves the resolver without anybody else.

mod knot;
mod unbound;

use std::net::IpAddr;
use terms::{Prefix, SiteName};

/// The name that every profile answers by itself, a TXT record with the name of the site: what a check of this site
/// alone asks for. Nobody can register it (RFC 6761 section 6.4).
pub const KNOWN_NAME: &str = "site.catchment.invalid.";

/// Octets of a UDP message, which fit into one packet everywhere (DNS flag day 2020).
const EDNS_SIZE: u16 = 1232;

/// The program that resolves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Software {
    /// Unbound of NLnet Labs, 1.17 and later.
    Unbound,
    /// Knot Resolver of CZ.NIC, version 5.
    KnotResolver,
}

impl Software {
    /// All of them, by the word that a site file has for it.
    pub const WORDS: [(&'static str, Software); 2] =
        [("unbound", Software::Unbound), ("knot-resolver", Software::KnotResolver)];
}

/// What is the operator's to say.
#[derive(Clone, Copy, Debug)]
pub struct Profile<'a> {
    /// Whose name is in NSID (RFC 5001) and in the answer to [`KNOWN_NAME`].
    pub site: &'a SiteName,
    /// Where it answers, port 53.
    pub addresses: &'a [IpAddr],
    /// Who may ask. Everybody else is refused.
    pub allow: &'a [Prefix],
    /// Where its own questions come from, one address of each family; the system chooses where none is given.
    pub outgoing: &'a [IpAddr],
}

impl Profile<'_> {
    /// The configuration: for Unbound a file of `/etc/unbound/unbound.conf.d`, beside those of its package, which have the
    /// trust anchor; for Knot Resolver all of `/etc/knot-resolver/kresd.conf`.
    pub fn configuration(&self, software: Software) -> String {
        match software {
            Software::Unbound => unbound::configuration(self),
            Software::KnotResolver => knot::configuration(self),
        }
    }

    /// Who is answered: whom the operator names, and the checks, which ask from the service address itself.
    fn clients(&self) -> impl Iterator<Item = String> {
        let checks = self.addresses.iter().map(IpAddr::to_string);
        checks.chain(self.allow.iter().map(Prefix::to_string))
    }
}

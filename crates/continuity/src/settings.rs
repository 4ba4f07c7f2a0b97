//! What a site is told: the whole of it, always. The daemon makes it from the site file and from what the fleet says.

use crate::flow::mapped;
use crate::{Filter, Key, KeyRing, Pace, SiteNumber, tunnel};
use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::num::NonZeroU16;
use std::sync::Arc;
use terms::Family;

/// All that a site is told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// This site's number.
    pub number: SiteNumber,
    /// What tags are made and checked with; the fleet shares it.
    pub keys: KeyRing,
    /// What filters hash with; the fleet shares it.
    pub filter_key: Key,
    /// What this site may cost the others.
    pub paces: Paces,
    /// Where the others' packets over IPv4 arrive, and where this site's come from.
    pub source4: Option<Ipv4Addr>,
    /// The same over IPv6.
    pub source6: Option<Ipv6Addr>,
    /// The UDP port at every site.
    pub port: NonZeroU16,
    /// Octets that the way between sites carries in one packet; [`Settings::LEAST_MTU`] or more.
    pub mtu: u16,
    /// The site that answers in the place of this one while it is held.
    pub relay: Option<SiteNumber>,
    /// Addresses whose connections are looked after. Each of their sockets must be in this host's own namespace.
    pub services: BTreeSet<IpAddr>,
    /// The other sites.
    pub sites: BTreeMap<SiteNumber, Site>,
}

/// How fast each budget may be spent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Paces {
    /// Flows that a filter claims. A flow that was forwarded once is learned and costs nothing more.
    pub claims: Pace,
    /// Packets that are sent to whoever may own them, which nobody claims.
    pub guesses: Pace,
    /// Packets of flows whose owner is dead, which this host resets.
    pub resets: Pace,
}

/// Another site.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Site {
    /// Where it takes packets, and where its own come from.
    pub address: IpAddr,
    /// Whether it is there.
    pub state: State,
    /// The flows that it says it owns. They stay when it dies: those are the ones to reset.
    pub filter: Option<Arc<Filter>>,
}

/// What the fleet says of a site.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// It forwards and takes what is forwarded.
    Alive,
    /// Its connections are lost.
    Dead,
}

impl Settings {
    /// A packet of 1280 octets must fit (RFC 8200 section 5), wrapped over IPv6.
    pub const LEAST_MTU: u16 = 1280 + tunnel::overhead(Family::Ipv6) as u16;

    /// Octets of the longest packet that fits into the tunnel to any site.
    pub fn longest(&self) -> u16 {
        let is_over6 = self.sites.values().any(|site| site.address.is_ipv6());
        let family = if is_over6 { Family::Ipv6 } else { Family::Ipv4 };
        self.mtu.max(Self::LEAST_MTU) - tunnel::overhead(family) as u16
    }

    /// This site's own address in a family.
    pub(crate) fn source(&self, family: Family) -> Option<Ipv6Addr> {
        match family {
            Family::Ipv4 => self.source4.map(|address| address.to_ipv6_mapped()),
            Family::Ipv6 => self.source6,
        }
    }

    /// Whether connections of the address are looked after.
    pub(crate) fn has_service(&self, address: Ipv6Addr) -> bool {
        // An IPv6 address may be one of IPv4 that is mapped, or not.
        self.services.contains(&address.to_canonical()) || self.services.contains(&IpAddr::V6(address))
    }

    /// The site with an address.
    pub(crate) fn peer(&self, address: Ipv6Addr) -> Option<SiteNumber> {
        self.sites.iter().find(|(_, site)| mapped(site.address) == address).map(|(number, _)| *number)
    }
}

//! `[[peer]]`: a BGP neighbour.

mod address;
mod agreement;
mod bfd;
mod blackhole;
mod graceful_restart;
mod keep_received;
mod limits;
mod transport;

pub use address::{InterfaceName, PeerAddress, PeerAddressError};
pub use bfd::Bfd;
pub use blackhole::Blackhole;
pub use transport::{AoAlgorithm, AoKey, Signature, Transport};

use crate::policy::{self, Policy};
use crate::site::Site;
use crate::unique::Unique;
use bgp::session::{HoldTime, KeepReceived, PeerKind, Settings};
use document::{Spanned, Table, Value};
use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::Path;
use terms::{Asn, Family, PeerName};

/// The port of BGP (RFC 4271 section 8.2.1).
const PORT: u16 = 179;
/// Hold time towards a transit provider, who has thousands of sessions; others get [`HoldTime::DEFAULT`].
const TRANSIT_HOLD_SECONDS: u16 = 30;

/// A BGP neighbour.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Peer {
    /// What the operator calls it.
    pub name: PeerName,
    /// What it is to us.
    pub relation: Relation,
    /// Where to call it. A call from this address is taken, whatever its port.
    pub address: SocketAddr,
    /// The interface behind which it is, where the address is link-local.
    pub interface: Option<InterfaceName>,
    /// How connections with it are made and guarded.
    pub transport: Transport,
    /// The next hop to tell it in each family that the session carries.
    pub next_hops: BTreeMap<Family, NextHop>,
    /// The session with it.
    pub session: Settings,
    /// How the path to it is watched; none if it is not.
    pub bfd: Option<Bfd>,
    /// What it is told about routes, at each level.
    pub policy: Policy,
    /// What is kept of the routes that it tells; nothing unless the operator wants it.
    pub keep_received: Option<KeepReceived>,
}

impl Peer {
    /// Where it is: what tells its calls from those of others.
    pub fn whereabouts(&self) -> PeerAddress {
        PeerAddress { ip: self.address.ip(), interface: self.interface.clone() }
    }
}

/// What a neighbour is to us: chooses defaults of timers and damping.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Relation {
    /// It sells us the Internet.
    Transit,
    /// It exchanges its customers' routes with us.
    Peer,
    /// It is in our own network.
    Internal,
}

/// Where packets for an announced prefix are to be sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NextHop {
    /// To our own address of the TCP connection.
    SessionAddress,
    /// To this address.
    Address(IpAddr),
}

const RELATIONS: [(&str, Relation); 3] =
    [("transit", Relation::Transit), ("peer", Relation::Peer), ("internal", Relation::Internal)];

/// Every neighbour with the place of its table; none if one is faulty or the site is not known.
pub(crate) fn read_all(value: &Value, site: Option<&Site>, directory: &Path) -> Option<Vec<Spanned<Peer>>> {
    let mut names = Unique::new("peer name");
    let mut addresses = Unique::new("peer address");
    value.each(|table| read(table, site, directory, &mut names, &mut addresses))
}

fn read(
    table: &Table,
    site: Option<&Site>,
    directory: &Path,
    names: &mut Unique<PeerName>,
    addresses: &mut Unique<PeerAddress>,
) -> Option<Spanned<Peer>> {
    let document = table.document();
    let name = table.required("name").parse();
    let address = table.required("address").parse::<PeerAddress>();
    let transport = transport::read(table, address.as_ref(), directory);
    let port = table.optional("port").number_in(1..=u16::MAX);
    let asn = table.required("asn").number::<Asn>();
    let kind = table.optional("kind").one_of(&RELATIONS);
    let relation = relation(table, site, asn.as_ref(), kind);
    let hold_time = hold_time(&table.optional("hold_time"), relation);
    let passive = table.optional("passive").flag();
    let bfd = bfd::read(&table.optional("bfd"));
    let extended_next_hop = table.optional("extended_next_hop").flag().is_some_and(|flag| flag.value);
    let next_hops = next_hops(table, address.as_ref().map(|address| address.ip), extended_next_hop);
    let session_kind = site.zip(asn.as_ref()).map(|(site, asn)| PeerKind::between(site.asn, asn.value));
    let agreement = agreement::read(table, session_kind, relation);
    let max_announced = limits::max_announced(table);
    let families: Option<BTreeSet<Family>> = next_hops.as_ref().map(|hops| hops.keys().copied().collect());
    let carried = families.unwrap_or_else(|| Family::ALL.into());
    let max_prefixes = limits::max_prefixes(table, &carried);
    let blackhole = blackhole::read(&table.optional("blackhole"), session_kind, &carried);
    let policy = policy::read(table, session_kind).map(|policy| Policy { blackhole, ..policy });
    let graceful = graceful_restart::read(&table.optional("graceful_restart"));
    let keep_received = keep_received::read(&table.optional("keep_received"));
    name.iter().for_each(|name| names.see(document, name));
    address.iter().for_each(|address| addresses.see(document, address));
    let (site, asn, next_hops) = (site?, asn?, next_hops?);
    let session = Settings {
        families: next_hops.keys().copied().collect(),
        hold_time: hold_time?,
        passive: passive.is_some_and(|flag| flag.value),
        max_prefixes,
        max_announced,
        role: agreement.role,
        role_strict: agreement.role_strict,
        add_path: agreement.add_path,
        extended_next_hop,
        graceful,
        ..Settings::new(site.asn, asn.value, site.router_id)
    };
    let PeerAddress { ip, interface } = address?.value;
    let address = SocketAddr::new(ip, port.map_or(PORT, |port| port.value));
    let (name, policy) = (name?.value, policy?);
    policy::warn_of_weakness(document, &name, &policy, table.span());
    let (relation, transport, bfd) = (relation?, transport?, bfd?);
    let peer = Peer {
        name,
        relation,
        address,
        interface,
        transport,
        next_hops,
        session,
        bfd,
        policy,
        keep_received,
    };
    Some(Spanned { value: peer, span: table.span() })
}

/// What the file says; where it says nothing, what the AS numbers say.
fn relation(
    table: &Table,
    site: Option<&Site>,
    asn: Option<&Spanned<Asn>>,
    kind: Option<Spanned<Relation>>,
) -> Option<Relation> {
    let (Some(site), Some(asn)) = (site, asn) else { return kind.map(|kind| kind.value) };
    let same_network = site.asn == asn.value;
    let Some(kind) = kind else {
        return Some(if same_network { Relation::Internal } else { Relation::Peer });
    };
    let is_internal = kind.value == Relation::Internal;
    if is_internal != same_network {
        let (message, hint) = if is_internal {
            ("an internal peer has the AS number of the site", "write kind = \"transit\" or kind = \"peer\"")
        } else {
            (
                "a peer with the AS number of the site is internal",
                "write kind = \"internal\" or another `asn`",
            )
        };
        table.document().fault_with_hint(kind.span, message, format!("{hint}; the site is AS {}", site.asn));
    }
    Some(kind.value)
}

fn hold_time(value: &Value, relation: Option<Relation>) -> Option<HoldTime> {
    if !value.is_given() {
        let transit = HoldTime::try_from(TRANSIT_HOLD_SECONDS).ok();
        return if relation == Some(Relation::Transit) { transit } else { Some(HoldTime::DEFAULT) };
    }
    let written = value.duration()?;
    let seconds = u16::try_from(written.as_secs()).ok().filter(|_| written.subsec_nanos() == 0);
    let Some(seconds) = seconds else {
        let message = "a hold time is a number of whole seconds, at most 65535s";
        value.document().fault(written.span, message);
        return None;
    };
    match HoldTime::try_from(seconds) {
        Ok(hold_time) => Some(hold_time),
        Err(error) => {
            value.document().fault_with_hint(
                written.span,
                error.to_string(),
                "the default is 9s, transit 30s",
            );
            None
        }
    }
}

/// The families that the session carries, each with its next hop. Where the file names no families, they are the one
/// of the neighbour's address and those that have a next hop. An extended next hop of IPv4 is an IPv6 address (RFC 8950).
fn next_hops(table: &Table, address: Option<IpAddr>, extended: bool) -> Option<BTreeMap<Family, NextHop>> {
    let families = table.optional("families");
    let listed = families.parse_list::<Family>();
    let next_hop4 = table.optional("next_hop4");
    let next_hop6 = table.optional("next_hop6");
    let given = BTreeMap::from([
        (
            Family::Ipv4,
            match extended {
                true => next_hop4.parse::<IpAddr>().map(|hop| hop.value),
                false => next_hop4.parse::<Ipv4Addr>().map(|hop| hop.value.into()),
            },
        ),
        (Family::Ipv6, next_hop6.parse::<Ipv6Addr>().map(|hop| hop.value.into())),
    ]);
    let mut once = Unique::new("family");
    listed.iter().for_each(|family| once.see(table.document(), family));
    if families.is_empty_list() {
        table.document().fault_with_hint(families.span(), "no family is left", "leave `families` out");
        return None;
    }
    let session_family = Family::of(address?);
    let has_own = |family: Family| family == session_family || (extended && family == Family::Ipv4);
    let wanted: BTreeSet<Family> = if families.is_given() {
        listed.iter().map(|family| family.value).collect()
    } else {
        Family::ALL.into_iter().filter(|&family| has_own(family) || given[&family].is_some()).collect()
    };
    let hop = |family: Family| match given[&family] {
        Some(address) => Some((family, NextHop::Address(address))),
        None if has_own(family) => Some((family, NextHop::SessionAddress)),
        None => {
            let key = if family == Family::Ipv4 { "next_hop4" } else { "next_hop6" };
            let message =
                format!("the session runs over {session_family}, so {family} routes need a next hop");
            let hint = format!("add `{key}`: this site's own {family} address towards the peer");
            table.document().fault_with_hint(families.span(), message, hint);
            None
        }
    };
    wanted.into_iter().map(hop).collect()
}

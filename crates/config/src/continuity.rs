//! `[continuity]`: connections that routing moves to another site in mid-connection, and how that one reaches this host.

use crate::peer::InterfaceName;
use crate::service::Written;
use crate::socket_path;
use crate::unique::Unique;
use continuity::{Filter, Settings, SiteNumber};
use document::{Document, Spanned, Table, Value};
use std::collections::BTreeSet;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::num::{NonZeroU16, NonZeroU32};
use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};
use terms::Family;

/// How connections are looked after that routing moves to another site.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Continuity {
    /// This host's number: no two hosts of the fleet have the same.
    pub number: SiteNumber,
    /// Where the packets of users arrive.
    pub interfaces: Vec<InterfaceName>,
    /// Where the other sites send this host's packets over IPv4, and where its own come from.
    pub source4: Option<Ipv4Addr>,
    /// The same over IPv6.
    pub source6: Option<Ipv6Addr>,
    /// The UDP port at every site.
    pub port: NonZeroU16,
    /// Octets that the way between sites carries in one packet.
    pub mtu: u16,
    /// Packets a second that this host may send to others for flows that were not found before.
    pub budget: NonZeroU32,
    /// Connections of each site that the tables have room for.
    pub connections: u32,
    /// Where tables and programs are pinned: in a file system for BPF.
    pub pins: PathBuf,
    /// Where services of other processes take part in a drain; none: nowhere.
    pub services: Option<Services>,
}

/// Where services that are processes of their own let their connections go to other sites, and take those of others.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Services {
    /// The Unix socket at which the daemon listens.
    pub socket: PathBuf,
    /// The users whose processes may join, by name or number, beside root and the daemon's own user.
    pub users: BTreeSet<String>,
}

impl Continuity {
    /// No port is registered for this; the same at every site.
    pub const PORT: NonZeroU16 = match NonZeroU16::new(9057) {
        Some(port) => port,
        None => NonZeroU16::MIN,
    };
    /// What Ethernet carries.
    pub const MTU: u16 = 1500;
    /// Two thousand connections that move at once are all found at once.
    pub const BUDGET: NonZeroU32 = match NonZeroU32::new(1000) {
        Some(budget) => budget,
        None => NonZeroU32::MIN,
    };
    /// Takes 9.5 MB of the kernel's memory.
    pub const CONNECTIONS: u32 = 100_000;
    /// Users whose services may join.
    const MOST_USERS: usize = 64;
    /// Where systemd mounts it.
    pub const PINS: &str = "/sys/fs/bpf/catchment";
    const MTUS: RangeInclusive<u16> = Settings::LEAST_MTU..=u16::MAX;
    const BUDGETS: RangeInclusive<u32> = 1..=1_000_000;
    /// The filter of more does not fit into one value of the store.
    const ROOM: RangeInclusive<u32> = 1000..=500_000;
}

// What the largest room needs is what a filter may have.
const _: () = assert!(*Continuity::ROOM.end() as usize * Filter::BITS_PER_FLOW / 256 < Filter::MOST_BLOCKS);

/// The section; the inner `None` says that there is none.
pub(crate) fn read(
    value: &Value,
    fleet: &Value,
    services: &[Written],
    directory: &Path,
) -> Option<Option<Continuity>> {
    match value.table() {
        Some(table) => section(&table, fleet, services, directory).map(Some),
        None if value.is_given() => None,
        None => Some(None),
    }
}

fn section(table: &Table, fleet: &Value, services: &[Written], directory: &Path) -> Option<Continuity> {
    let document = table.document();
    let number = table.required("number").number_in(0..=SiteNumber::COUNT as u8 - 1);
    let interfaces = interfaces(&table.required("interfaces"));
    let addresses = addresses(&table.required("addresses"), services);
    let port = or(&table.optional("port"), Continuity::PORT, |value| {
        value.number_in(1..=u16::MAX).and_then(|port| NonZeroU16::new(port.value))
    });
    let mtu = or(&table.optional("mtu"), Continuity::MTU, |value| {
        value.number_in(Continuity::MTUS).map(|mtu| mtu.value)
    });
    let budget = or(&table.optional("budget"), Continuity::BUDGET, |value| {
        value.number_in(Continuity::BUDGETS).and_then(|budget| NonZeroU32::new(budget.value))
    });
    let connections = or(&table.optional("connections"), Continuity::CONNECTIONS, |value| {
        value.number_in(Continuity::ROOM).map(|room| room.value)
    });
    let pins = or(&table.optional("pins"), PathBuf::from(Continuity::PINS), absolute);
    let cooperating = cooperating(&table.optional("services"), directory);
    if !fleet.is_given() {
        let hint = "sites tell each other of their connections through the store of a fleet: add [fleet]";
        document.fault_with_hint(table.span(), "[continuity] needs a fleet", hint);
    }
    let (source4, source6) = addresses?;
    Some(Continuity {
        number: SiteNumber::try_from(number?.value).ok()?,
        interfaces: interfaces?,
        source4,
        source6,
        port: port?,
        mtu: mtu?,
        budget: budget?,
        connections: connections?,
        pins: pins?,
        services: cooperating?,
    })
}

/// Where services join; the inner `None`: nowhere.
fn cooperating(value: &Value, directory: &Path) -> Option<Option<Services>> {
    if !value.is_given() {
        return Some(None);
    }
    let table = value.table()?;
    let socket = socket_path::read(&table.required("socket"), directory);
    let value = table.optional("users");
    let users = value.parse_list::<String>();
    if users.len() > Continuity::MOST_USERS {
        let message = format!("at most {} users may be named", Continuity::MOST_USERS);
        table.document().fault(value.span(), message);
    }
    for user in &users {
        if user.value.is_empty() || user.value.contains(|character: char| character.is_whitespace()) {
            let hint = "write a name of /etc/passwd, or a number";
            table.document().fault_with_hint(user.span.clone(), "this is no user", hint);
        }
    }
    Some(Some(Services { socket: socket?, users: users.into_iter().map(|user| user.value).collect() }))
}

/// What is written, or `otherwise` where nothing is.
fn or<T>(value: &Value, otherwise: T, read: impl FnOnce(&Value) -> Option<T>) -> Option<T> {
    if value.is_given() { read(value) } else { Some(otherwise) }
}

fn interfaces(value: &Value) -> Option<Vec<InterfaceName>> {
    let document = value.document();
    if value.is_empty_list() {
        document.fault(value.span(), "name at least one interface on which users' packets arrive");
    }
    let names = value.parse_list::<InterfaceName>();
    let mut once = Unique::new("interface");
    names.iter().for_each(|name| once.see(document, name));
    let is_whole = !names.is_empty() && names.len() == value.list().len();
    is_whole.then(|| names.into_iter().map(|name| name.value).collect())
}

/// One address of a family, or one of each.
fn addresses(value: &Value, services: &[Written]) -> Option<(Option<Ipv4Addr>, Option<Ipv6Addr>)> {
    let document = value.document();
    if value.is_empty_list() {
        document.fault(value.span(), "the other sites need an address of this host");
    }
    let written = value.parse_list::<IpAddr>();
    let mut found = (None, None);
    let mut is_good = !written.is_empty() && written.len() == value.list().len();
    for address in written {
        let is_second = match address.value {
            IpAddr::V4(v4) => found.0.replace(v4).is_some(),
            IpAddr::V6(v6) => found.1.replace(v6).is_some(),
        };
        if is_second {
            let family = Family::of(address.value);
            document
                .fault(address.span.clone(), format!("one address of {family} is enough, this is another"));
        }
        is_good &= !is_second && is_reachable(document, &address, services);
    }
    is_good.then_some(found)
}

fn is_reachable(document: &Document, address: &Spanned<IpAddr>, services: &[Written]) -> bool {
    let is_link_local = match address.value {
        IpAddr::V4(v4) => v4.is_link_local(),
        IpAddr::V6(v6) => v6.is_unicast_link_local(),
    };
    let ip = address.value;
    let is_anycast = services.iter().any(|written| written.service.addresses.contains(&ip));
    let is_good =
        !(is_anycast || is_link_local || ip.is_unspecified() || ip.is_multicast() || ip.is_loopback());
    if !is_good {
        let hint = "write this host's own address, not that of a service";
        document.fault_with_hint(address.span.clone(), format!("no other site reaches {ip}"), hint);
    }
    is_good
}

fn absolute(value: &Value) -> Option<PathBuf> {
    let path = value.path()?;
    if !path.value.is_absolute() {
        value.document().fault(path.span, "`pins` is an absolute path in a file system for BPF");
        return None;
    }
    Some(path.value)
}

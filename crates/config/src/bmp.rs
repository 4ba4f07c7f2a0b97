//! `[[bmp]]`: a monitoring station that is told what happens in the sessions (RFC 7854).

use crate::octets::Octets;
use crate::unique::Unique;
use document::{Document, Spanned, Table, Value};
use std::net::{IpAddr, SocketAddr};
use std::ops::RangeInclusive;
use std::time::Duration;
use terms::{CollectorName, Family};

/// A monitoring station, which operators call a collector.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Collector {
    /// What the operator calls it.
    pub name: CollectorName,
    /// Where to call it.
    pub address: SocketAddr,
    /// Our own address to call from; what the routes say where there is none.
    pub source: Option<IpAddr>,
    /// How often it is told figures about each session; never where there is none.
    pub statistics: Option<Duration>,
    /// Whether it is told what the peers tell, beside what they are told.
    pub received: bool,
    /// Octets that may wait for it.
    pub max_memory: usize,
}

const STATISTICS: Duration = Duration::from_secs(60);
const INTERVALS: RangeInclusive<Duration> = Duration::from_secs(1)..=Duration::from_secs(24 * 3600);
/// Room for a few hundred thousand routes on their way.
const MAX_MEMORY: usize = 64 << 20;

/// Every collector; none at all if one is faulty.
pub(crate) fn read_all(value: &Value) -> Option<Vec<Collector>> {
    let mut names = Unique::new("collector name");
    value.each(|table| read(table, &mut names))
}

fn read(table: &Table, names: &mut Unique<CollectorName>) -> Option<Collector> {
    let document = table.document();
    let name = table.required("name").parse();
    let address = table.required("address").parse::<IpAddr>();
    // There is no port that all agree on.
    let port = table.required("port").number_in(1..=u16::MAX);
    let source = table.optional("source");
    let from = source.parse::<IpAddr>();
    let statistics = statistics(&table.optional("statistics"));
    let received = table.optional("received").flag();
    let max_memory = table.optional("max_memory").parse::<Octets>();
    name.iter().for_each(|name| names.see(document, name));
    let address = reachable(document, address?)?;
    if let Some(from) = &from
        && Family::of(from.value) != Family::of(address)
    {
        document.fault(from.span.clone(), format!("nobody can call {address} from {}", from.value));
        return None;
    }
    if source.is_given() && from.is_none() {
        return None;
    }
    Some(Collector {
        name: name?.value,
        address: SocketAddr::new(address, port?.value),
        source: from.map(|from| from.value),
        statistics: statistics?,
        received: received.is_some_and(|flag| flag.value),
        max_memory: max_memory.map_or(MAX_MEMORY, |octets| octets.value.0),
    })
}

fn reachable(document: &Document, address: Spanned<IpAddr>) -> Option<IpAddr> {
    let is_link_local = match address.value {
        IpAddr::V4(v4) => v4.is_link_local(),
        IpAddr::V6(v6) => v6.is_unicast_link_local(),
    };
    if is_link_local || address.value.is_unspecified() || address.value.is_multicast() {
        let message = format!("no collector can be called at {}", address.value);
        document.fault_with_hint(address.span, message, "write its global address");
        return None;
    }
    Some(address.value)
}

/// `"0s"` is never.
fn statistics(value: &Value) -> Option<Option<Duration>> {
    if !value.is_given() {
        return Some(Some(STATISTICS));
    }
    let written = value.duration()?;
    if written.value.is_zero() {
        return Some(None);
    }
    if !INTERVALS.contains(&written.value) {
        let message = "figures are told every 1s to 24h";
        value.document().fault_with_hint(written.span, message, "\"0s\" tells none");
        return None;
    }
    Some(Some(written.value))
}

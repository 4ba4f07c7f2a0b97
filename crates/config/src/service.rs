//! `[[service]]`: what answers on which addresses.

use crate::built_in_dns::{self, BuiltInDns};
use crate::check::{self, Check, Kind};
use crate::resolver::{self, Resolver};
use crate::unique::Unique;
use announce::Scope;
use document::{Document, Spanned, Table, Value};
use std::net::IpAddr;
use std::path::Path;
use std::time::Duration;
use terms::{Prefix, ServiceName};

/// A service and its anycast addresses.
#[derive(Clone, Debug)]
pub struct Service {
    /// What the operator calls it.
    pub name: ServiceName,
    /// Where it answers; each is put on the loopback interface, and lies in one of `announce`.
    pub addresses: Vec<IpAddr>,
    /// What peers are told while it is healthy.
    pub announce: Vec<Prefix>,
    /// Less-specific prefixes that peers are told whatever the checks say, so that users whose network lost the
    /// others still have a way.
    pub cover: Vec<Prefix>,
    /// The built-in DNS service; none where the operator brings one.
    pub dns: Option<BuiltInDns>,
    /// The resolver that is brought along; none where the service is another one.
    pub resolver: Option<Resolver>,
    /// Answers per second that the built-in DNS service is good for here; none where nobody said.
    pub capacity: Option<u64>,
}

impl Service {
    /// Where the built-in DNS service answers.
    pub fn dns_addresses(&self) -> Vec<IpAddr> {
        let listen = self.dns.iter().flat_map(|dns| &dns.listen);
        let beside = listen.filter(|address| !self.addresses.contains(address));
        self.addresses.iter().chain(beside).copied().collect()
    }
}

/// A service, its checks, and where the file says what.
#[derive(Clone, Debug)]
pub(crate) struct Written {
    pub(crate) service: Service,
    pub(crate) checks: Vec<Check>,
    pub(crate) announce: Vec<Spanned<Prefix>>,
    pub(crate) cover: Vec<Spanned<Prefix>>,
    pub(crate) addresses: Vec<Spanned<IpAddr>>,
}

/// Every service of the file; `hang_after` is that of its checks, unless they say otherwise.
pub(crate) fn read_all(value: &Value, directory: &Path, hang_after: Duration) -> Option<Vec<Written>> {
    let mut names = Unique::new("service name");
    value.each(|table| read(table, directory, hang_after, &mut names))
}

fn read(
    table: &Table,
    directory: &Path,
    hang_after: Duration,
    names: &mut Unique<ServiceName>,
) -> Option<Written> {
    let document = table.document();
    let name = table.required("name").parse();
    let addresses = addresses(table);
    let announce = prefixes(table);
    let cover = cover(table, announce.as_deref().unwrap_or_default());
    let checks = checks(table, directory, hang_after);
    let capacity = table.optional("capacity");
    let most = capacity.number_in(1..=u64::MAX);
    let dns = table.optional("dns");
    let built_in = dns.table().and_then(|dns| built_in_dns::read(&dns, directory));
    name.iter().for_each(|name| names.see(document, name));
    if let (Some(addresses), Some(announce)) = (&addresses, &announce) {
        refuse_outside(document, addresses, announce);
    }
    if let (Some(built_in), Some(checks)) = (&built_in, &checks) {
        built_in_dns::refuse_foreign_checks(document, built_in, checks);
    }
    let resolving = table.optional("resolver");
    let known = addresses.as_deref().unwrap_or_default();
    let resolver = resolving.table().and_then(|table| resolver::read(&table, known));
    if dns.is_given() && resolving.is_given() {
        let hint = "each has addresses of its own: write a [[service]] for it";
        document.fault_with_hint(resolving.key_span(), "the built-in DNS service answers here already", hint);
    }
    if let Some(checks) = checks.as_ref().filter(|_| resolver.is_some()) {
        resolver::refuse_without_check(document, &resolving, checks);
    }
    if dns.is_given() && built_in.is_none() || resolving.is_given() && resolver.is_none() {
        return None;
    }
    if built_in.is_none() {
        built_in_dns::refuse_what_needs_it(document, &capacity, checks.as_deref().unwrap_or_default());
    }
    let (addresses, announce, mut checks) = (addresses?, announce?, checks?);
    if built_in.is_some() && !checks.iter().any(|check| matches!(check.kind.value, Kind::Zones(_))) {
        checks.push(Check::of_zones(dns.span()));
    }
    let service = Service {
        name: name?.value,
        addresses: addresses.iter().map(|address| address.value).collect(),
        announce: announce.iter().map(|prefix| prefix.value).collect(),
        cover: cover.iter().map(|prefix| prefix.value).collect(),
        dns: built_in,
        resolver,
        capacity: most.map(|most| most.value),
    };
    Some(Written { service, checks, announce, cover, addresses })
}

/// Every address; none where one is faulty.
fn addresses(table: &Table) -> Option<Vec<Spanned<IpAddr>>> {
    let document = table.document();
    let value = table.required("addresses");
    let addresses = value.parse_list::<IpAddr>();
    let mut once = Unique::new("address");
    addresses.iter().for_each(|address| once.see(document, address));
    for address in addresses.iter().filter(|address| !can_be_anycast(address.value)) {
        document.fault(address.span.clone(), format!("{} cannot be an anycast address", address.value));
    }
    complete(&value, addresses, "a service needs at least one address")
}

/// Every prefix; none where one is faulty.
fn prefixes(table: &Table) -> Option<Vec<Spanned<Prefix>>> {
    let document = table.document();
    let value = table.required("announce");
    let mut prefixes = value.parse_list::<Prefix>();
    let mut once = Unique::new("prefix");
    prefixes.iter().for_each(|prefix| once.see(document, prefix));
    prefixes.retain(|prefix| can_be_announced(document, prefix));
    complete(&value, prefixes, "a service needs at least one prefix to announce")
}

/// The items, if they are all that the file lists and at least one.
fn complete<T>(value: &Value, items: Vec<Spanned<T>>, needed: &str) -> Option<Vec<Spanned<T>>> {
    if value.is_empty_list() {
        value.document().fault(value.span(), needed);
    }
    (!items.is_empty() && items.len() == value.list().len()).then_some(items)
}

fn refuse_outside(document: &Document, addresses: &[Spanned<IpAddr>], announce: &[Spanned<Prefix>]) {
    for address in addresses {
        if !announce.iter().any(|prefix| prefix.contains(address.value)) {
            let message = format!("{} lies in no announced prefix", address.value);
            let hint = "nobody could reach it: add its prefix to `announce` or correct the address";
            document.fault_with_hint(address.span.clone(), message, hint);
        }
    }
}

fn can_be_announced(document: &Document, prefix: &Spanned<Prefix>) -> bool {
    let message = if prefix.length() == 0 {
        "a default route would draw the whole Internet to this site".to_owned()
    } else if !can_be_anycast(prefix.address()) {
        format!("{} cannot be announced", prefix.value)
    } else {
        return true;
    };
    document.fault(prefix.span.clone(), message);
    false
}

/// Whether users elsewhere could send packets to this address.
fn can_be_anycast(address: IpAddr) -> bool {
    let is_link_local = match address {
        IpAddr::V4(v4) => v4.is_link_local() || v4.is_broadcast(),
        IpAddr::V6(v6) => v6.is_unicast_link_local(),
    };
    !(address.is_unspecified() || address.is_loopback() || address.is_multicast() || is_link_local)
}

/// The covering prefixes. One that covers nothing of this service would draw users to it for nothing.
fn cover(table: &Table, announce: &[Spanned<Prefix>]) -> Vec<Spanned<Prefix>> {
    let document = table.document();
    let cover = table.optional("cover").parse_list::<Prefix>();
    let mut once = Unique::new("prefix");
    for prefix in &cover {
        once.see(document, prefix);
        if !can_be_announced(document, prefix) {
            continue;
        }
        let span = prefix.span.clone();
        if announce.iter().any(|announced| announced.value == prefix.value) {
            let message = format!("{} is announced only while the service is healthy", prefix.value);
            let hint = "a covering prefix is a shorter one than those of `announce`";
            document.fault_with_hint(span, message, hint);
        } else if !announce.iter().any(|announced| prefix.covers(announced.value)) {
            let message = format!("{} covers nothing that this service announces", prefix.value);
            document.fault_with_hint(span, message, "a covering prefix contains a prefix of `announce`");
        }
    }
    cover
}

fn checks(table: &Table, directory: &Path, hang_after: Duration) -> Option<Vec<Check>> {
    let value: Value = table.optional("check");
    if !value.is_given() && table.document().syntax_is_good() {
        let hint = "add [[service.check]] with dns = { name = \"example.\", type = \"SOA\" }";
        let message = "a service without a check would be announced whether it answers or not";
        table.document().fault_with_hint(table.span(), message, hint);
        return None;
    }
    let mut once = Unique::new("check");
    let document = table.document();
    let checks = value.each(|table| {
        let check = check::read(table, directory, hang_after)?;
        once.see(document, &Spanned { value: check.name(), span: table.span() });
        Some(check)
    })?;
    if checks.iter().all(|check| check.scope == Scope::Dependency) {
        let hint = "add a [[service.check]] of something that belongs to this site alone";
        let message = "no check is local, so nothing would be withdrawn whether the service answers or not";
        document.fault_with_hint(value.key_span(), message, hint);
    }
    Some(checks)
}

//! `[[service]]`: what answers on which addresses.

use crate::check::{self, Check};
use crate::planned;
use crate::unique::Unique;
use document::{Spanned, Table, Value};
use std::net::IpAddr;
use std::path::{Path, PathBuf};
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
    /// The built-in DNS service; none where the operator brings one.
    pub dns: Option<BuiltInDns>,
}

/// The built-in authoritative DNS service.
#[derive(Clone, Debug)]
pub struct BuiltInDns {
    /// The zone files, in the order of the site file.
    pub files: Vec<PathBuf>,
}

/// A service, its checks, and where the file says what.
#[derive(Clone, Debug)]
pub(crate) struct Written {
    pub(crate) service: Service,
    pub(crate) checks: Vec<Check>,
    pub(crate) announce: Vec<Spanned<Prefix>>,
    pub(crate) addresses: Vec<Spanned<IpAddr>>,
}

pub(crate) fn read_all(value: &Value, directory: &Path) -> Option<Vec<Written>> {
    let mut names = Unique::new("service name");
    value.each(|table| read(table, directory, &mut names))
}

fn read(table: &Table, directory: &Path, names: &mut Unique<ServiceName>) -> Option<Written> {
    let document = table.document();
    let name = table.required("name").parse();
    let addresses = addresses(table);
    let announce = prefixes(table);
    no_cover_yet(table);
    let checks = checks(table);
    let dns_table = table.optional("dns");
    let dns = dns_table.table().map(|dns| built_in_dns(&dns, directory));
    name.iter().for_each(|name| names.see(document, name));
    for address in addresses.iter().filter(|_| !announce.is_empty()) {
        if !announce.iter().any(|prefix| prefix.contains(address.value)) {
            let message = format!("{} lies in no announced prefix", address.value);
            let hint = "nobody could reach it: add its prefix to `announce` or correct the address";
            document.fault_with_hint(address.span.clone(), message, hint);
        }
    }
    let service = Service {
        name: name?.value,
        addresses: addresses.iter().map(|address| address.value).collect(),
        announce: announce.iter().map(|prefix| prefix.value).collect(),
        dns: match dns {
            Some(dns) => Some(dns?),
            None => None,
        },
    };
    Some(Written { service, checks: checks?, announce, addresses })
}

fn addresses(table: &Table) -> Vec<Spanned<IpAddr>> {
    let document = table.document();
    let value = table.required("addresses");
    let addresses = value.parse_list::<IpAddr>();
    refuse_empty(table, &value, "a service needs at least one address");
    let mut once = Unique::new("address");
    for address in &addresses {
        once.see(document, address);
        if !can_be_anycast(address.value) {
            document.fault(address.span.clone(), format!("{} cannot be an anycast address", address.value));
        }
    }
    addresses
}

fn prefixes(table: &Table) -> Vec<Spanned<Prefix>> {
    let document = table.document();
    let value = table.required("announce");
    let prefixes = value.parse_list::<Prefix>();
    refuse_empty(table, &value, "a service needs at least one prefix to announce");
    let mut once = Unique::new("prefix");
    for prefix in &prefixes {
        once.see(document, prefix);
        if prefix.length() == 0 {
            document.fault(prefix.span.clone(), "a default route would draw the whole Internet to this site");
        } else if !can_be_anycast(prefix.address()) {
            document.fault(prefix.span.clone(), format!("{} cannot be announced", prefix.value));
        }
    }
    prefixes
}

fn refuse_empty(table: &Table, value: &Value, message: &str) {
    if value.is_empty_list() {
        table.document().fault(value.span(), message);
    }
}

/// Whether users elsewhere could send packets to this address.
fn can_be_anycast(address: IpAddr) -> bool {
    let is_link_local = match address {
        IpAddr::V4(v4) => v4.is_link_local() || v4.is_broadcast(),
        IpAddr::V6(v6) => v6.is_unicast_link_local(),
    };
    !(address.is_unspecified() || address.is_loopback() || address.is_multicast() || is_link_local)
}

/// An empty list says what is true already.
fn no_cover_yet(table: &Table) {
    let cover = table.optional("cover");
    if !cover.list().is_empty() {
        let hint = "leave the list empty; less-specifics have to be announced by other means for now";
        table.document().fault_with_hint(cover.key_span(), planned::message("cover"), hint);
    }
}

fn checks(table: &Table) -> Option<Vec<Check>> {
    let value: Value = table.optional("check");
    if !value.is_given() && table.document().syntax_is_good() {
        let hint = "add [[service.check]] with dns = { name = \"example.\", type = \"SOA\" }";
        let message = "a service without a check would be announced whether it answers or not";
        table.document().fault_with_hint(table.span(), message, hint);
        return None;
    }
    let mut once = Unique::new("check");
    let document = table.document();
    value.each(|table| {
        let check = check::read(table)?;
        once.see(document, &Spanned { value: check.name(), span: table.span() });
        Some(check)
    })
}

fn built_in_dns(table: &Table, directory: &Path) -> Option<BuiltInDns> {
    let value = table.required("zones");
    let files: Vec<Spanned<PathBuf>> = value.list().iter().filter_map(Value::path).collect();
    refuse_empty(table, &value, "a DNS service needs at least one zone");
    Some(BuiltInDns { files: files.iter().map(|file| directory.join(&file.value)).collect() })
}

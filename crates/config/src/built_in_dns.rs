//! `[service.dns]`: the built-in authoritative DNS service and its zones, as text or as images.

mod streams;

use crate::catalog::Catalog;
use crate::check::{Check, Kind};
use crate::dnstap::{self, DnstapOutput};
use crate::rate_limit;
use crate::unique::Unique;
use crate::zone_transfers::{self, Written, ZoneTransfers};
use dns::{Limits, RateLimit, Zone, Zones, zone};
use document::{Document, Fault, Faults, Source, Spanned, Table, Value};
use linux::file::Mapping;
use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Read};
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
pub use streams::{DnsTls, TicketKey, TicketKeyError};
use terms::DomainName;
use transfer::Keys;

/// Longest zone file that is read, bytes.
const LONGEST_ZONE: usize = 1 << 30;
/// U+FEFF in front of a text.
const BYTE_ORDER_MARK: char = '\u{feff}';

/// The built-in authoritative DNS service.
#[derive(Clone, Debug)]
pub struct BuiltInDns {
    /// The zone files, in the order of the site file.
    pub files: Vec<PathBuf>,
    /// Where it answers beside the service's addresses: addresses of this host alone, which nobody announces.
    pub listen: Vec<IpAddr>,
    /// What they say. The zones of other servers are named, too: they cannot be served before they have come.
    pub zones: Arc<Zones>,
    /// How many connections it keeps, and for how long; those of TLS are counted apart.
    pub limits: Limits,
    /// What DNS over TLS needs; none where it is not served.
    pub tls: Option<DnsTls>,
    /// How often a network is told the same over UDP.
    pub rate_limit: Option<RateLimit>,
    /// Who is told what is asked and answered.
    pub dnstap: Option<DnstapOutput>,
    /// What signs transfers.
    pub keys: Keys,
    /// The zones that come from other servers, or may go to them.
    pub transfers: Vec<ZoneTransfers>,
    /// The zones that list others, which are served, too.
    pub catalogs: BTreeMap<DomainName, Catalog>,
}

pub(crate) fn read(table: &Table, directory: &Path) -> Option<BuiltInDns> {
    let document = table.document();
    let rate_limit = rate_limit::read(&table.optional("rate_limit"));
    let (value, tables) = (table.optional("zones"), table.optional("zone"));
    if value.is_empty_list() || !value.is_given() && !tables.is_given() {
        let span = if value.is_given() { value.span() } else { table.span() };
        document.fault_with_hint(
            span,
            "a DNS service needs at least one zone",
            "add zones = [\"example.zone\"]",
        );
    }
    let listen = listen(table);
    let limits = streams::limits(table);
    let tls = streams::tls(&table.optional("tls"), directory);
    let dnstap = dnstap::read(&table.optional("dnstap"), directory);
    let keys = zone_transfers::keys(&table.optional("key"), directory);
    let written = zone_transfers::zones(&tables, keys.as_ref());
    let plain: Vec<Spanned<PathBuf>> = value.list().iter().filter_map(Value::path).collect();
    let zones: Vec<Option<Arc<Zone>>> =
        plain.iter().map(|file| load(document, file, directory).map(Arc::new)).collect();
    let mut files: Vec<PathBuf> = plain.iter().map(|file| directory.join(&file.value)).collect();
    let (keys, written) = (keys?, written?);
    let read: Vec<_> = written.into_iter().map(|zone| read_zone(document, zone, directory)).collect();
    let mut zones = zones.into_iter().collect::<Option<Vec<_>>>()?;
    let (mut transfers, mut unavailable) = (Vec::new(), Vec::new());
    let mut catalogs = BTreeMap::new();
    for (its, catalog, file) in read.into_iter().collect::<Option<Vec<_>>>()? {
        match file {
            Some((path, zone)) => {
                files.push(path);
                zones.push(zone);
            }
            None => unavailable.push(its.zone.clone()),
        }
        catalogs.extend(catalog.map(|catalog| (its.zone.clone(), catalog)));
        transfers.push(its);
    }
    match Zones::with_unavailable(zones, unavailable) {
        Ok(zones) => Some(BuiltInDns {
            files,
            listen: listen?,
            zones: Arc::new(zones),
            limits: limits?,
            tls: tls?,
            rate_limit: rate_limit?,
            dnstap: dnstap?,
            keys,
            transfers,
            catalogs,
        }),
        Err(error) => {
            let span = if value.is_given() { value.span() } else { table.span() };
            let hint =
                "name it once: among `zones`, or as one [[service.dns.zone]], with a file or with primaries";
            document.fault_with_hint(span, error.to_string(), hint);
            None
        }
    }
}

/// Every address beside those of the service; none where one is faulty.
fn listen(table: &Table) -> Option<Vec<IpAddr>> {
    let value = table.optional("listen");
    let addresses = value.parse_list::<IpAddr>();
    let mut once = Unique::new("address");
    addresses.iter().for_each(|address| once.see(table.document(), address));
    (addresses.len() == value.list().len())
        .then(|| addresses.into_iter().map(|address| address.value).collect())
}

/// A zone that is written as a table, whether it is a catalog, and what its file says if it has one.
type ReadZone = (ZoneTransfers, Option<Catalog>, Option<(PathBuf, Arc<Zone>)>);

fn read_zone(document: &Document, written: Written, directory: &Path) -> Option<ReadZone> {
    let Written { file, name, primaries, allow, notify, catalog } = written;
    let loaded = match &file {
        Some(file) => Some((directory.join(&file.value), Arc::new(load(document, file, directory)?))),
        None => None,
    };
    let zone = match (&loaded, name) {
        (Some((path, zone)), Some(name)) if *zone.apex() != name.value => {
            let message = format!("{} is of the zone {}", path.display(), zone.apex());
            document.fault_with_hint(name.span, message, "correct `name`, or leave it out");
            return None;
        }
        (Some((_, zone)), _) => zone.apex().clone(),
        (None, name) => name?.value,
    };
    Some((ZoneTransfers { zone, primaries, allow, notify }, catalog, loaded))
}

impl BuiltInDns {
    /// Takes one zone up as the service would. Its text may also come through a pipe.
    pub fn load_zone(path: &Path) -> Result<Zone, Faults> {
        if is_image(path) {
            return map(path).map_err(|why| {
                let nothing = Source::new(path.to_string_lossy(), "");
                let fault = Fault::new(&nothing, 0..0, why, None);
                Faults::of(nothing, [fault])
            });
        }
        let text = zone_text(path).map_err(|error| error.into_faults(path))?;
        parse(path, &text)
    }

    /// Writes the image of a zone that was loaded, in the place of the one that may be there. Nothing else is replaced:
    /// neither a zone file nor a device.
    pub fn write_image(zone: &Zone, path: &Path) -> Result<(), linux::Error> {
        if !may_be_replaced(path) {
            let why = "what is there is no image: remove it, or name another file";
            return Err(linux::Error::new(format!("replace {}", path.display()), io::Error::other(why)));
        }
        // Only zones from other servers have changes that are not in their image.
        let unfolded = || linux::Error::new("write the image", io::Error::other("it is not up to date"));
        linux::file::replace(path, zone.image().ok_or_else(unfolded)?)
    }
}

/// Whether the file begins as an image does. One that cannot be read is none: whoever reads it next says why. A pipe is none
/// either: what was read from it would be missing afterwards.
fn is_image(path: &Path) -> bool {
    let mut start = [0; zone::MAGIC.len()];
    let mut begin = || File::open(path)?.read_exact(&mut start);
    std::fs::metadata(path).is_ok_and(|there| there.is_file()) && begin().is_ok() && start == zone::MAGIC
}

/// Whether an image may take this place. Where nobody can look, whoever writes says why.
fn may_be_replaced(path: &Path) -> bool {
    match std::fs::metadata(path) {
        Ok(there) => there.is_file() && (there.len() == 0 || is_image(path)),
        Err(_) => true,
    }
}

/// The zone of an image, which stays where it is; or why not.
fn map(path: &Path) -> Result<Zone, String> {
    let mapping = Mapping::of(path).map_err(|error| error.to_string())?;
    Zone::from_image(mapping).map_err(|error| error.to_string())
}

/// The zone of a file that the site file names; the faults of the zone keep their own lines.
fn load(document: &Document, file: &Spanned<PathBuf>, directory: &Path) -> Option<Zone> {
    let path = directory.join(&file.value);
    if is_image(&path) {
        let fault = |why: String| document.fault(file.span.clone(), format!("{}: {why}", path.display()));
        return map(&path).map_err(fault).ok();
    }
    match document::regular(&path).and_then(zone_text) {
        Ok(text) => parse(&path, &text).map_err(|faults| document.faults_elsewhere(faults)).ok(),
        Err(error) => {
            let hint = format!("it was looked for at {}", path.display());
            document.fault_with_hint(file.span.clone(), error.to_string(), hint);
            None
        }
    }
}

/// The text of a zone. Comments may be in any script: what is no UTF-8 is [`char::REPLACEMENT_CHARACTER`], which no zone
/// takes outside of them. Some editors put a mark in front of a text, which is no part of it.
fn zone_text(path: &Path) -> Result<String, document::ReadError> {
    let octets = document::read_bytes(path, LONGEST_ZONE)?;
    let mut text = String::from_utf8(octets)
        .unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned());
    if text.starts_with(BYTE_ORDER_MARK) {
        text.remove(0);
    }
    Ok(text)
}

/// The zone of a text and of the files that it includes, each of which is looked for beside the one that names it.
fn parse(path: &Path, text: &str) -> Result<Zone, Faults> {
    let mut included: Vec<(PathBuf, Arc<str>)> = Vec::new();
    let parsed = zone::parse_with(text, &mut |from, written| {
        let names_it = from.checked_sub(1).and_then(|from| included.get(from)).map_or(path, |(path, _)| path);
        let path = names_it.parent().unwrap_or(Path::new("")).join(written);
        let text: Arc<str> =
            document::regular(&path).and_then(zone_text).map_err(|error| error.to_string())?.into();
        included.push((path, Arc::clone(&text)));
        Ok(text)
    });
    parsed.map_err(|faults| {
        let mut all = Faults::default();
        let more = included.iter().map(|(path, text)| (path.as_path(), &**text));
        for (number, (path, text)) in [(path, text)].into_iter().chain(more).enumerate() {
            let source = Source::new(path.to_string_lossy(), text);
            let at = |fault: &zone::Fault| {
                let start = source.offset(fault.line, fault.column);
                Fault::new(&source, start..start, fault.message.clone(), Some(fault.hint.clone()))
            };
            let its: Vec<Fault> = faults.iter().filter(|fault| fault.file == number).map(at).collect();
            all.extend(Faults::of(source, its));
        }
        all
    })
}

/// A check that asks for a name outside all zones could never pass.
pub(crate) fn refuse_foreign_checks(document: &Document, dns: &BuiltInDns, checks: &[Check]) {
    if !dns.catalogs.is_empty() {
        return; // who knows what they list
    }
    let zones = &dns.zones;
    let apexes = || zones.iter().map(|zone| zone.apex()).chain(zones.unavailable());
    for check in checks {
        let Kind::Dns(asked) = &check.kind.value else { continue };
        let name = &asked.expectation.name;
        if asked.asks_service() && !apexes().any(|apex| name.is_within(apex)) {
            let known: Vec<String> = apexes().map(DomainName::to_string).collect();
            let message =
                format!("the built-in DNS service has no zone for {name}, so this check could never pass");
            let hint = format!("ask for a name in {}", known.join(", "));
            document.fault_with_hint(check.kind.span.clone(), message, hint);
        }
    }
}

/// What is measured at the built-in service means nothing without one.
pub(crate) fn refuse_what_needs_it(document: &Document, capacity: &Value, checks: &[Check]) {
    let hint = "add [service.dns], or remove it";
    if capacity.is_given() {
        let message = "the load is measured at the built-in DNS service, which this service does not have";
        document.fault_with_hint(capacity.key_span(), message, hint);
    }
    let needs_it = |check: &&Check| matches!(check.kind.value, Kind::Passive(_) | Kind::Zones(_));
    for check in checks.iter().filter(needs_it) {
        let message = "this check looks at the built-in DNS service, which this service does not have";
        document.fault_with_hint(check.kind.span.clone(), message, hint);
    }
}

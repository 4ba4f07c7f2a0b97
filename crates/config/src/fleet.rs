//! `[fleet]`: the store through which sites agree on who may withdraw.

use crate::secret_file;
use crate::unique::Unique;
use document::{Document, Spanned, Table, Value};
use std::fmt;
use std::num::NonZeroU32;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::time::Duration;

/// The store that the sites of a fleet share. The files that it names were readable when the site file was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fleet {
    /// The members of the etcd cluster; all with TLS or none.
    pub etcd: Vec<Endpoint>,
    /// So many sites must stay announced; a quarter of them where the file does not say.
    pub min_sites: Option<NonZeroU32>,
    /// The certificates of a cluster with TLS.
    pub tls: Option<Tls>,
    /// Who this site is to a cluster with authentication.
    pub login: Option<Login>,
    /// The first part of every key in the store.
    pub prefix: String,
    /// How long the other sites count on a host that they do not hear of any more.
    pub lease: Duration,
}

/// PEM files.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tls {
    /// Who may have signed the members' certificates.
    pub ca_file: PathBuf,
    /// This site's own certificate, and its key.
    pub identity: Option<(PathBuf, PathBuf)>,
}

/// A user of the cluster.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Login {
    /// Its name.
    pub username: String,
    /// The file whose first line is its password.
    pub password_file: PathBuf,
}

impl Fleet {
    /// The first part of every key where the file does not say.
    pub const PREFIX: &str = "catchment";
    /// Some heartbeats may be lost, and an election takes one to two seconds.
    pub const LEASE: Duration = Duration::from_secs(10);
    const LEASES: std::ops::RangeInclusive<Duration> = Duration::from_secs(3)..=Duration::from_secs(600);
    const MOST_SITES: u32 = 1000;
    /// Longest file of certificates, a key or a password, octets.
    const LONGEST_FILE: usize = 1 << 20;
}

/// Where a member of the cluster listens for clients, such as `https://10.0.0.1:2379`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Endpoint {
    has_tls: bool,
    authority: String,
}

/// Why a text is no endpoint.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "an endpoint is written such as https://10.0.0.1:2379, without anything after the port; `{0}` is not"
)]
pub struct EndpointError(String);

impl FromStr for Endpoint {
    type Err = EndpointError;

    fn from_str(text: &str) -> Result<Self, EndpointError> {
        let wrong = || EndpointError(text.to_owned());
        let (scheme, authority) = text.split_once("://").ok_or_else(wrong)?;
        let (host, port) = authority.rsplit_once(':').ok_or_else(wrong)?;
        let is_good_port = port.parse::<u16>().is_ok_and(|port| port > 0) && !port.starts_with('+');
        let is_address = match host.strip_prefix('[') {
            Some(inner) => {
                inner.strip_suffix(']').is_some_and(|inner| inner.parse::<std::net::Ipv6Addr>().is_ok())
            }
            None => {
                !host.is_empty() && host.chars().all(|c| c.is_ascii_alphanumeric() || c == '.' || c == '-')
            }
        };
        match scheme {
            "http" | "https" if is_good_port && is_address => {
                Ok(Endpoint { has_tls: scheme == "https", authority: authority.to_owned() })
            }
            _ => Err(wrong()),
        }
    }
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}://{}", if self.has_tls { "https" } else { "http" }, self.authority)
    }
}

/// The section; the inner `None` says that it is faulty.
pub(crate) fn read(value: &Value, directory: &Path) -> Option<Option<Fleet>> {
    match value.table() {
        Some(table) => section(&table, directory).map(Some),
        None if value.is_given() => None,
        None => Some(None),
    }
}

fn section(table: &Table, directory: &Path) -> Option<Fleet> {
    let document = table.document();
    let min_sites = table.optional("min_sites");
    let sites = min_sites.number_in(1..=Fleet::MOST_SITES);
    let etcd = endpoints(table, &min_sites);
    let prefix = prefix(&table.optional("prefix"));
    let lease = lease(&table.optional("lease"));
    let tls = tls(table, etcd.as_deref(), directory);
    let (username, password) = (table.optional("username"), table.optional("password_file"));
    together(document, &username, &password);
    let kept = password.path().filter(|file| secret_file::is_kept(document, file, directory));
    let password = kept.and_then(|file| readable(document, file, directory, ""));
    let login = username.text().zip(password);
    if (sites.is_none() && min_sites.is_given()) || (login.is_none() && username.is_given()) {
        return None;
    }
    Some(Fleet {
        etcd: etcd?.into_iter().map(|endpoint| endpoint.value).collect(),
        min_sites: sites.and_then(|sites| NonZeroU32::new(sites.value)),
        tls: tls?,
        login: login.map(|(name, password_file)| Login { username: name.value.to_owned(), password_file }),
        prefix: prefix?,
        lease: lease?,
    })
}

fn endpoints(table: &Table, min_sites: &Value) -> Option<Vec<Spanned<Endpoint>>> {
    let document = table.document();
    let value = table.optional("etcd");
    if !value.is_given() && min_sites.is_given() {
        let hint = "add `etcd`; on a single machine, `never_withdraw = true` in its group says that it stays";
        let message = "`min_sites` counts the sites of a fleet, and a fleet has a store";
        document.fault_with_hint(min_sites.key_span(), message, hint);
        return None;
    }
    let value = table.required("etcd");
    if value.is_empty_list() {
        document.fault(value.span(), "a fleet needs at least one endpoint of its store");
    }
    let endpoints = value.parse_list::<Endpoint>();
    let mut once = Unique::new("endpoint");
    endpoints.iter().for_each(|endpoint| once.see(document, endpoint));
    let written = value.list().len();
    if let Some(odd) = endpoints.iter().find(|endpoint| endpoint.has_tls != endpoints[0].has_tls) {
        let hint = "a password or a permit is only as safe as the weakest connection";
        document.fault_with_hint(odd.span.clone(), "all endpoints are https, or none is", hint);
        return None;
    }
    (written > 0 && endpoints.len() == written).then_some(endpoints)
}

/// The certificates; the inner `None` says that something is faulty.
fn tls(table: &Table, etcd: Option<&[Spanned<Endpoint>]>, directory: &Path) -> Option<Option<Tls>> {
    let document = table.document();
    let keys = ["ca_file", "cert_file", "key_file"].map(|key| table.optional(key));
    let [ca, cert, key] = &keys;
    together(document, cert, key);
    let [ca_file, cert_file] =
        [ca, cert].map(|value| readable(document, value.path()?, directory, "CERTIFICATE"));
    let kept = key.path().filter(|file| secret_file::is_kept(document, file, directory));
    let key_file = kept.and_then(|file| readable(document, file, directory, "PRIVATE KEY"));
    let first = etcd?.first()?;
    if !first.has_tls {
        let given: Vec<&Value> = keys.iter().filter(|value| value.is_given()).collect();
        for value in &given {
            let hint = "write the endpoints with https://, or leave the certificates out";
            document.fault_with_hint(value.key_span(), "certificates are of use with https only", hint);
        }
        return given.is_empty().then_some(None);
    }
    if !ca.is_given() {
        let hint = "name the PEM file of the authority that signed the certificates of the members";
        document.fault_with_hint(first.span.clone(), "https needs `ca_file`", hint);
    }
    let identity = match (cert.is_given(), cert_file.zip(key_file)) {
        (false, _) => None,
        (true, identity) => Some(identity?),
    };
    Some(Some(Tls { ca_file: ca_file?, identity }))
}

fn together(document: &Document, one: &Value, other: &Value) {
    for (given, missing) in [(one, other), (other, one)] {
        if given.is_given() && !missing.is_given() {
            document.fault(given.key_span(), "this key needs its partner: `cert_file` and `key_file`, `username` and `password_file` come in pairs");
        }
    }
}

/// The path of a file that can be read and holds a PEM block of this kind.
fn readable(document: &Document, file: Spanned<PathBuf>, directory: &Path, block: &str) -> Option<PathBuf> {
    let path = directory.join(&file.value);
    let message = match document::read_regular(&path, Fleet::LONGEST_FILE) {
        Ok(text) if text.contains(block) => return Some(path),
        Ok(_) => format!("{} holds no PEM block `{block}`", path.display()),
        Err(error) => format!("{}: {error}", path.display()),
    };
    document.fault(file.span, message);
    None
}

fn prefix(value: &Value) -> Option<String> {
    if !value.is_given() {
        return Some(Fleet::PREFIX.to_owned());
    }
    let text = value.text()?;
    let allowed = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || "-._".contains(c);
    if text.is_empty() || text.len() > 63 || !text.chars().all(allowed) {
        let message = "`prefix` is 1 to 63 characters of a-z, 0-9, `-`, `.` and `_`";
        value.document().fault(text.span, message);
        return None;
    }
    Some(text.value.to_owned())
}

fn lease(value: &Value) -> Option<Duration> {
    if !value.is_given() {
        return Some(Fleet::LEASE);
    }
    let lease = value.duration_in(Fleet::LEASES)?;
    if lease.subsec_nanos() != 0 {
        value.document().fault(lease.span, "`lease` is a number of whole seconds");
        return None;
    }
    Some(lease.value)
}

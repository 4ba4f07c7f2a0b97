//! `[[service.dns.key]]` and `[[service.dns.zone]]`: zones that come from other servers or go to them.

use crate::catalog::{self, Catalog};
use crate::secret_file;
use crate::unique::Unique;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use document::{Document, Spanned, Table, Value};
use std::net::{AddrParseError, IpAddr, SocketAddr};
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::sync::Arc;
use terms::{DomainName, DomainNameError, Prefix, PrefixError, SharedKey};
use transfer::{Algorithm, Key, Keys, Policy};

/// The port of DNS (RFC 1035 section 4.2).
const PORT: u16 = 53;
/// Characters of a secret in base 64, at most.
const LONGEST_SECRET: usize = SharedKey::MOST.div_ceil(3) * 4;

/// How one zone comes and goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ZoneTransfers {
    /// The zone.
    pub zone: DomainName,
    /// Where it comes from, in the order in which they are asked; empty where it comes from a file.
    pub primaries: Vec<Server>,
    /// Who may have it.
    pub allow: Policy,
    /// Who is told when it has changed.
    pub notify: Vec<Server>,
}

/// Another server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Server {
    /// Where it is asked.
    pub address: SocketAddr,
    /// What signs the messages to it; none: nothing.
    pub key: Option<Arc<Key>>,
}

/// A zone as the site file has it.
pub(crate) struct Written {
    /// Its file; none where it comes from other servers.
    pub(crate) file: Option<Spanned<PathBuf>>,
    /// Its name; none where only the file says it.
    pub(crate) name: Option<Spanned<DomainName>>,
    pub(crate) primaries: Vec<Server>,
    pub(crate) allow: Policy,
    pub(crate) notify: Vec<Server>,
    /// What is made of the zones that it lists; none where it is no catalog.
    pub(crate) catalog: Option<Catalog>,
}

/// An address of a server, perhaps with a port.
struct ServerAddress(SocketAddr);

impl FromStr for ServerAddress {
    type Err = AddrParseError;
    fn from_str(text: &str) -> Result<Self, AddrParseError> {
        let with_port = text.parse::<SocketAddr>();
        with_port.or_else(|_| text.parse().map(|ip: IpAddr| SocketAddr::new(ip, PORT))).map(ServerAddress)
    }
}

/// Somebody who may have a zone.
enum Allowed {
    Prefix(Prefix),
    Key(DomainName),
}

#[derive(Debug, thiserror::Error)]
enum AllowedError {
    #[error("{0}")]
    Prefix(PrefixError),
    #[error("neither an address, a prefix nor the name of a key: {0}")]
    Key(DomainNameError),
}

impl FromStr for Allowed {
    type Err = AllowedError;
    fn from_str(text: &str) -> Result<Self, AllowedError> {
        if let Ok(address) = text.parse() {
            return Ok(Allowed::Prefix(Prefix::host(address)));
        }
        if text.contains('/') {
            return text.parse().map(Allowed::Prefix).map_err(AllowedError::Prefix);
        }
        text.parse().map(Allowed::Key).map_err(AllowedError::Key)
    }
}

/// The keys that there are; none where one is faulty, which was told: nobody knows then whether a name is one of a key.
pub(crate) type KnownKeys<'k> = Option<&'k Keys>;

/// The keys of a DNS service.
pub(crate) fn keys(value: &Value, directory: &Path) -> Option<Keys> {
    let mut names = Unique::new("key");
    let keys = value.each(|table| {
        let document = table.document();
        let name = table.required("name").parse::<DomainName>();
        let algorithm = table.optional("algorithm");
        let chosen = algorithm.one_of(&Algorithm::ALL);
        let file = table.required("secret_file").path();
        name.iter().for_each(|name| names.see(document, name));
        let secret = file.and_then(|file| secret(document, &file, directory));
        let algorithm = match (chosen, algorithm.is_given()) {
            (Some(chosen), _) => chosen.value,
            (None, false) => Algorithm::HmacSha256,
            (None, true) => return None,
        };
        let name = name?.value;
        Some((name.clone(), Arc::new(Key::new(name, algorithm, secret?))))
    })?;
    Some(keys.into_iter().collect())
}

/// A secret in base 64, as `keymgr -t`, `tsig-keygen` and `nsd.conf` write it.
fn secret(document: &Document, file: &Spanned<PathBuf>, directory: &Path) -> Option<SharedKey> {
    let line = secret_file::read(document, file, directory, LONGEST_SECRET)?;
    let fault = |message: String| {
        let hint =
            "a secret is made with `openssl rand -base64 32`; name and algorithm are keys of the site file";
        document.fault_with_hint(file.span.clone(), message, hint);
    };
    let Ok(octets) = STANDARD.decode(line.trim()) else {
        fault("the secret is not in base 64".to_owned());
        return None;
    };
    SharedKey::new(octets).map_err(|error| fault(error.to_string())).ok()
}

/// The zones that are written as tables.
pub(crate) fn zones(value: &Value, keys: KnownKeys<'_>) -> Option<Vec<Written>> {
    value.each(|table| zone(table, keys))
}

fn zone(table: &Table, keys: KnownKeys<'_>) -> Option<Written> {
    let document = table.document();
    let (file, name, primaries) =
        (table.optional("file"), table.optional("name"), table.optional("primaries"));
    let key = key(&table.optional("key"), keys);
    let path = file.path();
    let zone = name.parse::<DomainName>();
    let servers = servers(&primaries, key.as_ref());
    let notify = self::servers(&table.optional("notify"), key.as_ref());
    let allow = policy(&table.optional("allow_transfer"), keys);
    let catalog = catalog::read(table, keys, key.as_ref(), servers.as_deref());
    match (file.is_given(), primaries.is_given()) {
        (true, true) => {
            let message = "a zone comes from a file or from `primaries`, not from both";
            document.fault_with_hint(primaries.key_span(), message, "leave one of them out");
            return None;
        }
        (false, false) => {
            let message = "nothing says where this zone comes from";
            let hint = "add `file`, or `name` and `primaries`";
            document.fault_with_hint(table.span(), message, hint);
            return None;
        }
        (false, true) if primaries.is_empty_list() => {
            document.fault(primaries.span(), "a zone from other servers needs at least one");
            return None;
        }
        (false, true) if !name.is_given() => {
            let message = "a zone from other servers needs a `name`";
            document.fault_with_hint(table.span(), message, "add name = \"example.\"");
            return None;
        }
        (false, true) => {
            zone.as_ref()?;
        }
        (true, false) => {
            path.as_ref()?;
        }
    }
    let catalog = catalog?;
    Some(Written { file: path, name: zone, primaries: servers?, allow: allow?, notify: notify?, catalog })
}

/// The key of that name; an error where there is none.
pub(crate) fn key(value: &Value, keys: KnownKeys<'_>) -> Result<Option<Arc<Key>>, ()> {
    if !value.is_given() {
        return Ok(None);
    }
    let name = value.parse::<DomainName>().ok_or(())?;
    let found = keys.ok_or(())?.get(&name.value).cloned().map(Some);
    found.ok_or_else(|| unknown(value.document(), &name))
}

fn unknown(document: &Document, name: &Spanned<DomainName>) {
    let message = format!("there is no key {}", name.value);
    document.fault_with_hint(name.span.clone(), message, "add [[service.dns.key]] with this `name`");
}

pub(crate) fn servers(value: &Value, key: Result<&Option<Arc<Key>>, &()>) -> Option<Vec<Server>> {
    let addresses = value.parse_list::<ServerAddress>();
    let key = key.ok()?;
    let all = addresses.len() == value.list().len();
    let server = |address: Spanned<ServerAddress>| Server { address: address.value.0, key: key.clone() };
    all.then(|| addresses.into_iter().map(server).collect())
}

pub(crate) fn policy(value: &Value, keys: KnownKeys<'_>) -> Option<Policy> {
    let allowed = value.parse_list::<Allowed>();
    let mut policy = Policy::default();
    let mut is_good = allowed.len() == value.list().len();
    for Spanned { value: allowed, span } in allowed {
        match allowed {
            Allowed::Prefix(prefix) => policy.prefixes.push(prefix),
            Allowed::Key(name) => match keys {
                Some(keys) if keys.contains_key(&name) => policy.keys.push(name),
                Some(_) => {
                    unknown(value.document(), &Spanned { value: name, span });
                    is_good = false;
                }
                None => is_good = false,
            },
        }
    }
    is_good.then_some(policy)
}

//! Connections of the DNS service: limits, and what TLS needs.

use crate::secret_file;
use dns::Limits;
use document::{Document, Spanned, Table, Value};
use rustls::crypto::ring;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::sign::CertifiedKey;
use std::fmt;
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

/// Where the file does not say. RFC 9210 section 4.5 gives 150 and 25 as what small servers have; a site may have to
/// answer a whole region over TCP when UDP is flooded.
const CONNECTIONS: usize = 1000;
const PER_NETWORK: usize = 100;
/// RFC 9210 section 4.5.
const IDLE: Duration = Duration::from_secs(10);
/// With those of TLS apart, as many descriptors as the daemon asks for leave enough for everything else.
const MOST_CONNECTIONS: usize = 20_000;
const IDLES: std::ops::RangeInclusive<Duration> = Duration::from_secs(1)..=Duration::from_secs(3600);
/// Longest file of certificates or keys that is read, octets.
const LONGEST_FILE: usize = 1 << 20;
/// Tickets of older keys are too old to be of use.
const MOST_TICKET_KEYS: usize = 8;

/// What DNS over TLS needs (RFC 7858).
#[derive(Clone, Debug)]
pub struct DnsTls {
    /// The certificate with those that lead to its authority, and its key: they belong together.
    pub certificate: Arc<CertifiedKey>,
    /// What session tickets are sealed with, the first, and opened with, any. None: each process makes its own.
    pub ticket_keys: Vec<TicketKey>,
}

/// A key that session tickets are sealed with.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct TicketKey([u8; 32]);

impl TicketKey {
    /// Its octets.
    pub fn octets(&self) -> &[u8; 32] {
        &self.0
    }
}

impl fmt::Debug for TicketKey {
    /// Never what it is.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("TicketKey")
    }
}

/// A text is no key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a ticket key is 64 hexadecimal digits, as `openssl rand -hex 32` writes them")]
pub struct TicketKeyError;

impl FromStr for TicketKey {
    type Err = TicketKeyError;

    fn from_str(text: &str) -> Result<Self, TicketKeyError> {
        let (digits, []) = text.as_bytes().as_chunks::<2>() else { return Err(TicketKeyError) };
        let digits: &[[u8; 2]; 32] = digits.try_into().map_err(|_| TicketKeyError)?;
        let mut key = [0; 32];
        for (octet, digits) in key.iter_mut().zip(digits) {
            let digit = |digit: u8| char::from(digit).to_digit(16).ok_or(TicketKeyError);
            *octet = (digit(digits[0])? << 4 | digit(digits[1])?) as u8; // two digits are one octet
        }
        Ok(TicketKey(key))
    }
}

/// `connections`, `connections_per_network` and `idle`.
pub(super) fn limits(table: &Table) -> Option<Limits> {
    let connections = number(&table.optional("connections"), CONNECTIONS);
    let per_network = number(&table.optional("connections_per_network"), PER_NETWORK);
    let idle = table.optional("idle");
    let idle = match idle.is_given() {
        true => idle.duration_in(IDLES).map(|idle| idle.value),
        false => Some(IDLE),
    };
    Some(Limits { connections: connections?, per_network: per_network?, idle: idle? })
}

fn number(value: &Value, default: usize) -> Option<NonZeroUsize> {
    match value.is_given() {
        true => NonZeroUsize::new(value.number_in(1..=MOST_CONNECTIONS)?.value),
        false => NonZeroUsize::new(default),
    }
}

/// `tls`; the inner `None` says that there is none.
pub(super) fn tls(value: &Value, directory: &Path) -> Option<Option<DnsTls>> {
    if !value.is_given() {
        return Some(None);
    }
    let table = value.table()?;
    let document = table.document();
    let certificates = table.required("cert_file").path();
    let certificates = certificates.and_then(|file| certificates_of(document, &file, directory));
    let key_file = table.required("key_file").path();
    let key = key_file.as_ref().and_then(|file| key_of(document, file, directory));
    let tickets = table.optional("ticket_keys_file");
    let ticket_keys = match tickets.is_given() {
        true => tickets.path().and_then(|file| ticket_keys_of(document, &file, directory)),
        false => Some(Vec::new()),
    };
    let (certificates, key, key_file) = (certificates?, key?, key_file?);
    // It is judged here whether the two belong together, so that a reload cannot fail for it.
    let certified = CertifiedKey::from_der(certificates, key, &ring::default_provider());
    let certified = certified.map_err(|error| {
        let hint = "the first certificate of `cert_file` is the one that `key_file` is the key of";
        document.fault_with_hint(key_file.span, format!("certificate and key are of no use: {error}"), hint);
    });
    Some(Some(DnsTls { certificate: Arc::new(certified.ok()?), ticket_keys: ticket_keys? }))
}

fn certificates_of(
    document: &Document,
    file: &Spanned<PathBuf>,
    directory: &Path,
) -> Option<Vec<CertificateDer<'static>>> {
    let text = read(document, file, directory)?;
    let certificates: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(text.as_bytes()).collect();
    let why = match certificates {
        Ok(certificates) if !certificates.is_empty() => return Some(certificates),
        Ok(_) => "there is no certificate in this file (-----BEGIN CERTIFICATE-----)".to_owned(),
        Err(error) => format!("a certificate of this file is malformed: {error}"),
    };
    document.fault(file.span.clone(), why);
    None
}

fn key_of(document: &Document, file: &Spanned<PathBuf>, directory: &Path) -> Option<PrivateKeyDer<'static>> {
    let text = read(document, file, directory)?;
    PrivateKeyDer::from_pem_slice(text.as_bytes())
        .map_err(|error| {
            document.fault(file.span.clone(), format!("there is no private key in this file: {error}"));
        })
        .ok()
        .filter(|_| secret_file::is_kept(document, file, directory))
}

/// The keys, one a line.
fn ticket_keys_of(document: &Document, file: &Spanned<PathBuf>, directory: &Path) -> Option<Vec<TicketKey>> {
    let text = read(document, file, directory)?;
    let mut keys = Vec::new();
    for (line, written) in (1..).zip(text.lines()) {
        match written.trim().parse() {
            Ok(key) => keys.push(key),
            Err(error) => {
                // The line itself may be a secret.
                document.fault(file.span.clone(), format!("line {line} of this file: {error}"));
                return None;
            }
        }
    }
    if !(1..=MOST_TICKET_KEYS).contains(&keys.len()) {
        let message = format!("this file has {} keys; 1 to {MOST_TICKET_KEYS} are of use", keys.len());
        document.fault_with_hint(file.span.clone(), message, "the newest first, older ones for a day");
        return None;
    }
    secret_file::is_kept(document, file, directory).then_some(keys)
}

fn read(document: &Document, file: &Spanned<PathBuf>, directory: &Path) -> Option<String> {
    let path = directory.join(&file.value);
    document::read_regular(&path, LONGEST_FILE)
        .map_err(|error| {
            let hint = format!("it was looked for at {}", path.display());
            document.fault_with_hint(file.span.clone(), error.to_string(), hint);
        })
        .ok()
}

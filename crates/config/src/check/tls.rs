//! `tls = { server_name = "www.example.com" }`, and the same options beside an `https://` address.

use super::target::Target;
use super::{Issuers, Question, ServerCertificate};
use check::tls::{Expectation, ServerName};
use document::{Spanned, Table};
use rustls_pki_types::CertificateDer;
use rustls_pki_types::pem::PemObject;
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// The port of HTTPS.
const PORT: u16 = 443;
/// Longest file of certificates that is read, octets.
const LONGEST_FILE: usize = 4 << 20;
/// No certificate that the public trusts is valid for longer.
const LONGEST_VALIDITY: Duration = Duration::from_secs(400 * 86_400);
const OPTIONS: [&str; 4] = ["server_name", "verify", "ca_file", "valid_for"];

/// A TLS handshake.
#[derive(Clone, Debug)]
pub(crate) struct Endpoint {
    tls: ServerCertificate,
    target: Target,
}

impl Endpoint {
    pub(super) fn name(&self) -> String {
        format!("tls {}", self.tls.expectation.name)
    }

    pub(super) fn questions(&self, addresses: &[IpAddr]) -> Vec<(String, Question)> {
        let question = |way| Question::Tls { way, tls: self.tls.clone() };
        self.target.ways(addresses).into_iter().map(|(called, way)| (called, question(way))).collect()
    }
}

pub(super) fn read(table: &Table, directory: &Path) -> Option<Endpoint> {
    table.required("server_name");
    let tls = options(table, None, directory);
    let target = Target::read(table, PORT);
    Some(Endpoint { tls: tls?, target: target? })
}

/// What makes a certificate good. `server` is its name unless the file gives another one.
pub(super) fn options(
    table: &Table,
    server: Option<ServerName>,
    directory: &Path,
) -> Option<ServerCertificate> {
    let [name, verify, ca_file, valid_for] = OPTIONS.map(|key| table.optional(key));
    let name = match name.is_given() {
        true => name.parse::<ServerName>().map(|name| name.value),
        false => server,
    };
    let verify = verify.flag();
    let file = ca_file.path();
    let issuers = match (verify.is_none_or(|verify| verify.value), &file) {
        (true, Some(file)) => certificates(table, file, directory),
        (true, None) => (!ca_file.is_given()).then_some(Issuers::System),
        (false, None) => Some(Issuers::Anybody),
        (false, Some(file)) => {
            let message = "`ca_file` says who may have signed, and `verify = false` that anybody may";
            table.document().fault_with_hint(file.span.clone(), message, "remove one of the two");
            None
        }
    };
    let valid_for = valid_for.duration_in(Duration::ZERO..=LONGEST_VALIDITY);
    let valid_for = valid_for.map_or(Duration::ZERO, |duration| duration.value);
    Some(ServerCertificate { expectation: Expectation { name: name?, valid_for }, issuers: issuers? })
}

/// Refuses the options where there is no TLS.
pub(super) fn refuse(table: &Table, because: &str) {
    for key in OPTIONS {
        let message = format!("`{key}` is about TLS, and {because}");
        table.refuse(key, &message, "remove it, or write https://");
    }
}

/// The certificates of a PEM file.
fn certificates(table: &Table, file: &Spanned<PathBuf>, directory: &Path) -> Option<Issuers> {
    let path = directory.join(&file.value);
    let fault = |message: String| {
        let hint = format!("it was looked for at {}", path.display());
        table.document().fault_with_hint(file.span.clone(), message, hint);
    };
    let text = document::read_regular(&path, LONGEST_FILE).map_err(|error| fault(error.to_string())).ok()?;
    let read: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(text.as_bytes()).collect();
    match read {
        Ok(certificates) if !certificates.is_empty() => {
            Some(Issuers::These(certificates.iter().map(|certificate| certificate.to_vec()).collect()))
        }
        Ok(_) => {
            fault("there is no certificate in this file (-----BEGIN CERTIFICATE-----)".to_owned());
            None
        }
        Err(error) => {
            fault(format!("a certificate of this file is malformed: {error}"));
            None
        }
    }
}

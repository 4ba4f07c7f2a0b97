//! Is a certificate in force, for long enough, and for the name that users ask for?
//!
//! Who signed it is the business of the TLS library, which holds the trusted roots. Here its dates and names are judged,
//! and with them what no handshake tells: how soon it will expire.

mod certificate;
mod der;

use crate::Finding;
use crate::calendar::{since, span};
use certificate::Certificate;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;
use std::time::Duration;
use terms::{Verdict, WallTime};

/// What a good certificate is like.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Expectation {
    /// The name that it must be for.
    pub name: ServerName,
    /// How long it must stay valid at least.
    pub valid_for: Duration,
}

/// Whom a client wants to talk to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum ServerName {
    /// A host, in lower case and without a last dot.
    Host(String),
    /// An address.
    Address(IpAddr),
}

/// A text that names no server.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is neither a host name nor an address")]
pub struct ServerNameError(String);

impl FromStr for ServerName {
    type Err = ServerNameError;

    fn from_str(text: &str) -> Result<Self, ServerNameError> {
        if let Ok(address) = text.trim_start_matches('[').trim_end_matches(']').parse() {
            return Ok(ServerName::Address(address));
        }
        let host = text.strip_suffix('.').unwrap_or(text);
        let is_label = |label: &str| {
            (1..=63).contains(&label.len())
                && label.bytes().all(|octet| octet.is_ascii_alphanumeric() || matches!(octet, b'-' | b'_'))
                && !label.starts_with('-')
                && !label.ends_with('-')
        };
        if host.len() > 253 || !host.split('.').all(is_label) {
            return Err(ServerNameError(text.to_owned()));
        }
        Ok(ServerName::Host(host.to_ascii_lowercase()))
    }
}

impl TryFrom<String> for ServerName {
    type Error = ServerNameError;
    fn try_from(text: String) -> Result<Self, ServerNameError> {
        text.parse()
    }
}

impl From<ServerName> for String {
    fn from(name: ServerName) -> String {
        name.to_string()
    }
}

impl fmt::Display for ServerName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ServerName::Host(host) => f.pad(host),
            ServerName::Address(address) => address.fmt(f),
        }
    }
}

impl Expectation {
    /// Judges the certificate that a server presented (X.509 in DER, RFC 5280).
    pub fn judge(&self, certificate: &[u8], now: WallTime) -> Finding {
        let Some(certificate) = Certificate::read(certificate) else {
            return Finding::from(Verdict::definite("the certificate is malformed"));
        };
        let left = since(certificate.not_after, now);
        let verdict = if now < certificate.not_before {
            let ahead = since(certificate.not_before, now);
            Verdict::definite(format!("the certificate is not valid before {} from now", span(ahead)))
        } else if now > certificate.not_after {
            let ago = since(now, certificate.not_after);
            Verdict::definite(format!("the certificate expired {} ago", span(ago)))
        } else if !certificate.names.iter().any(|name| name.is_for(&self.name)) {
            Verdict::definite(format!("the certificate is not for {}", self.name))
        } else if left < self.valid_for {
            Verdict::definite(format!("the certificate expires in {}", span(left)))
        } else {
            Verdict::Pass
        };
        Finding::new(verdict, &format!("the certificate expires in {}", span(left)))
    }
}

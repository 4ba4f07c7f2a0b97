//! What a certificate says about dates and names (RFC 5280 sections 4.1.2.5 and 4.2.1.6).

use super::ServerName;
use super::der::{Elements, GENERALIZED_TIME, INTEGER, OBJECT_IDENTIFIER, OCTET_STRING, SEQUENCE, UTC_TIME};
use crate::calendar::{digits, moment};
use std::net::IpAddr;
use terms::WallTime;

/// The part of a certificate that is judged here.
pub(super) struct Certificate {
    pub(super) not_before: WallTime,
    pub(super) not_after: WallTime,
    pub(super) names: Vec<Name>,
}

/// One of the names that a certificate is for.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Name {
    /// A host, or with `*.` in front every host directly below.
    Host(String),
    Address(IpAddr),
}

/// Most names that are read.
const MOST_NAMES: usize = 1000;
/// Of `[0] EXPLICIT Version` and of `[3] EXPLICIT Extensions`.
const VERSION: u8 = 0xa0;
const EXTENSIONS: u8 = 0xa3;
/// id-ce-subjectAltName, 2.5.29.17.
const SUBJECT_ALT_NAME: &[u8] = &[0x55, 0x1d, 0x11];
/// Of dNSName and iPAddress among the GeneralNames.
const DNS_NAME: u8 = 0x82;
const IP_ADDRESS: u8 = 0x87;
const BOOLEAN: u8 = 0x01;

impl Certificate {
    /// Reads a certificate; none where it is malformed.
    pub(super) fn read(octets: &[u8]) -> Option<Certificate> {
        let mut certificate = Elements(Elements(octets).expect(SEQUENCE)?);
        let mut fields = Elements(certificate.expect(SEQUENCE)?);
        fields.optional(VERSION);
        fields.expect(INTEGER)?; // the serial number
        fields.expect(SEQUENCE)?; // the algorithm of the signature
        fields.expect(SEQUENCE)?; // the issuer
        let mut validity = Elements(fields.expect(SEQUENCE)?);
        let (not_before, not_after) = (time(validity.next()?)?, time(validity.next()?)?);
        fields.expect(SEQUENCE)?; // the subject, whose common name no longer counts (RFC 9525 section 2)
        fields.expect(SEQUENCE)?; // the key
        let mut names = Vec::new();
        while let Some((tag, content)) = fields.next() {
            if tag == EXTENSIONS {
                names = names_of(content)?;
            }
        }
        Some(Certificate { not_before, not_after, names })
    }
}

/// The names in the extensions; none where they are malformed.
fn names_of(extensions: &[u8]) -> Option<Vec<Name>> {
    let mut extensions = Elements(Elements(extensions).expect(SEQUENCE)?);
    while let Some((SEQUENCE, extension)) = extensions.next() {
        let mut extension = Elements(extension);
        let kind = extension.expect(OBJECT_IDENTIFIER)?;
        extension.optional(BOOLEAN); // whether it is critical
        let value = extension.expect(OCTET_STRING)?;
        if kind == SUBJECT_ALT_NAME {
            let mut general = Elements(Elements(value).expect(SEQUENCE)?);
            let all = std::iter::from_fn(|| general.next());
            return Some(all.take(MOST_NAMES).filter_map(Name::of).collect());
        }
    }
    Some(Vec::new())
}

impl Name {
    fn of((tag, content): (u8, &[u8])) -> Option<Name> {
        match tag {
            DNS_NAME => Some(Name::Host(str::from_utf8(content).ok()?.to_ascii_lowercase())),
            IP_ADDRESS => match *content {
                [a, b, c, d] => Some(Name::Address(IpAddr::from([a, b, c, d]))),
                _ => Some(Name::Address(IpAddr::from(<[u8; 16]>::try_from(content).ok()?))),
            },
            _ => None,
        }
    }

    /// Whether a certificate with this name is one for that server (RFC 9525 section 6).
    pub(super) fn is_for(&self, server: &ServerName) -> bool {
        match (self, server) {
            (Name::Address(ours), ServerName::Address(theirs)) => ours == theirs,
            (Name::Host(pattern), ServerName::Host(host)) => match pattern.strip_prefix("*.") {
                // The star stands for one label, and never for a whole top-level domain.
                Some(parent) => {
                    parent.contains('.') && host.split_once('.').is_some_and(|(_, above)| above == parent)
                }
                None => pattern == host,
            },
            (Name::Address(_), ServerName::Host(_)) | (Name::Host(_), ServerName::Address(_)) => false,
        }
    }
}

/// A moment as RFC 5280 section 4.1.2.5 has it written: `YYMMDDHHMMSSZ` or `YYYYMMDDHHMMSSZ`.
fn time((tag, text): (u8, &[u8])) -> Option<WallTime> {
    let (year, rest) = match tag {
        UTC_TIME => {
            let year = digits(text.get(..2)?)?;
            (if year < 50 { 2000 + year } else { 1900 + year }, &text[2..])
        }
        GENERALIZED_TIME => (digits(text.get(..4)?)?, &text[4..]),
        _ => return None,
    };
    let (numbers, b"Z") = rest.split_at_checked(10)? else { return None };
    let pair = |at: usize| digits(&numbers[at..at + 2]);
    // A certificate of before 1970 began long ago, whenever that was.
    let year = year.max(1970);
    moment(year, pair(0)?, pair(2)?, pair(4)?, pair(6)?, pair(8)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_star_stands_for_one_label() {
        let is_for =
            |pattern: &str, server: &str| Name::Host(pattern.to_owned()).is_for(&server.parse().unwrap());
        assert!(is_for("*.example.com", "WWW.example.com."));
        assert!(is_for("example.com", "example.com"));
        for (pattern, server) in [
            ("*.example.com", "example.com"),
            ("*.example.com", "a.b.example.com"),
            ("*.com", "example.com"),
            ("w*.example.com", "www.example.com"),
            ("192.0.2.1", "192.0.2.1"),
        ] {
            assert!(!is_for(pattern, server), "{pattern} {server}");
        }
    }

    #[test]
    fn both_forms_of_a_date_are_read() {
        assert_eq!(time((UTC_TIME, b"000229000000Z")), Some(WallTime(951_782_400_000)));
        assert_eq!(time((GENERALIZED_TIME, b"20000229000000Z")), Some(WallTime(951_782_400_000)));
        assert_eq!(time((GENERALIZED_TIME, b"99991231235959Z")).map(|at| at.0 / 1000), Some(253_402_300_799));
        assert_eq!(time((UTC_TIME, b"000229000000+0100")), None);
        assert_eq!(time((UTC_TIME, b"0002")), None);
    }
}

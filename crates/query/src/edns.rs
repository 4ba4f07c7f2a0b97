//! What an answer says with EDNS (RFC 6891).

use crate::cookie::Cookie;
use crate::text::printable;
use domain::base::iana::ExtendedErrorCode;
use domain::base::opt::{OptRecord, UnknownOptData};
use std::fmt;

/// Option codes of NSID (RFC 5001) and of extended errors (RFC 8914).
const NSID: u16 = 3;
const EXTENDED_ERROR: u16 = 15;

/// The OPT record of an answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Edns {
    /// Version; the server's highest where it is not the one asked for.
    pub version: u8,
    /// Largest datagram that the server takes, in octets.
    pub payload: u16,
    /// Signatures were asked for and understood (DO).
    pub dnssec_ok: bool,
    /// The name that the server gives itself (RFC 5001).
    pub nsid: Option<Vec<u8>>,
    /// The cookie as it came; [`Query::judge`](crate::Query::judge) has looked at it, if one was sent.
    pub cookie: Option<Vec<u8>>,
    /// Why the answer is as it is (RFC 8914).
    pub errors: Vec<ExtendedError>,
    /// Other options: code and data.
    pub others: Vec<(u16, Vec<u8>)>,
}

/// An extended error (RFC 8914 section 2).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExtendedError {
    /// Its number.
    pub code: u16,
    /// What the server adds, in printable ASCII with escapes; empty where it adds nothing.
    pub text: String,
}

impl ExtendedError {
    /// The registered name of the code, if it has one.
    pub fn name(&self) -> Option<&'static str> {
        ExtendedErrorCode::from_int(self.code).to_mnemonic_str()
    }
}

impl fmt::Display for ExtendedError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.code, self.name().unwrap_or("not registered"))?;
        if self.text.is_empty() { Ok(()) } else { write!(f, ": \"{}\"", self.text) }
    }
}

impl Edns {
    /// Reads the record; the error says which option is cut.
    pub(crate) fn read(record: &OptRecord<&[u8]>) -> Result<Edns, String> {
        let mut edns = Edns {
            version: record.version(),
            payload: record.udp_payload_size(),
            dnssec_ok: record.dnssec_ok(),
            nsid: None,
            cookie: None,
            errors: Vec::new(),
            others: Vec::new(),
        };
        for (index, option) in (1..).zip(record.opt().iter::<UnknownOptData<&[u8]>>()) {
            let option = option.map_err(|error| format!("OPT, option {index}: {error}"))?;
            edns.take(option.code().to_int(), option.as_slice())
                .map_err(|fault| format!("OPT, option {index}: {fault}"))?;
        }
        Ok(edns)
    }

    /// Of options that may be there once the first counts.
    fn take(&mut self, code: u16, data: &[u8]) -> Result<(), &'static str> {
        match code {
            NSID if self.nsid.is_none() => self.nsid = Some(data.to_vec()),
            Cookie::CODE if self.cookie.is_none() => self.cookie = Some(data.to_vec()),
            EXTENDED_ERROR => {
                let (code, text) = data.split_first_chunk().ok_or("an extended error without a code")?;
                // Some servers close the text with a zero, which RFC 8914 section 2 wants to be passed over.
                let text = text.strip_suffix(&[0]).unwrap_or(text);
                self.errors.push(ExtendedError { code: u16::from_be_bytes(*code), text: printable(text) });
            }
            _ => self.others.push((code, data.to_vec())),
        }
        Ok(())
    }
}

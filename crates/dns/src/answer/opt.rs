//! The OPT record of a reply: what it says beside its code and its records.

use super::{ResponseCode, UDP_PAYLOAD};
use crate::cookie::CookieOption;
use crate::query::Edns;
use crate::reply::{Reply, Section};
use terms::RecordType;

/// Owner, type, payload, code and version, flags and length of an OPT record (RFC 6891 section 6.1.2).
const FIXED: usize = 11;

/// Code of an extended error (RFC 8914 section 6.1).
const OPTION_ERROR: u16 = 15;
/// An extended error without text.
type ErrorOption = [u8; 6];

/// Why a reply says what its code says (RFC 8914 section 5.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ExtendedError {
    /// The zone has expired, or has not come yet.
    NotReady = 14,
    /// The name is in no zone of ours.
    NotAuthoritative = 20,
    /// There is nothing of the kind.
    NotSupported = 21,
    /// The zone that we should answer from is of no use.
    InvalidData = 24,
}

impl ExtendedError {
    fn option(self) -> ErrorOption {
        let [c0, c1] = OPTION_ERROR.to_be_bytes();
        let [i0, i1] = (self as u16).to_be_bytes();
        [c0, c1, 0, 2, i0, i1]
    }
}

/// An OPT record to be written.
pub(super) struct Opt<'a> {
    pub(super) edns: Edns,
    /// The option as it is sent; empty if it was not asked for.
    pub(super) nsid: &'a [u8],
    pub(super) cookie: Option<CookieOption>,
}

impl Opt<'_> {
    /// Octets that it needs. An error needs more, and is left out where they are not there.
    pub(super) fn length(&self) -> usize {
        FIXED + self.nsid.len() + self.cookie().len()
    }

    fn cookie(&self) -> &[u8] {
        self.cookie.as_ref().map_or(&[], |cookie| cookie)
    }

    /// Writes it. Says whether it fits.
    pub(super) fn write(
        &self,
        code: ResponseCode,
        error: Option<ExtendedError>,
        reply: &mut Reply<'_>,
    ) -> bool {
        let error = error.map(ExtendedError::option);
        let error = error.as_ref().filter(|option| self.length() + option.len() <= reply.room());
        let error: &[u8] = error.map_or(&[], |option| option);
        let options = self.nsid.len() + self.cookie().len() + error.len();
        reply.records(Section::Additional, 1, &self.fixed(code, options))
            && reply.put(self.nsid)
            && reply.put(self.cookie())
            && reply.put(error)
    }

    /// All of it but its options: version 0, DO as the client set it and no other flag (RFC 6891 section 6.1.3,
    /// RFC 3225).
    fn fixed(&self, code: ResponseCode, options: usize) -> [u8; FIXED] {
        let [k0, k1] = RecordType::OPT.get().to_be_bytes();
        let [p0, p1] = UDP_PAYLOAD.to_be_bytes();
        let [l0, l1] = (options as u16).to_be_bytes(); // an NSID of at most 67 octets, a cookie of 28, an error of 6
        let extended = (code as u8) >> 4;
        [0, k0, k1, p0, p1, extended, 0, u8::from(self.edns.dnssec_ok) << 7, 0, l0, l1]
    }
}

//! The OPT record of a reply: what it says beside its code and its records.

use super::{Arrival, ResponseCode, Server, Transport, UDP_PAYLOAD};
use crate::cookie::{Cookie, CookieOption};
use crate::query::{Edns, OPTION_PADDING, OPTION_PATIENCE};
use crate::reply::{Reply, Section};
use std::time::Duration;
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
    /// How long the connection may be idle, if the client is told.
    pub(super) patience: Option<Duration>,
    /// Whether the reply is made as long as many others are, so that its length tells a listener less.
    pub(super) is_padded: bool,
}

/// Padded replies have a multiple of so many octets (RFC 8467 section 4.1).
const BLOCK: usize = 468;
/// Code and length of an option.
const OPTION: usize = 4;
/// The option that tells how long a connection may be idle.
type PatienceOption = [u8; 6];

/// In tenths of a second (RFC 7828 section 3.1), less rather than more.
fn patience_option(patience: Duration) -> PatienceOption {
    let tenths = u16::try_from(patience.as_millis() / 100).unwrap_or(u16::MAX);
    let ([c0, c1], [t0, t1]) = (OPTION_PATIENCE.to_be_bytes(), tenths.to_be_bytes());
    [c0, c1, 0, 2, t0, t1]
}

impl<'a> Opt<'a> {
    /// What answers a client's EDNS, and what its cookie is worth.
    pub(super) fn answering(edns: Edns, server: &Server<'a>, arrival: &Arrival<'_>) -> (Cookie, Opt<'a>) {
        let Server { identity, secrets, zones: _ } = *server;
        let judged = edns.cookie.map(|cookie| secrets.judge(cookie, arrival.client, arrival.wall));
        let opt = Opt {
            edns,
            nsid: if edns.wants_nsid { identity.nsid() } else { &[] },
            cookie: judged.map(|(_, option)| option),
            patience: arrival.patience.filter(|_| edns.wants_patience),
            is_padded: edns.wants_padding && arrival.transport == Transport::Tls,
        };
        (judged.map_or(Cookie::None, |(worth, _)| worth), opt)
    }
}

impl Opt<'_> {
    /// Octets that it needs. An error needs more, and is left out where they are not there.
    pub(super) fn length(&self) -> usize {
        let patience = self.patience.map_or(0, |_| size_of::<PatienceOption>());
        let padding = if self.is_padded { OPTION } else { 0 };
        FIXED + self.nsid.len() + self.cookie().len() + patience + padding
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
        let patience = self.patience.map(patience_option);
        let patience: &[u8] = patience.as_ref().map_or(&[], |option| option);
        let length = self.length() + error.len();
        let padding = if self.is_padded {
            padding(reply.length() + length, reply.room().saturating_sub(length))
        } else {
            0
        };
        reply.records(Section::Additional, 1, &self.fixed(code, length - FIXED + padding))
            && reply.put(self.nsid)
            && reply.put(self.cookie())
            && reply.put(error)
            && reply.put(patience)
            && (!self.is_padded || reply.put(&padding_option(padding)[..OPTION + padding]))
    }

    /// All of it but its options: version 0, DO as the client set it and no other flag (RFC 6891 section 6.1.3,
    /// RFC 3225).
    fn fixed(&self, code: ResponseCode, options: usize) -> [u8; FIXED] {
        let [k0, k1] = RecordType::OPT.get().to_be_bytes();
        let [p0, p1] = UDP_PAYLOAD.to_be_bytes();
        let [l0, l1] = (options as u16).to_be_bytes(); // less than 600, most of it padding
        let extended = (code as u8) >> 4;
        [0, k0, k1, p0, p1, extended, 0, u8::from(self.edns.dnssec_ok) << 7, 0, l0, l1]
    }
}

/// Octets of zero that make the reply a multiple of [`BLOCK`], as far as there is room.
fn padding(length: usize, room: usize) -> usize {
    (length.next_multiple_of(BLOCK) - length).min(room)
}

/// The option with so many octets of zero, and more behind it.
fn padding_option(padding: usize) -> [u8; OPTION + BLOCK] {
    let mut option = [0; OPTION + BLOCK];
    option[..2].copy_from_slice(&OPTION_PADDING.to_be_bytes());
    option[2..OPTION].copy_from_slice(&(padding as u16).to_be_bytes()); // less than a block
    option
}

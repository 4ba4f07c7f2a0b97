//! The answer to one message.
//!
//! ```text
//!  message --> Header, Query --> zone, identity or a code alone --> out
//!                 |                                                  |
//!                 +-- silence, NOTIMP, FORMERR                       +-- EDNS, and truncation when it does not fit
//! ```
//! The same on every path: over UDP and TCP only the room differs.

mod in_zone;
mod proofs;

use crate::identity::Identity;
use crate::query::{Edns, Header, Malformed, Query};
use crate::reply::{Flags, Reply, Section};
use crate::zones::Zones;
use std::fmt;
use terms::RecordType;

/// Largest reply over UDP, in octets: it fits every path without fragments (RFC 9715), so that nobody needs the
/// path's own size, whose ICMP messages could reach another site.
pub const UDP_PAYLOAD: u16 = 1232;
/// Largest reply over UDP to a query without EDNS (RFC 1035 section 4.2.1).
const UDP_PLAIN: u16 = 512;
const CLASS_IN: u16 = 1;
const CLASS_CHAOS: u16 = 3;
/// Owner, type, payload, code and version, flags and length of an OPT record (RFC 6891 section 6.1.2).
const OPT_FIXED: usize = 11;

/// How the message came, which decides how much room its reply has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Transport {
    /// A datagram: at most what the client takes and [`UDP_PAYLOAD`].
    Udp,
    /// A stream: at most 65535 octets.
    Tcp,
    /// A stream inside TLS: the same, and nobody else can read it.
    Tls,
}

/// What became of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The first `length` octets of `out` are to be sent back.
    Reply {
        /// Octets.
        length: usize,
        /// What the reply says.
        code: ResponseCode,
        /// Whether records were left out for want of room (TC).
        truncated: bool,
    },
    /// Nothing is to be sent.
    Silence(Silence),
}

/// Why nothing is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Silence {
    /// Shorter than a header: whoever sent it speaks another protocol.
    TooShort,
    /// It is a reply itself. Two servers that answer each other's replies would never stop.
    AlreadyAReply,
    /// `out` has no room even for the question.
    NoRoom,
}

/// What a reply says (RFC 1035 section 4.1.1, RFC 6891 section 9).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum ResponseCode {
    /// The question was answered, perhaps with nothing.
    NoError = 0,
    /// The message could not be read.
    FormErr = 1,
    /// The zone's image is damaged.
    ServFail = 2,
    /// The name does not exist.
    NxDomain = 3,
    /// The operation is none that we know.
    NotImp = 4,
    /// The name is in no zone of ours.
    Refused = 5,
    /// The name that a DNAME makes would be too long (RFC 6672 section 2.2).
    YxDomain = 6,
    /// An EDNS version other than 0.
    BadVers = 16,
}

impl ResponseCode {
    /// All of them, in the order of their numbers.
    pub const ALL: [ResponseCode; 8] = [
        ResponseCode::NoError,
        ResponseCode::FormErr,
        ResponseCode::ServFail,
        ResponseCode::NxDomain,
        ResponseCode::NotImp,
        ResponseCode::Refused,
        ResponseCode::YxDomain,
        ResponseCode::BadVers,
    ];
}

impl fmt::Display for ResponseCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            ResponseCode::NoError => "NOERROR",
            ResponseCode::FormErr => "FORMERR",
            ResponseCode::ServFail => "SERVFAIL",
            ResponseCode::NxDomain => "NXDOMAIN",
            ResponseCode::NotImp => "NOTIMP",
            ResponseCode::Refused => "REFUSED",
            ResponseCode::YxDomain => "YXDOMAIN",
            ResponseCode::BadVers => "BADVERS",
        })
    }
}

/// Answers one message into `out`, which should have room for 512 octets at least, and for 65535 over TCP.
///
/// Allocates nothing and takes no lock. The octets of `out` after the reply are unspecified.
pub fn answer(
    zones: &Zones,
    identity: &Identity,
    message: &[u8],
    transport: Transport,
    out: &mut [u8],
) -> Outcome {
    let Some(header) = Header::of(message) else { return Outcome::Silence(Silence::TooShort) };
    if header.is_reply() {
        return Outcome::Silence(Silence::AlreadyAReply);
    }
    if header.opcode() != 0 {
        // What follows the header depends on the operation, so none of it is repeated.
        return bare(header, &[], ResponseCode::NotImp, out);
    }
    match Query::of(message) {
        Ok(query) => {
            let limit = room(query.edns, transport);
            write(header, &query, zones, identity, limit, out)
        }
        Err(Malformed { question }) => bare(header, question, ResponseCode::FormErr, out),
    }
}

/// What a reply says beside its records.
struct Said {
    code: ResponseCode,
    authoritative: bool,
}

impl Said {
    /// A code alone.
    fn bare(code: ResponseCode) -> Said {
        Said { code, authoritative: false }
    }
}

/// Writes the records of an answer.
fn decide(zones: &Zones, identity: &Identity, query: &Query<'_>, reply: &mut Reply<'_>) -> Said {
    if query.edns.is_some_and(|edns| edns.version != 0) {
        return Said::bare(ResponseCode::BadVers);
    }
    match (query.class, query.kind) {
        // Zones are not transferred.
        (CLASS_IN, RecordType::AXFR | RecordType::IXFR) => Said::bare(ResponseCode::Refused),
        (CLASS_IN, _) => match zones.find(&query.name, query.kind) {
            Some(home) => in_zone::answer(&home, query, reply).unwrap_or_else(|| {
                reply.clear();
                Said::bare(ResponseCode::ServFail)
            }),
            None => Said::bare(ResponseCode::Refused),
        },
        (CLASS_CHAOS, RecordType::TXT | RecordType::ANY) => match identity.chaos(query.name.lower()) {
            Some(octets) => {
                reply.records(Section::Answer, 1, octets);
                Said { code: ResponseCode::NoError, authoritative: true }
            }
            None => Said::bare(ResponseCode::Refused),
        },
        _ => Said::bare(ResponseCode::Refused),
    }
}

/// Octets that a reply may have (RFC 6891 section 6.2.5: a payload below 512 means 512).
fn room(edns: Option<Edns>, transport: Transport) -> usize {
    usize::from(match (transport, edns) {
        (Transport::Tcp | Transport::Tls, _) => u16::MAX,
        (Transport::Udp, None) => UDP_PLAIN,
        (Transport::Udp, Some(edns)) => edns.payload.clamp(UDP_PLAIN, UDP_PAYLOAD),
    })
}

fn write(
    header: Header,
    query: &Query<'_>,
    zones: &Zones,
    identity: &Identity,
    limit: usize,
    out: &mut [u8],
) -> Outcome {
    let nsid = if query.edns.is_some_and(|edns| edns.wants_nsid) { identity.nsid() } else { &[] };
    let opt = if query.edns.is_some() { OPT_FIXED + nsid.len() } else { 0 };
    let limit = limit.min(out.len());
    let room = limit.checked_sub(opt);
    let Some(mut reply) = room.and_then(|room| Reply::begin(out, query.question, room)) else {
        return Outcome::Silence(Silence::NoRoom);
    };
    let Said { code, authoritative } = decide(zones, identity, query, &mut reply);
    let truncated = reply.has_overflowed();
    if truncated {
        reply.clear();
    }
    if let Some(edns) = query.edns {
        reply.extend_limit(limit);
        let fits =
            reply.records(Section::Additional, 1, &opt_record(edns, code, nsid.len())) && reply.put(nsid);
        if !fits {
            return Outcome::Silence(Silence::NoRoom);
        }
    }
    let length = reply.finish(header, Flags { authoritative, truncated }, code as u8);
    Outcome::Reply { length, code, truncated }
}

/// Our OPT record up to its options: version 0, DO as the client set it and no other flag (RFC 6891 section 6.1.3,
/// RFC 3225).
fn opt_record(edns: Edns, code: ResponseCode, options: usize) -> [u8; OPT_FIXED] {
    let [k0, k1] = RecordType::OPT.get().to_be_bytes();
    let [p0, p1] = UDP_PAYLOAD.to_be_bytes();
    let [l0, l1] = (options as u16).to_be_bytes(); // an NSID of at most 67 octets
    let extended = (code as u8) >> 4;
    [0, k0, k1, p0, p1, extended, 0, u8::from(edns.dnssec_ok) << 7, 0, l0, l1]
}

/// A reply of a header, and the question if that could be read.
fn bare(header: Header, question: &[u8], code: ResponseCode, out: &mut [u8]) -> Outcome {
    match Reply::begin(out, question, usize::MAX) {
        Some(reply) => {
            let length = reply.finish(header, Flags::default(), code as u8);
            Outcome::Reply { length, code, truncated: false }
        }
        None => Outcome::Silence(Silence::NoRoom),
    }
}

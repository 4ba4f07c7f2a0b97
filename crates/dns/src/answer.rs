//! The answer to one message.
//!
//! ```text
//!  message --> Header, Query --> zone, identity or a code alone --> out
//!                 |                                                  |
//!                 +-- silence, NOTIMP, FORMERR                       +-- too often: less, or silence
//!                                                                    +-- EDNS, and truncation when it does not fit
//! ```
//! The same on every path: over UDP and TCP only the room differs.

mod envelope;
mod in_zone;
mod opt;
mod proofs;

use crate::cookie::{Cookie, Secrets};
use crate::identity::Identity;
use crate::query::{Edns, Header, Malformed, Query};
use crate::rate::{RateLimiter, Subject, Verdict};
use crate::reply::{Flags, Reply, Section};
use crate::zones::{Found, Zones};
pub use envelope::Envelope;
use opt::{ExtendedError, Opt};
use std::fmt;
use std::net::IpAddr;
use std::time::Duration;
use terms::{RecordType, Timestamp, WallTime};

/// Largest reply over UDP, in octets: it fits every path without fragments (RFC 9715), so that nobody needs the
/// path's own size, whose ICMP messages could reach another site.
pub const UDP_PAYLOAD: u16 = 1232;
/// Largest reply over UDP to a query without EDNS (RFC 1035 section 4.2.1).
const UDP_PLAIN: u16 = 512;
/// The operation that says that a zone has changed (RFC 1996).
const NOTIFY: u8 = 4;
const CLASS_IN: u16 = 1;
const CLASS_CHAOS: u16 = 3;

/// What all answers of a moment are made from.
#[derive(Clone, Copy, Debug)]
pub struct Server<'s> {
    /// What is served.
    pub zones: &'s Zones,
    /// Who answers.
    pub identity: &'s Identity,
    /// What cookies are made with.
    pub secrets: &'s Secrets,
}

/// A message that came.
#[derive(Clone, Copy, Debug)]
pub struct Arrival<'m> {
    /// Its octets, without the length that TCP puts in front.
    pub message: &'m [u8],
    /// Who sent it, or says so: over UDP only a cookie proves it.
    pub client: IpAddr,
    /// How it came.
    pub transport: Transport,
    /// How long its connection may be idle, which a client is told that asks (RFC 7828); none over UDP.
    pub patience: Option<Duration>,
    /// Octets of the reply's room that are left for whoever puts more behind it: a signature.
    pub reserved: usize,
    /// When.
    pub now: Timestamp,
    /// When by the calendar: cookies have a date.
    pub wall: WallTime,
}
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
        /// What the client's cookie was worth.
        cookie: Cookie,
        /// Whether it says less than it could, because the client's network is told the same too often.
        slipped: bool,
    },
    /// Nothing is to be sent.
    Silence(Silence),
    /// The message is about a zone as a whole, or is signed: whoever has keys and knows who may have which zone is to
    /// answer it.
    Aside,
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
    /// The client's network is told the same too often.
    TooOften,
}

/// What a reply says (RFC 1035 section 4.1.1, RFC 6891 section 9).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum ResponseCode {
    /// The question was answered, perhaps with nothing.
    NoError = 0,
    /// The message could not be read.
    FormErr = 1,
    /// The zone's image is damaged, or the zone has expired or not come yet.
    ServFail = 2,
    /// The name does not exist.
    NxDomain = 3,
    /// The operation is none that we know.
    NotImp = 4,
    /// The name is in no zone of ours.
    Refused = 5,
    /// The name that a DNAME makes would be too long (RFC 6672 section 2.2).
    YxDomain = 6,
    /// The zone is none of ours, or the signature is not right (RFC 1996 section 3.12, RFC 8945 section 5.2).
    NotAuth = 9,
    /// An EDNS version other than 0.
    BadVers = 16,
    /// The client should come back with the cookie of this reply (RFC 7873 section 5.2.3).
    BadCookie = 23,
}

impl ResponseCode {
    /// All of them, in the order of their numbers.
    pub const ALL: [ResponseCode; 10] = [
        ResponseCode::NoError,
        ResponseCode::FormErr,
        ResponseCode::ServFail,
        ResponseCode::NxDomain,
        ResponseCode::NotImp,
        ResponseCode::Refused,
        ResponseCode::YxDomain,
        ResponseCode::NotAuth,
        ResponseCode::BadVers,
        ResponseCode::BadCookie,
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
            ResponseCode::NotAuth => "NOTAUTH",
            ResponseCode::BadVers => "BADVERS",
            ResponseCode::BadCookie => "BADCOOKIE",
        })
    }
}

/// Answers one message into `out`, which should have room for 512 octets at least, and for 65535 over TCP. With
/// a `limiter`, whoever is told the same too often over UDP is told less.
///
/// Allocates nothing and takes no lock. The octets of `out` after the reply are unspecified.
pub fn answer(
    server: &Server<'_>,
    limiter: Option<&mut RateLimiter>,
    arrival: &Arrival<'_>,
    out: &mut [u8],
) -> Outcome {
    let Some(header) = Header::of(arrival.message) else { return Outcome::Silence(Silence::TooShort) };
    if header.is_reply() {
        return Outcome::Silence(Silence::AlreadyAReply);
    }
    let mut desk = Desk { server, limiter, arrival, header };
    if header.opcode() == NOTIFY {
        return desk.aside(None);
    }
    if header.opcode() != 0 {
        // What follows the header depends on the operation, so none of it is repeated.
        return desk.bare(&[], ResponseCode::NotImp, out);
    }
    match Query::of(arrival.message) {
        Ok(query) if query.is_signed || is_transfer(&query) => desk.aside(query.edns),
        Ok(query) => desk.write(query.question, query.edns, out, |reply| decide(server, &query, reply)),
        Err(Malformed { question, edns: Some(edns) }) => {
            desk.write(question, Some(edns), out, |_| Said::bare(ResponseCode::FormErr))
        }
        Err(Malformed { question, edns: None }) => match Edns::of_cookie_alone(arrival.message) {
            Some(edns) => desk.write(&[], Some(edns), out, |_| Said::bare(ResponseCode::NoError)),
            None => desk.bare(question, ResponseCode::FormErr, out),
        },
    }
}

/// Whether all of a zone is asked for, or its changes (RFC 5936, RFC 1995), and not with an EDNS that we do not know.
fn is_transfer(query: &Query<'_>) -> bool {
    query.class == CLASS_IN
        && matches!(query.kind, RecordType::AXFR | RecordType::IXFR)
        && query.edns.is_none_or(|edns| edns.version == 0)
}

/// What a reply says beside its records.
struct Said<'z> {
    code: ResponseCode,
    authoritative: bool,
    error: Option<ExtendedError>,
    subject: Subject<'z>,
}

impl Said<'static> {
    /// A code alone.
    fn bare(code: ResponseCode) -> Self {
        Said { code, authoritative: false, error: None, subject: Subject::ERROR }
    }

    /// A code, and why.
    fn because(code: ResponseCode, error: ExtendedError) -> Self {
        Said { error: Some(error), ..Said::bare(code) }
    }
}

/// Writes the records of an answer.
fn decide<'s>(server: &Server<'s>, query: &Query<'_>, reply: &mut Reply<'_>) -> Said<'s> {
    let refused = |error| Said::because(ResponseCode::Refused, error);
    if query.edns.is_some_and(|edns| edns.version != 0) {
        return Said::bare(ResponseCode::BadVers);
    }
    match (query.class, query.kind) {
        (CLASS_IN, _) => match server.zones.find(&query.name, query.kind) {
            Some(Found::Unavailable) => Said::because(ResponseCode::ServFail, ExtendedError::NotReady),
            Some(Found::Home(home)) => in_zone::answer(&home, query, reply).unwrap_or_else(|| {
                reply.clear();
                Said::because(ResponseCode::ServFail, ExtendedError::InvalidData)
            }),
            None => refused(ExtendedError::NotAuthoritative),
        },
        (CLASS_CHAOS, RecordType::TXT | RecordType::ANY) => match server.identity.chaos(query.name.lower()) {
            Some(octets) => {
                reply.records(Section::Answer, 1, octets);
                Said { authoritative: true, ..Said::bare(ResponseCode::NoError) }
            }
            None => refused(ExtendedError::NotAuthoritative),
        },
        (CLASS_CHAOS, _) => refused(ExtendedError::NotAuthoritative),
        _ => refused(ExtendedError::NotSupported),
    }
}

/// Octets that a reply may have (RFC 6891 section 6.2.5: a payload below 512 means 512), but for those that are reserved.
fn room(edns: Option<Edns>, arrival: &Arrival<'_>) -> usize {
    let all = match (arrival.transport, edns) {
        (Transport::Tcp | Transport::Tls, _) => u16::MAX,
        (Transport::Udp, None) => UDP_PLAIN,
        (Transport::Udp, Some(edns)) => edns.payload.clamp(UDP_PLAIN, UDP_PAYLOAD),
    };
    usize::from(all).saturating_sub(arrival.reserved)
}

/// One message that gets a reply.
struct Desk<'d> {
    server: &'d Server<'d>,
    limiter: Option<&'d mut RateLimiter>,
    arrival: &'d Arrival<'d>,
    header: Header,
}

impl<'d> Desk<'d> {
    /// Writes the records that `decide` does, and what belongs to every reply.
    fn write<'z>(
        &mut self,
        question: &[u8],
        edns: Option<Edns>,
        out: &mut [u8],
        decide: impl FnOnce(&mut Reply<'_>) -> Said<'z>,
    ) -> Outcome {
        let (cookie, opt) = edns.map_or((Cookie::None, None), |edns| self.opt(edns));
        let limit = room(edns, self.arrival).min(out.len());
        let room = limit.checked_sub(opt.as_ref().map_or(0, Opt::length));
        let Some(mut reply) = room.and_then(|room| Reply::begin(out, question, room)) else {
            return Outcome::Silence(Silence::NoRoom);
        };
        let said = decide(&mut reply);
        let verdict = self.judge(cookie, &said.subject);
        let slipped = verdict == Verdict::Slip;
        let (said, truncated) = match (verdict, cookie) {
            (Verdict::Drop, _) => return Outcome::Silence(Silence::TooOften),
            (Verdict::Answer, _) => (said, reply.has_overflowed()),
            (Verdict::Slip, Cookie::None | Cookie::Good) => (Said::bare(ResponseCode::NoError), true),
            (Verdict::Slip, Cookie::First | Cookie::Bad) => (Said::bare(ResponseCode::BadCookie), false),
        };
        if truncated || slipped {
            reply.clear();
        }
        let Said { code, authoritative, error, subject: _ } = said;
        if let Some(opt) = opt {
            reply.extend_limit(limit);
            if !opt.write(code, error, &mut reply) {
                return Outcome::Silence(Silence::NoRoom);
            }
        }
        let length = reply.finish(self.header, Flags { authoritative, truncated }, code as u8);
        Outcome::Reply { length, code, truncated, cookie, slipped }
    }

    /// A reply of a header, and the question if that could be read.
    fn bare(&mut self, question: &[u8], code: ResponseCode, out: &mut [u8]) -> Outcome {
        // It cannot say less.
        if self.judge(Cookie::None, &Subject::ERROR) == Verdict::Drop {
            return Outcome::Silence(Silence::TooOften);
        }
        let Some(reply) = Reply::begin(out, question, usize::MAX) else {
            return Outcome::Silence(Silence::NoRoom);
        };
        let length = reply.finish(self.header, Flags::default(), code as u8);
        Outcome::Reply { length, code, truncated: false, cookie: Cookie::None, slipped: false }
    }

    /// Leaves the message to others, unless they are kept busy too often. What they say cannot be made less here.
    fn aside(&mut self, edns: Option<Edns>) -> Outcome {
        let cookie = edns.map_or(Cookie::None, |edns| self.opt(edns).0);
        match self.judge(cookie, &Subject::ASIDE) {
            Verdict::Answer => Outcome::Aside,
            Verdict::Slip | Verdict::Drop => Outcome::Silence(Silence::TooOften),
        }
    }

    /// Whether the client is told this too often. Who is known to receive what we send is not asked.
    fn judge(&mut self, cookie: Cookie, subject: &Subject<'_>) -> Verdict {
        let Arrival { client, transport, now, .. } = *self.arrival;
        match (&mut self.limiter, transport, cookie) {
            (Some(limiter), Transport::Udp, Cookie::None | Cookie::First | Cookie::Bad) => {
                limiter.judge(client, subject, now)
            }
            (None, _, _)
            | (Some(_), Transport::Tcp | Transport::Tls, _)
            | (Some(_), Transport::Udp, Cookie::Good) => Verdict::Answer,
        }
    }

    /// What the cookie is worth, and what the OPT record of the reply will say.
    fn opt(&self, edns: Edns) -> (Cookie, Option<Opt<'d>>) {
        let (cookie, opt) = Opt::answering(edns, self.server, self.arrival);
        (cookie, Some(opt))
    }
}

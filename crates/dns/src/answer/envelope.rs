//! What a reply keeps to that somebody else writes, after [`Outcome::Aside`](super::Outcome::Aside).

use super::opt::Opt;
use super::{Arrival, ResponseCode, Server, room};
use crate::query::{Edns, HEADER};
use crate::reply::Reply;

/// What belongs to the reply to a message, whatever that says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Envelope {
    /// Octets that it may have, without those that are [reserved](Arrival::reserved).
    pub room: usize,
    /// Its OPT record; empty where the message has none (RFC 6891 section 6.1.1). 128 octets at most.
    pub opt: Vec<u8>,
}

impl Envelope {
    /// Longest OPT record: with the name of a site, a cookie, how long a connection may be idle, and empty padding.
    const LONGEST: usize = 128;

    /// Of the reply to a message, which may be malformed.
    pub fn of(server: &Server<'_>, arrival: &Arrival<'_>) -> Envelope {
        let edns = Edns::of(arrival.message);
        let opt = edns.and_then(|edns| {
            let (_, opt) = Opt::answering(edns, server, arrival);
            let mut out = [0; HEADER + Envelope::LONGEST];
            let mut reply = Reply::begin(&mut out, &[], HEADER + opt.length())?;
            opt.write(ResponseCode::NoError, None, &mut reply).then(|| reply.message()[HEADER..].to_vec())
        });
        Envelope { room: room(edns, arrival), opt: opt.unwrap_or_default() }
    }
}

//! Does a DNS server answer with authority?
//!
//! ```text
//!  query(id) --> the server --> judge(id, reply) -+-> NotOurs   another id, another question: keep waiting
//!                                                 +-> Pass      NOERROR, AA, a record of the type asked for
//!                                                 +-> Fail      anything else, in words, always definite
//! ```
//! The reply is hostile until judged: every read is bounded, and a name is only skipped, never followed.

use serde::{Deserialize, Serialize};
use std::borrow::Cow;
use terms::{DomainName, FailKind, Reason, RecordType, Verdict};

/// What a healthy server answers: at least one record of that type, with authority.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Expectation {
    /// The name to ask for.
    pub name: DomainName,
    /// The type to ask for, in class IN.
    pub qtype: RecordType,
}

/// What a datagram turned out to be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Judged {
    /// No reply to this query: a late reply to an earlier one, or somebody else's. Keep waiting.
    NotOurs,
    /// The reply, and whether it is good. A failure is always [`FailKind::Definite`].
    Reply(Verdict),
}

/// Largest reply that we ask for over UDP, in octets: it fits every path without fragments (RFC 9715).
const PAYLOAD: u16 = 1232;
const HEADER: usize = 12;
const CLASS_IN: u16 = 1;
/// Of the third octet of a message: this is a reply; its operation; with authority; truncated (RFC 1035 4.1.1).
const QR: u8 = 0x80;
const OPCODE: u8 = 0x78;
const AA: u8 = 0x04;
const TC: u8 = 0x02;

impl Expectation {
    /// The query to send: recursion not desired, EDNS with a payload of 1232 octets (RFC 6891).
    pub fn query(&self, id: u16) -> Vec<u8> {
        let mut message = Vec::with_capacity(HEADER + DomainName::MAX_OCTETS + 4 + 11);
        message.extend_from_slice(&id.to_be_bytes());
        message.extend_from_slice(&[0, 0, /* questions */ 0, 1, 0, 0, 0, 0, /* additional */ 0, 1]);
        message.extend_from_slice(&self.question());
        message.push(0); // the OPT record belongs to the root
        message.extend_from_slice(&RecordType::OPT.get().to_be_bytes());
        message.extend_from_slice(&PAYLOAD.to_be_bytes());
        message.extend_from_slice(&[0; 6]); // extended code, version, flags, no options
        message
    }

    fn question(&self) -> Vec<u8> {
        let mut question = self.name.as_wire().to_vec();
        question.extend_from_slice(&self.qtype.get().to_be_bytes());
        question.extend_from_slice(&CLASS_IN.to_be_bytes());
        question
    }

    /// Judges one datagram that arrived after `query(id)` was sent.
    pub fn judge(&self, id: u16, datagram: &[u8]) -> Judged {
        let Some((header, body)) = datagram.split_first_chunk::<HEADER>() else { return Judged::NotOurs };
        let ours = header[..2] == id.to_be_bytes() && header[2] & (QR | OPCODE) == QR;
        if !ours {
            return Judged::NotOurs;
        }
        let code = header[3] & 0x0f;
        match u16::from_be_bytes([header[4], header[5]]) {
            // A server that could not read the query may leave the question out.
            0 if code != 0 => {}
            1 if self.is_asked_by(body) => {}
            _ => return Judged::NotOurs,
        }
        Judged::Reply(match self.fault(header, code, body.get(self.question().len()..).unwrap_or_default()) {
            None => Verdict::Pass,
            Some(words) => Verdict::Fail { kind: FailKind::Definite, reason: Reason::from(words) },
        })
    }

    /// Whether our question stands at the beginning. A server may change the case of letters (RFC 4343).
    fn is_asked_by(&self, body: &[u8]) -> bool {
        let question = self.question();
        let name = self.name.as_wire().len();
        body.get(..name).is_some_and(|asked| asked.eq_ignore_ascii_case(&question[..name]))
            && body.get(name..question.len()) == Some(&question[name..])
    }

    /// What is wrong with a reply whose id and question are ours, if anything is.
    fn fault(&self, header: &[u8; HEADER], code: u8, records: &[u8]) -> Option<Cow<'static, str>> {
        let count = u16::from_be_bytes([header[6], header[7]]);
        if code != 0 {
            Some(format!("answered {}", response_code(code)).into())
        } else if header[2] & AA == 0 {
            Some("answered without authority (AA is not set)".into())
        } else if count == 0 && header[2] & TC != 0 {
            Some("the answer does not fit 1232 octets: check a name whose answer is smaller".into())
        } else if count == 0 {
            Some(format!("answered that {} has no {}", self.name, self.qtype).into())
        } else {
            match has_record(records, count, self.qtype) {
                Some(true) => None,
                Some(false) => Some(format!("answered {}, but no {} among it", self.name, self.qtype).into()),
                None => Some("the answer is malformed".into()),
            }
        }
    }
}

/// Whether a record of that type is among the first `count` records; none when they are malformed.
fn has_record(mut rest: &[u8], count: u16, wanted: RecordType) -> Option<bool> {
    let mut found = false;
    for _ in 0..count {
        rest = after_name(rest)?;
        let (fixed, after) = rest.split_first_chunk::<10>()?;
        let [t0, t1, c0, c1, _, _, _, _, l0, l1] = *fixed;
        rest = after.get(usize::from(u16::from_be_bytes([l0, l1]))..)?;
        found |= u16::from_be_bytes([t0, t1]) == wanted.get() && u16::from_be_bytes([c0, c1]) == CLASS_IN;
    }
    Some(found)
}

/// What follows a name: labels up to the root or to a pointer (RFC 1035 section 4.1.4), which is not followed.
fn after_name(mut rest: &[u8]) -> Option<&[u8]> {
    loop {
        let (&length, after) = rest.split_first()?;
        match length {
            0 => return Some(after),
            1..=63 => rest = after.get(usize::from(length)..)?,
            0xc0.. => return after.get(1..),
            _ => return None,
        }
    }
}

/// The name of a response code (RFC 1035 section 4.1.1, RFC 2136 section 2.2).
fn response_code(code: u8) -> Cow<'static, str> {
    match code {
        1 => "FORMERR".into(),
        2 => "SERVFAIL".into(),
        3 => "NXDOMAIN".into(),
        4 => "NOTIMP".into(),
        5 => "REFUSED".into(),
        _ => format!("RCODE {code}").into(),
    }
}

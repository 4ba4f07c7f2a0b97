//! Does a DNS server answer as it should?
//!
//! ```text
//!  query(id) --> the server --> judge(id, reply, now) -+-> NotOurs   another id, another question: keep waiting
//!                                                      +-> Pass      the expected code, AA, records, serial, signatures
//!                                                      +-> Fail      anything else, in words, always definite
//! ```
//! The reply is hostile until judged: every read is bounded, and a pointer only ever leads backwards.

mod code;
mod data;
mod message;
mod zone;

use crate::{Finding, Judged};
pub use code::{ResponseCode, ResponseCodeError};
pub use data::{Data, DataError};
use message::{HEADER, Record, records};
use serde::{Deserialize, Serialize};
use std::borrow::Cow;
use std::time::Duration;
use terms::{DomainName, RecordType, Verdict, WallTime};
pub use zone::Serial;

/// What a healthy server answers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Expectation {
    /// The name to ask for.
    pub name: DomainName,
    /// The type to ask for, in class IN. With [`ResponseCode::NO_ERROR`], at least one record of it must be there.
    pub qtype: RecordType,
    /// What the reply says about itself.
    pub code: ResponseCode,
    /// Asks as a user of a resolver does, with RD, instead of demanding authority (AA).
    pub recursive: bool,
    /// Data that must be among the records of that type; more may be.
    pub answer: Vec<Data>,
    /// How young the zone must be; only where the type is SOA.
    pub serial: Option<Serial>,
    /// How long a signature over the records must be valid at least; none if they need none.
    pub signed_for: Option<Duration>,
}

/// Largest reply that we ask for over UDP, in octets: it fits every path without fragments (RFC 9715).
const PAYLOAD: u16 = 1232;
const CLASS_IN: u16 = 1;
/// Of the third octet of a message: this is a reply; its operation; with authority; truncated; as a resolver does
/// (RFC 1035 section 4.1.1).
const QR: u8 = 0x80;
const OPCODE: u8 = 0x78;
const AA: u8 = 0x04;
const TC: u8 = 0x02;
const RD: u8 = 0x01;
/// Of the flags of EDNS: signatures are welcome (RFC 3225).
const DO: u8 = 0x80;

impl Expectation {
    /// At least one record of that type, with authority.
    pub fn new(name: DomainName, qtype: RecordType) -> Self {
        Expectation {
            name,
            qtype,
            code: ResponseCode::NO_ERROR,
            recursive: false,
            answer: Vec::new(),
            serial: None,
            signed_for: None,
        }
    }

    /// The query to send, with EDNS and a payload of 1232 octets (RFC 6891).
    pub fn query(&self, id: u16) -> Vec<u8> {
        let mut message = Vec::with_capacity(HEADER + DomainName::MAX_OCTETS + 4 + 11);
        message.extend_from_slice(&id.to_be_bytes());
        let flags = if self.recursive { RD } else { 0 };
        message.extend_from_slice(&[
            flags, 0, /* questions */ 0, 1, 0, 0, 0, 0, /* additional */ 0, 1,
        ]);
        message.extend_from_slice(&self.question());
        message.push(0); // the OPT record belongs to the root
        message.extend_from_slice(&RecordType::OPT.get().to_be_bytes());
        message.extend_from_slice(&PAYLOAD.to_be_bytes());
        let flags = if self.signed_for.is_some() { DO } else { 0 };
        message.extend_from_slice(&[0, 0, flags, 0, 0, 0]); // extended code, version, flags, no options
        message
    }

    fn question(&self) -> Vec<u8> {
        let mut question = self.name.as_wire().to_vec();
        question.extend_from_slice(&self.qtype.get().to_be_bytes());
        question.extend_from_slice(&CLASS_IN.to_be_bytes());
        question
    }

    /// Judges one datagram that arrived after `query(id)` was sent.
    pub fn judge(&self, id: u16, datagram: &[u8], now: WallTime) -> Judged {
        let Some((header, body)) = datagram.split_first_chunk::<HEADER>() else { return Judged::NotOurs };
        let ours = header[..2] == id.to_be_bytes() && header[2] & (QR | OPCODE) == QR;
        if !ours {
            return Judged::NotOurs;
        }
        let code = ResponseCode::of(header[3]);
        let question = match u16::from_be_bytes([header[4], header[5]]) {
            // A server that could not read the query may leave the question out.
            0 if code != ResponseCode::NO_ERROR => 0,
            1 if self.is_asked_by(body) => self.question().len(),
            _ => return Judged::NotOurs,
        };
        Judged::Reply(Finding::from(match self.fault(header, code, datagram, HEADER + question, now) {
            None => Verdict::Pass,
            Some(words) => Verdict::definite(words),
        }))
    }

    /// Whether our question stands at the beginning. A server may change the case of letters (RFC 4343).
    fn is_asked_by(&self, body: &[u8]) -> bool {
        let question = self.question();
        let name = self.name.as_wire().len();
        body.get(..name).is_some_and(|asked| asked.eq_ignore_ascii_case(&question[..name]))
            && body.get(name..question.len()) == Some(&question[name..])
    }

    /// What is wrong with a reply whose id and question are ours, if anything is. Its answer begins at `answer`.
    fn fault(
        &self,
        header: &[u8; HEADER],
        code: ResponseCode,
        message: &[u8],
        answer: usize,
        now: WallTime,
    ) -> Option<Cow<'static, str>> {
        let count = u16::from_be_bytes([header[6], header[7]]);
        if code != self.code {
            Some(format!("answered {code}").into())
        } else if !self.recursive && code.needs_authority() && header[2] & AA == 0 {
            Some("answered without authority (AA is not set)".into())
        } else if code != ResponseCode::NO_ERROR {
            None
        } else if count == 0 && header[2] & TC != 0 {
            Some("the answer does not fit 1232 octets: check a name whose answer is smaller".into())
        } else if count == 0 {
            Some(format!("answered that {} has no {}", self.name, self.qtype).into())
        } else {
            match records(message, answer, count) {
                Some(records) => self.fault_of_records(&records, now),
                None => Some("the answer is malformed".into()),
            }
        }
    }

    fn fault_of_records(&self, records: &[Record<'_>], now: WallTime) -> Option<Cow<'static, str>> {
        let ours: Vec<&Record<'_>> = records
            .iter()
            .filter(|record| record.rtype == self.qtype.get() && record.class == CLASS_IN)
            .collect();
        let Some(first) = ours.first() else {
            return Some(format!("answered {}, but no {} among it", self.name, self.qtype).into());
        };
        let missing = self.answer.iter().find(|data| !ours.iter().any(|record| data.is_in(record)));
        if let Some(missing) = missing {
            return Some(format!("the {} of {} does not say {missing}", self.qtype, self.name).into());
        }
        let serial = self.serial.and_then(|serial| serial.fault(first, now));
        let signature =
            || self.signed_for.and_then(|valid| zone::signature_fault(records, self.qtype, valid, now));
        serial.or_else(signature).map(Cow::from)
    }
}

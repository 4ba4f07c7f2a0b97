//! Records as a stream of messages (RFC 5936 section 2.2, RFC 1995 section 4).

use crate::cursor::{AUTHORITATIVE, CLASS_IN, HEADER, REPLY};
use std::iter::Peekable;
use terms::{DomainName, Record};

/// Octets of a message, at most, but for one record that is larger: all of it can be pointed into, and other
/// connections of the same thread do not wait long for it.
const MESSAGE: usize = 16 << 10;
/// Octets of any message (RFC 1035 section 4.2.2), without a signature of ours and an OPT record.
const LARGEST: usize = u16::MAX as usize - 512;
/// Type, class, TTL and length of a record.
const FIXED: usize = 10;

/// Messages with records, one after the other. Each repeats the question, so that all names end with a pointer to it.
#[derive(Debug)]
pub struct Writer<R: Iterator<Item = Record>> {
    id: u16,
    question: Vec<u8>,
    /// Of the first message (RFC 5936 section 2.2.5).
    opt: Vec<u8>,
    zone: DomainName,
    records: Peekable<R>,
}

impl<R: Iterator<Item = Record>> Writer<R> {
    /// The reply to a message with one question, for a zone, as these records. The first and the last are its SOA
    /// record. The first message has the OPT record, unless that is empty.
    pub fn new(query: &[u8], id: u16, zone: DomainName, opt: Vec<u8>, records: R) -> Self {
        let question = crate::request::question_of(query).to_vec();
        Writer { id, question, opt, zone, records: records.peekable() }
    }

    fn begin(&self) -> Vec<u8> {
        let mut message = Vec::with_capacity(MESSAGE);
        message.extend_from_slice(&self.id.to_be_bytes());
        message.extend_from_slice(&[REPLY | AUTHORITATIVE, 0]);
        message.extend_from_slice(&[0, u8::from(!self.question.is_empty()), 0, 0, 0, 0, 0, 0]);
        message.extend_from_slice(&self.question);
        message
    }
}

/// An owner as labels and a pointer: to the owner before, or to the zone's name in the question.
fn compressed(owner: &DomainName, zone: &DomainName, before: Option<&(DomainName, usize)>) -> Vec<u8> {
    if let Some(&(_, at)) = before.filter(|(name, at)| name == owner && *at < 0x4000) {
        return pointer(at).to_vec();
    }
    let wire = owner.as_wire();
    let (labels, rest) = wire.split_at(wire.len().saturating_sub(zone.as_wire().len()));
    match owner.is_within(zone) && rest.len() > 1 {
        true => [labels, &pointer(HEADER)].concat(),
        false => wire.to_vec(),
    }
}

/// A name's end that stands there already (RFC 1035 section 4.1.4).
pub(crate) fn pointer(at: usize) -> [u8; 2] {
    (0xc000 | at as u16).to_be_bytes() // whoever calls has seen that it is less than 0x4000
}

impl<R: Iterator<Item = Record>> Iterator for Writer<R> {
    type Item = Vec<u8>;

    fn next(&mut self) -> Option<Vec<u8>> {
        self.records.peek()?;
        let (mut message, mut count, mut before) = (self.begin(), 0u16, None::<(DomainName, usize)>);
        while let Some(record) = self.records.peek() {
            let owner = compressed(&record.owner, &self.zone, before.as_ref());
            let end = message.len() + owner.len() + FIXED + record.data.len();
            if count > 0 && end > MESSAGE || count == u16::MAX || end > LARGEST {
                break;
            }
            let Some(record) = self.records.next() else { break };
            let is_new = before.as_ref().is_none_or(|(name, _)| *name != record.owner);
            let at = message.len();
            message.extend_from_slice(&owner);
            message.extend_from_slice(&record.kind.get().to_be_bytes());
            message.extend_from_slice(&CLASS_IN.to_be_bytes());
            message.extend_from_slice(&record.ttl.to_be_bytes());
            message.extend_from_slice(&(record.data.len() as u16).to_be_bytes()); // see `Record::data`
            message.extend_from_slice(&record.data);
            if is_new {
                before = Some((record.owner, at));
            }
            count += 1;
        }
        message[6..8].copy_from_slice(&count.to_be_bytes());
        crate::request::put_opt(&mut message, &std::mem::take(&mut self.opt));
        // A record that fits into no message ends the stream, and whoever reads it notices that it is not whole.
        (count > 0).then_some(message)
    }
}

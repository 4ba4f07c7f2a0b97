//! What we ask of another server about a zone, or tell it.

use crate::cursor::{AUTHORITATIVE, CLASS_IN, Cursor, HEADER, REPLY};
use crate::reader::Fault;
use crate::request::NOTIFY;
use terms::{Authority, DomainName, Record, RecordType};

/// A message of ours to another server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Question<'q> {
    /// Which version it has.
    Version,
    /// All of the zone.
    Whole,
    /// What has changed since the version with this SOA record.
    Since(&'q Record),
    /// That there is this version: it should look (NOTIFY).
    News(&'q Record),
}

impl Question<'_> {
    /// The message, not signed yet.
    pub fn message(self, id: u16, zone: &DomainName) -> Vec<u8> {
        let kind = match self {
            Question::Version | Question::News(_) => RecordType::SOA,
            Question::Whole => RecordType::AXFR,
            Question::Since(_) => RecordType::IXFR,
        };
        let mut message = vec![0; HEADER];
        message[..2].copy_from_slice(&id.to_be_bytes());
        message[5] = 1;
        message.extend_from_slice(zone.as_wire());
        message.extend_from_slice(&kind.get().to_be_bytes());
        message.extend_from_slice(&CLASS_IN.to_be_bytes());
        match self {
            Question::Version | Question::Whole => {}
            Question::Since(authority) => {
                message[9] = 1;
                append(authority, &mut message);
            }
            Question::News(authority) => {
                message[2] = NOTIFY << 3 | AUTHORITATIVE;
                message[7] = 1;
                append(authority, &mut message);
            }
        }
        message
    }
}

/// Appends a record whose owner is the name in the question.
fn append(record: &Record, message: &mut Vec<u8>) {
    message.extend_from_slice(&(0xc000 | HEADER as u16).to_be_bytes());
    message.extend_from_slice(&record.kind.get().to_be_bytes());
    message.extend_from_slice(&CLASS_IN.to_be_bytes());
    message.extend_from_slice(&record.ttl.to_be_bytes());
    message.extend_from_slice(&(record.data.len() as u16).to_be_bytes()); // see `Record::data`
    message.extend_from_slice(&record.data);
}

/// Judges whether a message is the reply to the one with this number and operation, and a good one.
pub(crate) fn judge_reply(message: &[u8], id: u16, operation: u8) -> Result<(), Fault> {
    let Some(header) = message.first_chunk::<HEADER>() else { return Err(Fault::Malformed) };
    let is_ours = header[..2] == id.to_be_bytes() && header[2] & REPLY != 0;
    match (is_ours && header[2] >> 3 & 0x0f == operation, header[3] & 0x0f) {
        (false, _) => Err(Fault::NotTheReply),
        (true, 0) => Ok(()),
        (true, code) => Err(Fault::Refused(code)),
    }
}

/// Judges the reply to [`Question::News`].
///
/// # Errors
/// It is another's, or says that something is wrong.
pub fn judge_acknowledgement(message: &[u8], id: u16) -> Result<(), Fault> {
    judge_reply(message, id, NOTIFY)
}

/// The version that a reply to [`Question::Version`] says, where we have the serial number `ours` if any.
///
/// # Errors
/// It says none or an older one, or is not the answer of a server that has the zone.
pub fn authority_in(
    message: &[u8],
    id: u16,
    zone: &DomainName,
    ours: Option<u32>,
) -> Result<Authority, Fault> {
    judge_reply(message, id, 0)?;
    // A server whose zone has expired, or never had it, may refer to others.
    if message[2] & AUTHORITATIVE == 0 {
        return Err(Fault::NotAuthoritative);
    }
    let (counts, mut cursor) = Cursor::of(message).ok_or(Fault::Malformed)?;
    for _ in 0..counts.questions {
        let asked = cursor.question().ok_or(Fault::Malformed)?;
        if asked.name != *zone {
            return Err(Fault::NotTheReply);
        }
    }
    let rows = std::iter::from_fn(|| cursor.record()).take(usize::from(counts.answers));
    let mut its = rows.filter(|row| row.record.kind == RecordType::SOA && row.record.owner == *zone);
    let theirs = its.next().and_then(|row| Authority::of(&row.record.data)).ok_or(Fault::Malformed)?;
    Fault::refuse_older(theirs, ours)?;
    Ok(theirs)
}

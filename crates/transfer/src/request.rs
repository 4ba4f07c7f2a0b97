//! What another server asks of us about a zone: all of it, its changes, or to look whether there are any at its side.

use crate::cursor::{AUTHORITATIVE, CLASS_IN, Cursor, HEADER, REPLY, TRUNCATED};
use terms::{Authority, DomainName, RecordType};

/// Opcodes (RFC 1035 section 4.1.1, RFC 1996 section 3.1).
const QUERY: u8 = 0;
pub(crate) const NOTIFY: u8 = 4;

/// A message about a zone as a whole.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    /// The number that the reply repeats.
    pub id: u16,
    /// The zone.
    pub zone: DomainName,
    /// What is asked.
    pub operation: Operation,
}

/// What is asked about a zone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operation {
    /// To look for another version (NOTIFY, RFC 1996), which has this serial number if that is said.
    Notify(Option<u32>),
    /// All of its records (AXFR, RFC 5936).
    Whole,
    /// What has changed since this serial number (IXFR, RFC 1995).
    Since(u32),
    /// Something else, for which the rest of the server is there.
    Question,
}

/// A message is none that can be answered: FORMERR.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the message cannot be read")]
pub struct NotARequest;

impl Request {
    /// Reads a message.
    ///
    /// # Errors
    /// It has not one question of class IN, or is cut short.
    pub fn of(message: &[u8]) -> Result<Request, NotARequest> {
        Request::read(message).ok_or(NotARequest)
    }

    fn read(message: &[u8]) -> Option<Request> {
        let (counts, mut cursor) = Cursor::of(message)?;
        if counts.questions != 1 {
            return None;
        }
        let asked = cursor.question().filter(|asked| asked.class == CLASS_IN)?;
        let operation = match (message[2] >> 3 & 0x0f, asked.kind) {
            // RFC 1996 section 3.7: the answer section may have the new SOA record.
            (NOTIFY, RecordType::SOA) => Operation::Notify(serial(cursor, counts.answers)),
            (QUERY, RecordType::AXFR) => Operation::Whole,
            // RFC 1995 section 3: the authority section has the SOA record of the version that the client has.
            (QUERY, RecordType::IXFR) if counts.answers == 0 => {
                Operation::Since(serial(cursor, counts.authorities)?)
            }
            (QUERY, _) => Operation::Question,
            _ => return None,
        };
        let id = u16::from_be_bytes([message[0], message[1]]);
        Some(Request { id, zone: asked.name, operation })
    }
}

/// The serial number of the first of these records, if that is an SOA record.
fn serial(mut cursor: Cursor<'_>, records: u16) -> Option<u32> {
    let row = (records > 0).then(|| cursor.record()).flatten()?;
    let is_soa = row.record.kind == RecordType::SOA && row.class == CLASS_IN;
    is_soa.then(|| Authority::of(&row.record.data)).flatten().map(|authority| authority.serial)
}

/// The reply to a message that has nothing but a code: header, question, if that can be read, and the OPT record; an
/// empty one is none.
pub fn acknowledge(message: &[u8], code: u8, opt: &[u8]) -> Vec<u8> {
    let question = question_of(message);
    let mut reply = vec![0; HEADER];
    reply[2] = REPLY;
    if let Some(header) = message.first_chunk::<HEADER>() {
        reply[..2].copy_from_slice(&header[..2]);
        reply[2] |= header[2] & 0x79;
        // RFC 1996 section 4.7: the reply to a NOTIFY is authoritative.
        if header[2] >> 3 & 0x0f == NOTIFY {
            reply[2] |= AUTHORITATIVE;
        }
    }
    reply[3] = code & 0x0f;
    reply[5] = u8::from(!question.is_empty());
    reply.extend_from_slice(question);
    put_opt(&mut reply, opt);
    reply
}

/// The same with code 0, which says that there would be more (TC): to be asked again over TCP.
pub fn truncate(message: &[u8], opt: &[u8]) -> Vec<u8> {
    let mut reply = acknowledge(message, 0, opt);
    reply[2] |= TRUNCATED;
    reply
}

/// Puts an OPT record behind a message without additional records; an empty one is none.
pub(crate) fn put_opt(message: &mut Vec<u8>, opt: &[u8]) {
    message[HEADER - 1] = u8::from(!opt.is_empty());
    message.extend_from_slice(opt);
}

/// The question as it stands in a message; empty if there is not one that can be read.
pub(crate) fn question_of(message: &[u8]) -> &[u8] {
    let end = Cursor::of(message).filter(|(counts, _)| counts.questions == 1).and_then(|(_, mut cursor)| {
        cursor.question()?;
        Some(cursor.place())
    });
    end.and_then(|end| message.get(HEADER..end)).unwrap_or_default()
}

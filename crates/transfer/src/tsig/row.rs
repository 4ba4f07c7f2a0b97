//! The record of a signature (RFC 8945 section 4.2), the last of its message.

use super::key::Key;
use crate::cursor::{Cursor, HEADER};
use crate::writer::pointer;
use terms::{DomainName, RecordType, WallTime};

const CLASS_ANY: u16 = 255;

/// The time in seconds, which has 48 bits.
pub(super) fn seconds(now: WallTime) -> u64 {
    now.0 / 1000
}

/// What the record says, but for name, algorithm and signature.
#[derive(Clone, Debug)]
pub(super) struct Row {
    /// When it was signed, seconds since 1970.
    pub(super) signed: u64,
    /// How far clocks may be apart, seconds.
    pub(super) fudge: u16,
    pub(super) error: u16,
    /// Our time, said to a client with another one.
    pub(super) other: Option<u64>,
}

fn six(seconds: u64) -> [u8; 6] {
    let [_, _, six @ ..] = seconds.to_be_bytes();
    six
}

impl Row {
    pub(super) fn new(now: WallTime, fudge: u16) -> Row {
        Row { signed: seconds(now), fudge, error: 0, other: None }
    }

    pub(super) fn is_at(&self, now: WallTime) -> bool {
        seconds(now).abs_diff(self.signed) <= u64::from(self.fudge)
    }

    fn other(&self) -> Vec<u8> {
        self.other.map(six).as_ref().map_or_else(Vec::new, |six| six.to_vec())
    }

    /// What a signature covers beside the message (RFC 8945 section 4.3.3).
    pub(super) fn variables(&self, key: &Key) -> Vec<u8> {
        let mut octets = key.name().as_wire().to_ascii_lowercase();
        octets.extend_from_slice(&CLASS_ANY.to_be_bytes());
        octets.extend_from_slice(&[0; 4]);
        octets.extend_from_slice(key.algorithm().wire());
        octets.extend_from_slice(&self.timers());
        octets.extend_from_slice(&self.error.to_be_bytes());
        let other = self.other();
        octets.extend_from_slice(&(other.len() as u16).to_be_bytes());
        octets.extend_from_slice(&other);
        octets
    }

    /// What the signature of a later message of a stream covers beside it (RFC 8945 section 5.3.1).
    pub(super) fn timers(&self) -> [u8; 8] {
        let ([a, b, c, d, e, f], [g, h]) = (six(self.signed), self.fudge.to_be_bytes());
        [a, b, c, d, e, f, g, h]
    }

    /// Octets of the record.
    pub(super) fn octets(&self, key: &Key) -> usize {
        let fixed = 10 + 8 + 2 + 2 + 2 + 2;
        key.name().as_wire().len() + key.algorithm().wire().len() + fixed + key.algorithm().octets()
    }

    /// Puts the record with a signature behind a message.
    pub(super) fn append(&self, key: &Key, mac: &[u8], message: &mut Vec<u8>) {
        let id = [message[0], message[1]];
        let row = self.record(key.name().as_wire(), key.algorithm().wire(), mac, id);
        message.extend_from_slice(&row);
        let count = u16::from_be_bytes([message[10], message[11]]).saturating_add(1);
        message[10..HEADER].copy_from_slice(&count.to_be_bytes());
    }

    fn record(&self, name: &[u8], algorithm: &[u8], mac: &[u8], id: [u8; 2]) -> Vec<u8> {
        let other = self.other();
        let mut data = algorithm.to_vec();
        data.extend_from_slice(&self.timers());
        data.extend_from_slice(&(mac.len() as u16).to_be_bytes());
        data.extend_from_slice(mac);
        data.extend_from_slice(&id);
        data.extend_from_slice(&self.error.to_be_bytes());
        data.extend_from_slice(&(other.len() as u16).to_be_bytes());
        data.extend_from_slice(&other);
        let mut record = name.to_vec();
        record.extend_from_slice(&RecordType::TSIG.get().to_be_bytes());
        record.extend_from_slice(&CLASS_ANY.to_be_bytes());
        record.extend_from_slice(&[0; 4]);
        record.extend_from_slice(&(data.len() as u16).to_be_bytes());
        record.extend_from_slice(&data);
        record
    }
}

/// The message or its signature's record cannot be read, or that is not the last one.
#[derive(Debug)]
pub(super) struct Malformed;

/// A message, and where the record of its signature begins.
#[derive(Debug)]
pub(super) struct Split {
    start: usize,
    /// The name in the question, where there is one and it is written out.
    asked: Option<DomainName>,
    /// Whose key it is.
    pub(super) name: DomainName,
    algorithm: DomainName,
    pub(super) row: Row,
    pub(super) mac: Vec<u8>,
    id: [u8; 2],
}

impl Split {
    /// Looks for the record (RFC 8945 section 5.2: there is one, and it is the last).
    pub(super) fn of(message: &[u8]) -> Result<Option<Split>, Malformed> {
        let (counts, mut cursor) = Cursor::of(message).ok_or(Malformed)?;
        let mut asked = None;
        for _ in 0..counts.questions {
            let name = cursor.question().ok_or(Malformed)?.name;
            asked = (cursor.place() == HEADER + name.as_wire().len() + 4).then_some(name);
        }
        let records =
            u32::from(counts.answers) + u32::from(counts.authorities) + u32::from(counts.additional);
        for index in 1..=records {
            let before = cursor;
            if cursor.skip().ok_or(Malformed)? == RecordType::TSIG {
                let is_last = index == records && counts.additional > 0 && cursor.place() == message.len();
                let split = is_last.then(|| Split::read(before, asked)).flatten();
                return split.map(Some).ok_or(Malformed);
            }
        }
        Ok(None)
    }

    fn read(mut cursor: Cursor<'_>, asked: Option<DomainName>) -> Option<Split> {
        let start = cursor.place();
        let name = cursor.name()?;
        let _type = cursor.number()?;
        let class = cursor.number()?;
        let ttl = cursor.octets(4)?;
        let length = usize::from(cursor.number()?);
        let data = cursor.place();
        let algorithm = cursor.name()?;
        // RFC 3597 section 4: written out. A short record that has us say a long name back would amplify.
        let is_written_out = cursor.place() == data + algorithm.as_wire().len();
        let [a, b, c, d, e, f, g, h] = *cursor.octets(8)?.first_chunk()?;
        let mac_length = cursor.number()?;
        let mac = cursor.octets(usize::from(mac_length))?.to_vec();
        let id = *cursor.octets(2)?.first_chunk()?;
        let error = cursor.number()?;
        let other_length = cursor.number()?;
        let other = match *cursor.octets(usize::from(other_length))? {
            [] => None,
            [a, b, c, d, e, f] => Some(u64::from_be_bytes([0, 0, a, b, c, d, e, f])),
            _ => return None,
        };
        let signed = u64::from_be_bytes([0, 0, a, b, c, d, e, f]);
        let row = Row { signed, fudge: u16::from_be_bytes([g, h]), error, other };
        let is_good =
            class == CLASS_ANY && ttl == [0; 4] && is_written_out && cursor.place() == data + length;
        is_good.then_some(Split { start, asked, name, algorithm, row, mac, id })
    }

    /// Whether it names this key and its algorithm.
    pub(super) fn is_by(&self, key: &Key) -> bool {
        self.name == *key.name() && self.algorithm.as_wire().eq_ignore_ascii_case(key.algorithm().wire())
    }

    /// The record of a reply that says what was wrong, which nobody can sign (RFC 8945 section 5.2.1 and 5.2.2). Behind
    /// the question it is no longer than the one that came: anybody can send such a request in the name of another.
    pub(super) fn unsigned(&self, error: u16) -> Vec<u8> {
        let row = Row { error, other: None, ..self.row.clone() };
        row.record(&self.shortened(), self.algorithm.as_wire(), &[], self.id)
    }

    /// The key's name, its end a pointer to that of the question where the two are the same (RFC 1035 section 4.1.4).
    fn shortened(&self) -> Vec<u8> {
        let wire = self.name.as_wire();
        let asked = self.asked.as_ref().map_or(&[][..], DomainName::as_wire);
        let mut at = 0;
        while wire[at] != 0 {
            let end = &wire[at..];
            let there =
                asked.len().checked_sub(end.len()).filter(|&there| asked[there..].eq_ignore_ascii_case(end));
            if let Some(there) = there {
                return [&wire[..at], &pointer(HEADER + there)].concat();
            }
            at += 1 + usize::from(wire[at]);
        }
        wire.to_vec()
    }

    /// Leaves the message as it was signed, and says which number it came with: whoever passes messages on may number
    /// them anew (RFC 8945 section 5.3).
    pub(super) fn take_off(self, message: &mut Vec<u8>) -> [u8; 2] {
        message.truncate(self.start);
        let came_with = [message[0], message[1]];
        message[..2].copy_from_slice(&self.id);
        let count = u16::from_be_bytes([message[10], message[11]]).saturating_sub(1);
        message[10..HEADER].copy_from_slice(&count.to_be_bytes());
        came_with
    }
}

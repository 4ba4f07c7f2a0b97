//! Record sets as they stand in a reply.
//!
//! ```text
//!  offset 0        12                       12 + L            12 + L + 4
//!         | header | question: owner, L octets | type, class | records ...
//! ```
//! The owner of every record of an answer is the name in the question, which always begins at offset 12. So the
//! octets of a set, with every compression pointer in it (RFC 1035 section 4.1.4), are known when the zone is loaded.
//! A negative answer shows the SOA record of an ancestor, which begins `by` octets further back: all of its pointers
//! grow by that much and nothing else changes.

use std::collections::BTreeMap;
use terms::{DomainName, RecordType};

/// Where the question begins in a message.
const QUESTION: usize = 12;
const CLASS_IN: u16 = 1;
/// Largest offset that a pointer can name (RFC 1035 section 4.1.4).
const POINTER_MAX: usize = 0x3fff;

/// Encoded records, and where in them the pointers are.
#[derive(Debug)]
pub(super) struct Encoded {
    pub(super) octets: Vec<u8>,
    pub(super) pointers: Vec<u16>,
}

/// Encodes a set as the answer to a question for its owner.
pub(super) fn encode(owner: &DomainName, kind: RecordType, ttl: u32, data: &[Vec<u8>]) -> Encoded {
    let mut encoder = Encoder {
        encoded: Encoded { octets: Vec::new(), pointers: Vec::new() },
        start: QUESTION + owner.as_wire().len() + 4,
        known: BTreeMap::new(),
    };
    encoder.learn(owner.as_wire(), QUESTION);
    for data in data {
        encoder.record(kind, ttl, data);
    }
    encoder.encoded
}

struct Encoder {
    encoded: Encoded,
    /// Offset of the first record in the message.
    start: usize,
    /// Names in lower case, and where in the message they are.
    known: BTreeMap<Vec<u8>, u16>,
}

impl Encoder {
    fn record(&mut self, kind: RecordType, ttl: u32, data: &[u8]) {
        self.pointer(QUESTION as u16);
        self.put(&kind.get().to_be_bytes());
        self.put(&CLASS_IN.to_be_bytes());
        self.put(&ttl.to_be_bytes());
        let length_at = self.encoded.octets.len();
        self.put(&[0, 0]);
        self.data(kind, data);
        let length = (self.encoded.octets.len() - length_at - 2) as u16;
        self.encoded.octets[length_at..length_at + 2].copy_from_slice(&length.to_be_bytes());
    }

    /// Names are compressed in the types of RFC 1035 only (RFC 3597 section 4).
    fn data(&mut self, kind: RecordType, data: &[u8]) {
        let (before, names) = match kind {
            RecordType::NS | RecordType::CNAME | RecordType::PTR => (0, 1),
            RecordType::MX => (2, 1),
            RecordType::SOA => (0, 2),
            _ => (data.len(), 0),
        };
        let (fixed, mut rest) = data.split_at_checked(before).unwrap_or((data, &[]));
        self.put(fixed);
        for _ in 0..names {
            rest = self.name(rest);
        }
        self.put(rest);
    }

    /// Writes the name at the front of `data`, compressed, and returns what follows it.
    fn name<'d>(&mut self, data: &'d [u8]) -> &'d [u8] {
        let end = name_length(data);
        let (mut name, after) = data.split_at(end);
        while let Some((&length @ 1.., _)) = name.split_first() {
            if let Some(&offset) = self.known.get(&name.to_ascii_lowercase()) {
                self.pointer(offset);
                return after;
            }
            let here = self.start + self.encoded.octets.len();
            let (label, parent) = name.split_at(1 + usize::from(length));
            if here <= POINTER_MAX {
                self.known.insert(name.to_ascii_lowercase(), here as u16);
            }
            self.put(label);
            name = parent;
        }
        self.put(&[0]);
        after
    }

    /// Remembers a name and its ancestors below the root, which begin at `offset`.
    fn learn(&mut self, name: &[u8], offset: usize) {
        let mut at = 0;
        while let Some(&length @ 1..) = name.get(at) {
            self.known.insert(name[at..].to_ascii_lowercase(), (offset + at) as u16);
            at += 1 + usize::from(length);
        }
    }

    fn pointer(&mut self, offset: u16) {
        // A record set has less than 65,536 octets: see `rules`.
        self.encoded.pointers.push(self.encoded.octets.len() as u16);
        self.put(&(0xc000 | offset).to_be_bytes());
    }

    fn put(&mut self, octets: &[u8]) {
        self.encoded.octets.extend_from_slice(octets);
    }
}

/// Octets of the name at the front, with its closing zero; all of them when it has none.
fn name_length(data: &[u8]) -> usize {
    let mut at = 0;
    while let Some(&length) = data.get(at) {
        at += 1 + usize::from(length);
        if length == 0 {
            return at;
        }
    }
    data.len()
}

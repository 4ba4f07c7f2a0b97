//! Record sets as they stand in a reply.
//!
//! ```text
//!  offset 0        12                       12 + L            12 + L + 4
//!         | header | question: owner, L octets | type, class | records, then their signatures ...
//! ```
//! The owner of every record of an answer is the name in the question, which always begins at offset 12. So the
//! octets of a set, with every compression pointer in it (RFC 1035 section 4.1.4), are known when the zone is loaded.
//! Elsewhere in a reply, or for another question, the same octets serve once the pointers are moved: one that leads to
//! the owner by as much as the owner moved, one that leads into the set by as much as the set moved. The
//! [list of pointers](crate::image::node::Set::pointers) says where they are.

use super::rdata;
use super::records::SetGroup;
use crate::image::write::{Bodies, SetHead};
use crate::name::labels;
use crate::order::append_wire;
use std::borrow::Cow;
use terms::RecordType;

/// Where the question begins in a message.
const QUESTION: usize = 12;
const CLASS_IN: u16 = 1;
/// Largest offset that a pointer names here. It could be 0x3fff (RFC 1035 section 4.1.4), but a set may be moved by
/// as much as stands before it: see [`crate::answer`].
const POINTER_MAX: usize = 0x2fff;
/// Owner as a pointer, type, class, TTL and length of the data.
const RECORD_FIXED: usize = 12;

/// Octets that a set will have with its signatures, at most.
pub(super) fn most_octets(set: &SetGroup<'_>) -> usize {
    set.records().chain(set.signatures()).map(|(_, data)| RECORD_FIXED + data.len()).sum()
}

/// Encodes sets of one owner, one after the other, behind each other.
pub(super) struct Encoder<'r> {
    pub(super) bodies: Bodies<'r>,
    owner: Vec<u8>,
    /// Names and where in the message they are, if the set is where it is encoded for.
    known: Vec<(&'r [u8], u16)>,
    pointers: Vec<u16>,
    targets: Vec<(u16, Cow<'r, [u8]>)>,
}

impl<'r> Encoder<'r> {
    pub(super) fn new() -> Self {
        Encoder {
            bodies: Bodies::default(),
            owner: Vec::new(),
            known: Vec::new(),
            pointers: Vec::new(),
            targets: Vec::new(),
        }
    }

    /// Forgets what was encoded; the sets that follow have this owner, which is given by its key below the apex.
    pub(super) fn begin(&mut self, key: &[u8], apex: &[u8]) {
        self.bodies.clear();
        self.owner.clear();
        append_wire(key, &mut self.owner);
        self.owner.extend_from_slice(apex);
    }

    /// The owner in wire form.
    pub(super) fn owner(&self) -> &[u8] {
        &self.owner
    }

    /// Encodes one set.
    pub(super) fn set(&mut self, set: &SetGroup<'r>) {
        self.known.clear();
        self.pointers.clear();
        self.targets.clear();
        let start = self.bodies.octets.len();
        for (record, data) in set.records() {
            self.record(start, set.kind, record.ttl, data);
        }
        let plain = self.bodies.octets.len() - start;
        for (record, data) in set.signatures() {
            self.record(start, RecordType::RRSIG, record.ttl, data);
        }
        let whole = self.bodies.octets.len() - start;
        // Counts and lengths are those of one message: see `rules`.
        self.bodies.heads.push(SetHead {
            kind: set.kind,
            count: set.records().len() as u16,
            signatures: set.signatures().len() as u16,
            plain: plain as u16,
            whole: whole as u16,
            pointers: self.pointers.len() as u16,
            targets: self.targets.len() as u16,
        });
        for pointer in &self.pointers {
            self.bodies.octets.extend_from_slice(&pointer.to_le_bytes());
        }
        for (offset, name) in self.targets.drain(..) {
            self.bodies.octets.extend_from_slice(&offset.to_le_bytes());
            self.bodies.targets.push((self.bodies.octets.len(), name));
            self.bodies.octets.extend_from_slice(&[0; 4]);
        }
    }

    fn record(&mut self, start: usize, kind: RecordType, ttl: u32, data: &'r [u8]) {
        let octets = &mut self.bodies.octets;
        octets.extend_from_slice(&(0xc000 | QUESTION as u16).to_be_bytes());
        octets.extend_from_slice(&kind.get().to_be_bytes());
        octets.extend_from_slice(&CLASS_IN.to_be_bytes());
        octets.extend_from_slice(&ttl.to_be_bytes());
        let length_at = octets.len();
        octets.extend_from_slice(&[0, 0]);
        self.data(start, kind, data);
        let octets = &mut self.bodies.octets;
        let length = (octets.len() - length_at - 2) as u16;
        octets[length_at..length_at + 2].copy_from_slice(&length.to_be_bytes());
    }

    fn data(&mut self, start: usize, kind: RecordType, data: &'r [u8]) {
        let (before, names) = rdata::compressed_names(kind);
        if names == 0 {
            if rdata::is_at_owner(kind, data) {
                self.target(QUESTION, self.owner.clone().into());
            } else if let Some(name) = rdata::target(kind, data) {
                let name_at = self.offset(start) + name.start;
                let name = &data[name];
                let at = if name.eq_ignore_ascii_case(&self.owner) { QUESTION } else { name_at };
                self.target(at, name.into());
            }
            self.bodies.octets.extend_from_slice(data);
            return;
        }
        let (fixed, mut rest) = data.split_at_checked(before).unwrap_or((data, &[]));
        self.bodies.octets.extend_from_slice(fixed);
        for _ in 0..names {
            let (name, after) = rest.split_at(rdata::name_length(rest));
            let at = self.name(start, name);
            if rdata::target(kind, data).is_some() {
                self.target(at, name.into());
            }
            rest = after;
        }
        self.bodies.octets.extend_from_slice(rest);
    }

    /// Where the next octet will be in the message.
    fn offset(&self, start: usize) -> usize {
        QUESTION + self.owner.len() + 4 + self.bodies.octets.len() - start
    }

    /// Notes a name whose addresses help, once.
    fn target(&mut self, at: usize, name: Cow<'r, [u8]>) {
        let is_known = self.targets.iter().any(|(_, known)| known.eq_ignore_ascii_case(&name));
        if at <= POINTER_MAX && name.len() > 1 && !is_known {
            self.targets.push((at as u16, name));
        }
    }

    /// Writes a name, compressed, and says where it can be read.
    fn name(&mut self, start: usize, mut name: &'r [u8]) -> usize {
        let begin = self.offset(start);
        while let Some(label) = labels(name).next() {
            if let Some(offset) = self.find(name) {
                let here = self.offset(start);
                self.pointers.push((self.bodies.octets.len() - start) as u16);
                self.bodies.octets.extend_from_slice(&(0xc000 | offset).to_be_bytes());
                // A pointer should lead to a name, not to a pointer.
                return if here == begin { usize::from(offset) } else { begin };
            }
            let here = self.offset(start);
            if here <= POINTER_MAX {
                self.known.push((name, here as u16));
            }
            let (label, parent) = name.split_at(1 + label.len());
            self.bodies.octets.extend_from_slice(label);
            name = parent;
        }
        self.bodies.octets.push(0);
        begin
    }

    /// Where a name is: in the owner, or in a record before.
    fn find(&self, name: &[u8]) -> Option<u16> {
        let beyond = self.owner.len().checked_sub(name.len());
        if let Some(at) = beyond.filter(|&at| self.owner[at..].eq_ignore_ascii_case(name)) {
            let starts = labels(&self.owner).scan(0, |start, label| {
                let here = *start;
                *start += 1 + label.len();
                Some(here)
            });
            if starts.take_while(|&start| start <= at).any(|start| start == at) {
                return Some((QUESTION + at) as u16);
            }
        }
        self.known.iter().find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|&(_, offset)| offset)
    }
}

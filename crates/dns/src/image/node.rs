//! One name of a zone, and its record sets as they stand in a reply.
//!
//! ```text
//!  node: | flags | name length | sets: 2 | above: 4 | proof: 4 | name | head of each set | body of each set |
//!  head: | type: 2 | records: 2 | signatures: 2 | plain length: 2 | whole length: 2 | pointers: 2 | targets: 2 |
//!  body: | records | signatures | places of pointers, 2 each | targets, 2 + 4 each |
//! ```
//! The records of a set are encoded as the answer to a question for its owner: owner and question are one name at
//! offset 12, and the first record follows the question. `plain` octets are the records alone, `whole` ones have their
//! signatures behind them, so that an answer is one copy with DNSSEC and without.

use super::UNIT;
use crate::query::HEADER;
use terms::RecordType;

/// The name has NS records and is not the apex: everything below it belongs to others.
pub(crate) const CUT: u8 = 1;
/// The name has a DNAME: everything below it is somewhere else.
pub(crate) const ALIAS: u8 = 2;
/// The name is below a cut. Its records are glue, or are never seen.
pub(crate) const OCCLUDED: u8 = 4;
/// There is a wildcard directly below the name.
pub(crate) const WILDCARD: u8 = 8;
/// The name is there no more. Only layers have such nodes.
pub(crate) const GONE: u8 = 16;

/// Octets of a node before its name.
pub(crate) const NODE_HEAD: usize = 12;
/// Octets of the head of a set.
pub(super) const SET_HEAD: usize = 14;
/// Octets of a target.
const TARGET: usize = 6;

/// A name that exists, perhaps only because there is one below it (RFC 4592 section 2.2.2).
#[derive(Clone, Copy)]
pub(crate) struct Node<'i> {
    /// Where it is.
    pub(crate) place: u32,
    pub(crate) flags: u8,
    /// In wire form and lower case, without the apex.
    pub(crate) name: &'i [u8],
    /// The cut above it, if it is [`OCCLUDED`].
    pub(crate) above: u32,
    /// One more than the index of the NSEC3 record that matches it in the chain; 0 when none does.
    pub(crate) proof: u32,
    sets: usize,
    rest: &'i [u8],
}

impl<'i> Node<'i> {
    pub(super) fn at(image: &'i [u8], place: u32) -> Option<Node<'i>> {
        let octets = image.get(place as usize * UNIT..)?;
        let &[flags, length, s0, s1, a0, a1, a2, a3, p0, p1, p2, p3] = octets.first_chunk::<NODE_HEAD>()?;
        let (name, rest) = octets[NODE_HEAD..].split_at_checked(usize::from(length))?;
        let sets = usize::from(u16::from_le_bytes([s0, s1]));
        let (above, proof) = (u32::from_le_bytes([a0, a1, a2, a3]), u32::from_le_bytes([p0, p1, p2, p3]));
        Some(Node { place, flags, name, above, proof, sets, rest })
    }

    pub(crate) fn is(self, flag: u8) -> bool {
        self.flags & flag != 0
    }

    /// How many octets it takes. None when it goes beyond the end of the image.
    pub(super) fn octets(self) -> Option<usize> {
        let heads = self.rest.get(..self.sets * SET_HEAD)?;
        let body = |head: &[u8]| {
            let number = |at: usize| usize::from(u16::from_le_bytes([head[at], head[at + 1]]));
            number(8) + 2 * number(10) + TARGET * number(12)
        };
        let bodies: usize = heads.chunks_exact(SET_HEAD).map(body).sum();
        let octets = NODE_HEAD + self.name.len() + heads.len() + bodies;
        (NODE_HEAD + self.name.len() + self.rest.len() >= octets).then_some(octets)
    }

    /// Its sets in the order of their types.
    pub(crate) fn sets(self) -> impl Iterator<Item = Set<'i>> {
        let (heads, mut bodies) = self.rest.split_at_checked(self.sets * SET_HEAD).unwrap_or_default();
        heads.chunks_exact(SET_HEAD).map_while(move |head| {
            let number = |at: usize| u16::from_le_bytes([head[at], head[at + 1]]);
            let length = |at: usize| usize::from(number(at));
            let (whole, after) = bodies.split_at_checked(length(8))?;
            let (pointers, after) = after.split_at_checked(length(10) * 2)?;
            let (targets, after) = after.split_at_checked(length(12) * TARGET)?;
            bodies = after;
            let plain = whole.get(..length(6))?;
            let kind = RecordType::new(number(0));
            Some(Set { kind, count: number(2), signatures: number(4), plain, whole, pointers, targets })
        })
    }

    /// The set of one type.
    pub(crate) fn set(self, kind: RecordType) -> Option<Set<'i>> {
        self.sets().find(|set| set.kind == kind)
    }
}

/// Records of one name and type, encoded.
#[derive(Clone, Copy)]
pub(crate) struct Set<'i> {
    pub(crate) kind: RecordType,
    /// How many records there are.
    pub(crate) count: u16,
    /// How many signatures follow them.
    pub(crate) signatures: u16,
    pub(crate) plain: &'i [u8],
    pub(crate) whole: &'i [u8],
    pointers: &'i [u8],
    targets: &'i [u8],
}

/// A name in the data of a record whose addresses help whoever asks.
#[derive(Clone, Copy)]
pub(crate) struct Target {
    /// Where in the message the name is, if the set is where it was encoded for.
    pub(crate) offset: u16,
    /// The place of its node.
    pub(crate) node: u32,
}

impl Target {
    /// Whether it is the owner of the set.
    pub(crate) fn is_owner(self) -> bool {
        usize::from(self.offset) == HEADER
    }
}

impl<'i> Set<'i> {
    /// Where in it the pointers of the records' data are; those of owners begin each record.
    pub(crate) fn pointers(&self) -> impl Iterator<Item = usize> + use<'i> {
        self.pointers.chunks_exact(2).map(|place| usize::from(u16::from_le_bytes([place[0], place[1]])))
    }

    pub(crate) fn targets(&self) -> impl Iterator<Item = Target> + use<'i> {
        self.targets.chunks_exact(TARGET).filter_map(|target| {
            let (&[o0, o1], &node) = (target.first_chunk()?, target.last_chunk()?);
            Some(Target { offset: u16::from_le_bytes([o0, o1]), node: u32::from_le_bytes(node) })
        })
    }
}

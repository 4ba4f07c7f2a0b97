//! The image of a zone: everything that answers need, in one run of octets without addresses.
//!
//! ```text
//!  | head, apex, salt | nodes, in canonical order | hash table | chain of proofs | keys of the chain |
//!        |                 ^         ^                 |              |     |           ^
//!        |                 |         +-----------------+              |     |           |
//!        |                 +------------------------------------------+     +-----------+
//!        +--> where each part begins
//! ```
//! What refers to another place gives its distance from the beginning, in units of four octets, so an image may lie
//! in memory that was allocated, in a file that is mapped, at any address. Numbers are little-endian.
//!
//! An image may come from anywhere. Its checksum finds damage; it does not make the image trustworthy. So every read
//! is bounded and every search ends, whatever the octets are: [`node`] and [`chain`] answer `None`, and the query that
//! came across it gets SERVFAIL.
//!
//! What has changed since an image was made lies over it as a [`layer`].

pub(crate) mod chain;
mod error;
pub(crate) mod layer;
pub(crate) mod lookup;
pub(crate) mod node;
pub(crate) mod records;
mod signatures;
mod walk;
pub(crate) mod write;

use crate::table::{NameHash, Table};
use bytes::Bytes;
use chain::Denial;
pub use error::ImageError;
use layer::{Laid, Layer};
use node::Node;
pub use records::ZoneRecords;
pub use signatures::SignatureEnds;
use std::fmt;
use std::ops::Range;
use std::sync::Arc;
use terms::DomainName;

/// How an image begins: with an octet that begins no text.
pub const MAGIC: [u8; 8] = *b"\x89zone\r\n\x1a";
/// The only layout that this program reads and writes.
const VERSION: u32 = 1;
/// Octets before the apex.
const HEAD: usize = 64;
/// The checksum covers everything from here on.
const CHECKED: usize = 16;
/// Octets of a line of the processor's cache.
const LINE: usize = 64;
/// What places are multiples of.
const UNIT: usize = 4;

/// The octets of an image, and where in them what is.
pub(crate) struct Image {
    octets: Bytes,
    /// The place of its first octet: 0, unless it goes on where another one ends.
    first: u32,
    serial: u32,
    names: u32,
    apex_node: u32,
    /// Where the first node is.
    nodes: usize,
    table: Range<usize>,
    chain: Range<usize>,
    keys: Range<usize>,
}

/// A zone as it is served: its image, what has changed since that was made, and what is needed at every query. It
/// never changes, so threads share it freely.
pub struct Zone {
    base: Arc<Image>,
    layer: Option<Layer>,
    apex: DomainName,
    apex_depth: usize,
    serial: u32,
    names: u32,
    denial: Denial,
}

impl Image {
    fn octets(&self) -> &[u8] {
        &self.octets
    }

    /// The node at a place of this image.
    fn at(&self, place: u32) -> Option<Node<'_>> {
        let mut node = Node::at(self.octets(), place.checked_sub(self.first)?)?;
        node.place = place;
        Some(node)
    }

    fn table(&self) -> Table<'_> {
        Table::new(self.octets().get(self.table.clone()).unwrap_or_default())
    }

    /// The node of a name in wire form and lower case, without the apex.
    pub(crate) fn find(&self, hash: NameHash, relative: &[u8]) -> Option<Node<'_>> {
        let is_it = |place| self.at(place).is_some_and(|node| node.name == relative);
        let place = self.table().find(hash, is_it)?;
        self.at(place)
    }

    /// An octet of where the search for a hash begins, so that it is at hand.
    pub(crate) fn glance_at_slot(&self, hash: NameHash) -> u8 {
        self.table().glance(hash)
    }

    /// Octets of the node that a hash most likely leads to, one of each line of the cache that a small one may lie in.
    pub(crate) fn glance_at_node(&self, hash: NameHash) -> u8 {
        let node = self.likely_node(hash).unwrap_or_default();
        let octet = |at| node.get(at).copied().unwrap_or_default();
        octet(0) ^ octet(LINE)
    }

    /// The octets from there on: no name is compared.
    pub(crate) fn likely_node(&self, hash: NameHash) -> Option<&[u8]> {
        let place = self.table().find(hash, |_| true)?.checked_sub(self.first)?;
        self.octets().get(place as usize * UNIT..)
    }

    /// How many names have records.
    pub(crate) fn names(&self) -> u32 {
        self.names
    }

    /// The place behind its end.
    fn end(&self) -> Option<u32> {
        u32::try_from(self.octets().len().div_ceil(UNIT)).ok()?.checked_add(self.first)
    }
}

impl Zone {
    /// Takes up an image that [`image`](Zone::image) gave, perhaps long ago and on another machine.
    ///
    /// # Errors
    /// It is no image, one of another version, or damaged.
    pub fn from_image(octets: impl AsRef<[u8]> + Send + Sync + 'static) -> Result<Zone, ImageError> {
        Zone::beginning_at(0, Bytes::from_owner(octets))
    }

    /// Takes up an image whose places begin with another one than 0.
    fn beginning_at(first: u32, octets: Bytes) -> Result<Zone, ImageError> {
        let head = Head { octets: &octets };
        head.judge()?;
        let apex_length = usize::from(head.octet(60));
        let salt_start = HEAD + apex_length;
        let nodes = salt_start + usize::from(head.octet(57));
        let salt = head.octets.get(salt_start..nodes);
        let apex = head.octets.get(HEAD..salt_start).and_then(|apex| DomainName::from_wire(apex).ok());
        let (apex, salt) = apex.zip(salt).ok_or(ImageError::Malformed)?;
        let denial = match head.octet(56) {
            0 => Denial::None,
            1 => Denial::Nsec,
            2 => Denial::Nsec3 {
                iterations: u16::from_le_bytes([head.octet(58), head.octet(59)]),
                salt: salt.into(),
            },
            _ => return Err(ImageError::Malformed),
        };
        let part = |start: u32, octets: usize| {
            let start = start.checked_sub(first).ok_or(ImageError::Malformed)? as usize * UNIT;
            let end = start.checked_add(octets).filter(|&end| end <= head.octets.len());
            end.map(|end| start..end).ok_or(ImageError::Malformed)
        };
        let count = |at| head.number(at) as usize;
        let table = part(head.number(36), count(40) * 8)?;
        let chain = part(head.number(44), count(48) * chain::ENTRY)?;
        let keys = part(head.number(52), 0)?.start..head.octets.len();
        let (serial, names, apex_node) = (head.number(24), head.number(28), head.number(32));
        let apex_depth = apex.labels().count();
        let base = Image { octets, first, serial, names, apex_node, nodes, table, chain, keys };
        Ok(Zone { base: Arc::new(base), layer: None, apex, apex_depth, serial, names, denial })
    }

    /// The zone's name.
    pub fn apex(&self) -> &DomainName {
        &self.apex
    }

    /// The serial number of its SOA record (RFC 1982 arithmetic).
    pub fn serial(&self) -> u32 {
        self.serial
    }

    /// How many names have records, without those of NSEC3.
    pub fn names(&self) -> usize {
        self.names as usize
    }

    /// Whether it proves what does not exist (RFC 4035 section 3.1, RFC 5155).
    pub fn is_signed(&self) -> bool {
        !matches!(self.denial, Denial::None)
    }

    /// The image, to be kept in a file; none when there are changes that are not in it, before they are
    /// [folded in](Zone::compacted).
    pub fn image(&self) -> Option<&[u8]> {
        self.layer.is_none().then(|| self.base.octets())
    }

    /// The serial number of its image, over which the changes since then may lie.
    pub fn image_serial(&self) -> u32 {
        self.base.serial
    }

    /// Whether it lies on the same image as another zone: they differ in their layers alone.
    pub fn shares_image_with(&self, other: &Zone) -> bool {
        Arc::ptr_eq(&self.base, &other.base)
    }

    /// The memory of its image, over which changes may lie.
    pub(crate) fn octets(&self) -> &[u8] {
        self.base.octets()
    }

    /// What it lies on.
    pub(crate) fn base(&self) -> &Image {
        &self.base
    }

    /// Labels of the zone's name.
    pub(crate) fn apex_depth(&self) -> usize {
        self.apex_depth
    }

    pub(crate) fn apex_node(&self) -> Option<Node<'_>> {
        self.node(self.base.apex_node)
    }

    /// The node at a place, or the one that has come instead of it.
    pub(crate) fn node(&self, place: u32) -> Option<Node<'_>> {
        match &self.layer {
            None => self.base.at(place),
            Some(layer) => layer.node(&self.base, place),
        }
    }

    /// The node of a name in the zone, given in wire form and lower case.
    pub(crate) fn find(&self, hash: NameHash, lower: &[u8]) -> Option<Node<'_>> {
        let relative = lower.get(..lower.len().checked_sub(self.apex.as_wire().len())?)?;
        match self.layer.as_ref().and_then(|layer| layer.find(hash, relative)) {
            Some(Laid::Node(node)) => Some(node),
            Some(Laid::Gone) => None,
            None => self.base.find(hash, relative),
        }
    }
}

impl fmt::Debug for Zone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Zone")
            .field("apex", &self.apex)
            .field("serial", &self.serial)
            .field("names", &self.names)
            .finish_non_exhaustive()
    }
}

/// The head of what may be an image.
struct Head<'i> {
    octets: &'i [u8],
}

impl Head<'_> {
    /// A number of the head; 0 beyond the end.
    fn number(&self, at: usize) -> u32 {
        self.octets
            .get(at..)
            .and_then(|octets| octets.first_chunk())
            .map_or(0, |&number| u32::from_le_bytes(number))
    }

    fn octet(&self, at: usize) -> u8 {
        self.octets.get(at).copied().unwrap_or(0)
    }

    fn judge(&self) -> Result<(), ImageError> {
        if !self.octets.starts_with(&MAGIC) {
            return Err(ImageError::NoImage);
        }
        if self.number(8) != VERSION {
            return Err(ImageError::Version { found: self.number(8), known: VERSION });
        }
        let length = u64::from(self.number(16)) | u64::from(self.number(20)) << 32;
        if self.octets.len() < HEAD || length != self.octets.len() as u64 {
            return Err(ImageError::Length { wanted: length, found: self.octets.len() as u64 });
        }
        match crc32fast::hash(&self.octets[CHECKED..]) == self.number(12) {
            true => Ok(()),
            false => Err(ImageError::Damaged),
        }
    }
}

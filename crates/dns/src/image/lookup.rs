//! Where in a zone a name is (RFC 1034 section 4.3.2, RFC 4592 section 3.3.1, RFC 6672 section 3.2).

use super::Zone;
use super::node::{ALIAS, CUT, Node, OCCLUDED, WILDCARD};
use crate::name::Name;
use crate::table::NameHash;
use terms::DomainName;

/// The nearest ancestor of a name that exists.
#[derive(Clone, Copy)]
pub(crate) struct Encloser<'z> {
    pub(crate) node: Node<'z>,
    /// How many labels it has.
    pub(crate) depth: usize,
}

/// What a zone has where a name is.
pub(crate) enum Spot<'z> {
    /// The name.
    Exact(Node<'z>),
    /// A wildcard that stands for it.
    Wildcard(Node<'z>, Encloser<'z>),
    /// A cut, at the name or above it: others know.
    Cut(Node<'z>),
    /// A DNAME above it.
    Alias(Node<'z>),
    /// Nothing.
    Nowhere(Encloser<'z>),
}

impl Zone {
    /// Looks up a name in the zone. None when the image is damaged.
    pub(crate) fn spot(&self, name: &Name, hash: NameHash) -> Option<Spot<'_>> {
        match self.find(hash, name.lower()) {
            Some(node) if node.is(OCCLUDED) => self.node(node.above).map(Spot::Cut),
            Some(node) if node.is(CUT) => Some(Spot::Cut(node)),
            Some(node) => Some(Spot::Exact(node)),
            None => self.spot_of_missing(name),
        }
    }

    /// Goes down from the apex for as long as there are names.
    fn spot_of_missing(&self, name: &Name) -> Option<Spot<'_>> {
        let mut encloser = Encloser { node: self.apex_node()?, depth: self.apex_depth };
        let mut hash = name.hash(self.apex_depth);
        if encloser.node.is(ALIAS) {
            return Some(Spot::Alias(encloser.node));
        }
        for (label, suffix) in name.labels_from_the_root().skip(self.apex_depth) {
            let below = hash.below(label);
            match self.find(below, suffix) {
                Some(node) if node.is(CUT) => return Some(Spot::Cut(node)),
                Some(node) if node.is(ALIAS) => return Some(Spot::Alias(node)),
                Some(node) => encloser = Encloser { node, depth: encloser.depth + 1 },
                None => break,
            }
            hash = below;
        }
        if !encloser.node.is(WILDCARD) {
            return Some(Spot::Nowhere(encloser));
        }
        let (mut wildcard, suffix) = ([0; DomainName::MAX_OCTETS + 2], name.suffix(encloser.depth));
        wildcard[..2].copy_from_slice(b"\x01*");
        wildcard[2..2 + suffix.len()].copy_from_slice(suffix);
        let node = self.find(hash.below(b"*"), &wildcard[..2 + suffix.len()])?;
        Some(Spot::Wildcard(node, encloser))
    }
}

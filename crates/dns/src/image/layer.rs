//! What has changed in a zone since its image was made.
//!
//! ```text
//!   image:   a   b   c   d        places 0 .. first
//!   layer:       b'      d gone   e       places first ..
//! ```
//! A layer is a small image of whole names, which is asked first: places go on in it where those of the large image
//! end. What leads to a node of the large image that the layer has anew leads to the one in the layer. A layer is
//! always that of all changes since the large image was made; another change makes another layer.

use super::chain::InChain;
use super::node::{GONE, Node};
use super::{Image, ImageError, Zone};
use crate::name::Name;
use crate::table::NameHash;
use std::collections::BTreeSet;
use std::sync::Arc;

/// The keys of the names of a layer, and of its NSEC3 records.
#[derive(Clone, Debug, Default)]
pub(crate) struct Touched {
    pub(crate) names: BTreeSet<Vec<u8>>,
    pub(crate) hashes: BTreeSet<Vec<u8>>,
}

impl Touched {
    /// How many there are.
    pub(crate) fn len(&self) -> usize {
        self.names.len() + self.hashes.len()
    }
}

/// What lies over an image.
#[derive(Clone)]
pub(super) struct Layer {
    image: Arc<Image>,
    touched: Arc<Touched>,
    /// Places of the large image in order, each with the one that is looked at instead; 0 where nothing is.
    instead: Arc<[(u32, u32)]>,
    /// Records of the chain that are there no more, by their indices in order, each with one more than the index of the
    /// last one before it that still is; 0 where there is none.
    lost: Arc<[(u32, u32)]>,
}

/// What a layer says about a name that it has.
pub(super) enum Laid<'z> {
    Node(Node<'z>),
    Gone,
}

impl Layer {
    fn new(image: Arc<Image>, touched: Touched, mut instead: Vec<(u32, u32)>, lost: &BTreeSet<u32>) -> Layer {
        instead.sort_unstable();
        let mut before = Vec::with_capacity(lost.len());
        for &index in lost {
            let last = match before.last() {
                Some(&(last, before)) if last + 1 == index => before,
                _ => index,
            };
            before.push((index, last));
        }
        Layer { image, touched: Arc::new(touched), instead: instead.into(), lost: before.into() }
    }

    pub(super) fn image(&self) -> &Image {
        &self.image
    }

    /// What is looked at instead of a place of the large image: 0 for nothing.
    pub(super) fn instead(&self, place: u32) -> Option<u32> {
        let at = self.instead.binary_search_by_key(&place, |&(old, _)| old).ok()?;
        Some(self.instead[at].1)
    }

    pub(super) fn node<'z>(&'z self, base: &'z Image, place: u32) -> Option<Node<'z>> {
        if place >= self.image.first {
            return self.image.at(place);
        }
        match self.instead(place) {
            Some(place) => self.image.at(place).filter(|node| !node.is(GONE)),
            None => base.at(place),
        }
    }

    pub(super) fn find(&self, hash: NameHash, relative: &[u8]) -> Option<Laid<'_>> {
        let node = self.image.find(hash, relative)?;
        Some(if node.is(GONE) { Laid::Gone } else { Laid::Node(node) })
    }

    /// Whether a record of the chain is there no more.
    pub(super) fn has_lost(&self, index: u32) -> bool {
        self.lost.binary_search_by_key(&index, |&(lost, _)| lost).is_ok()
    }

    /// The last record of the large image's chain before an index that is still there.
    fn last_before(&self, behind: u32) -> Option<u32> {
        let index = behind.checked_sub(1)?;
        match self.lost.binary_search_by_key(&index, |&(lost, _)| lost) {
            Ok(at) => self.lost[at].1.checked_sub(1),
            Err(_) => Some(index),
        }
    }

    /// Looks a key up in both chains; `found` is what the large image has.
    pub(super) fn in_chain(&self, base: &Image, found: Result<u32, u32>, key: &[u8]) -> Option<InChain> {
        let links = base.links();
        let behind = match (found, self.image.search(key)?) {
            (_, Ok(index)) => return Some(InChain::Match(links + index)),
            (Ok(index), _) if !self.has_lost(index) => return Some(InChain::Match(index)),
            (Ok(behind) | Err(behind), Err(behind_layer)) => (behind, behind_layer),
        };
        let before = |(behind, behind_layer): (u32, u32)| {
            let of_layer =
                behind_layer.checked_sub(1).map(|index| (self.image.chain_key(index), links + index));
            let of_base = self.last_before(behind).map(|index| (base.chain_key(index), index));
            of_layer.max(of_base)
        };
        // Before the first is after the last: the chain is a ring.
        let (key, index) = before(behind).or_else(|| before((links, self.image.links())))?;
        key.map(|_| InChain::Cover(index))
    }

    pub(super) fn in_chain_at(&self, index: u32) -> Option<Node<'_>> {
        self.image.at(self.image.chain_place(index)?)
    }
}

/// What a layer is made of.
pub(crate) struct NewLayer {
    /// A small image, whose places begin behind the large one.
    pub(crate) octets: Vec<u8>,
    pub(crate) touched: Touched,
    pub(crate) instead: Vec<(u32, u32)>,
    pub(crate) lost: BTreeSet<u32>,
    /// Names with records of the whole zone.
    pub(crate) names: u32,
}

impl Zone {
    /// The zone with another layer on its image.
    pub(crate) fn with_layer(&self, new: NewLayer) -> Result<Zone, ImageError> {
        let first = self.base.end().ok_or(ImageError::Malformed)?;
        let Zone { base, serial, .. } = Zone::beginning_at(first, new.octets.into())?;
        Ok(Zone {
            base: Arc::clone(&self.base),
            layer: Some(Layer::new(base, new.touched, new.instead, &new.lost)),
            apex: self.apex.clone(),
            apex_depth: self.apex_depth,
            serial,
            names: new.names,
            denial: self.denial.clone(),
        })
    }

    /// Whose nodes lie over the image.
    pub(crate) fn touched(&self) -> Touched {
        self.layer.as_ref().map(|layer| Touched::clone(&layer.touched)).unwrap_or_default()
    }

    /// How many names and NSEC3 records differ from those of the image.
    pub(crate) fn laid(&self) -> usize {
        self.layer.as_ref().map_or(0, |layer| layer.touched.len())
    }

    /// The node that a set refers to by its place, or, when the zone did not have it as the set was encoded, by the name
    /// that `read` gives.
    pub(crate) fn target(&self, place: u32, read: impl FnOnce() -> Option<Name>) -> Option<Node<'_>> {
        if place != 0 {
            return self.node(place);
        }
        self.layer.as_ref()?;
        let name = read()?;
        if !name.is_within(self.apex.as_wire()) {
            return None;
        }
        self.find(name.hash(name.depth()), name.lower())
    }
}

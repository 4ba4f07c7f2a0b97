//! Which records of the chain prove what a reply says (RFC 4035 section 3.1.3, RFC 5155 section 7.2).

use super::in_zone::LONGEST_CHAIN;
use crate::image::chain::{Denial, InChain, hashed};
use crate::image::lookup::Encloser;
use crate::image::node::Node;
use crate::name::Name;
use crate::zone::Zone;

/// Most records that a reply needs: one for each wildcard on the way, and three at its end.
const MOST: usize = LONGEST_CHAIN + 3;

/// Records of a zone's chain, each of them once. Every method answers `None` when the image is damaged.
pub(super) struct Proofs<'z> {
    zone: &'z Zone,
    chosen: [u32; MOST],
    count: usize,
}

impl<'z> Proofs<'z> {
    pub(super) fn new(zone: &'z Zone) -> Self {
        Proofs { zone, chosen: [0; MOST], count: 0 }
    }

    /// Indices in the chain.
    pub(super) fn chosen(&self) -> &[u32] {
        &self.chosen[..self.count]
    }

    /// That a name exists without a type. It has `depth` labels of `name`.
    pub(super) fn no_data(&mut self, name: &Name, depth: usize, node: Node<'z>) -> Option<()> {
        match self.zone.denial() {
            Denial::None => Some(()),
            // A name that exists only because of others has no record of its own, but one that spans it.
            Denial::Nsec => self.named(name, depth),
            Denial::Nsec3 { .. } => match self.zone.proof(node, [name.suffix(depth), &[]]) {
                Some(index) => self.choose(index),
                // Only a delegation without DS in a span with opt-out has none (RFC 5155 section 7.2.4).
                None => self.encloser(name, depth - 1).map(drop),
            },
        }
    }

    /// That nothing stands between a name and the wildcard that was taken for it.
    pub(super) fn no_closer(&mut self, name: &Name, encloser: Encloser<'z>) -> Option<()> {
        match self.zone.denial() {
            Denial::None => Some(()),
            Denial::Nsec => self.named(name, name.depth()),
            Denial::Nsec3 { .. } => self.hashed(&[], name.suffix(encloser.depth + 1)),
        }
    }

    /// That a wildcard was taken for a name and has no such type.
    pub(super) fn no_data_of_wildcard(
        &mut self,
        name: &Name,
        encloser: Encloser<'z>,
        wildcard: Node<'z>,
    ) -> Option<()> {
        match self.zone.denial() {
            Denial::None => Some(()),
            Denial::Nsec => self.named_and_wildcard(name, encloser.depth),
            Denial::Nsec3 { .. } => {
                self.encloser(name, encloser.depth)?;
                let proof = self.zone.proof(wildcard, [b"\x01*", name.suffix(encloser.depth)]);
                proof.map_or(Some(()), |index| self.choose(index))
            }
        }
    }

    /// That a name does not exist, and no wildcard that would stand for it.
    pub(super) fn no_name(&mut self, name: &Name, encloser: Encloser<'z>) -> Option<()> {
        match self.zone.denial() {
            Denial::None => Some(()),
            Denial::Nsec => self.named_and_wildcard(name, encloser.depth),
            Denial::Nsec3 { .. } => {
                let depth = self.encloser(name, encloser.depth)?;
                self.hashed(b"\x01*", name.suffix(depth))
            }
        }
    }

    /// The NSEC records at a name and at the wildcard below its closest encloser, or before them.
    fn named_and_wildcard(&mut self, name: &Name, encloser: usize) -> Option<()> {
        self.named(name, name.depth())?;
        self.wildcard_named(name, encloser)
    }

    /// The NSEC record at a name or before it.
    fn named(&mut self, name: &Name, depth: usize) -> Option<()> {
        let key = name.key(self.zone.apex_depth(), depth);
        self.nearest(key.as_slice())
    }

    fn wildcard_named(&mut self, name: &Name, depth: usize) -> Option<()> {
        let mut key = name.key(self.zone.apex_depth(), depth);
        key.push(b"*");
        self.nearest(key.as_slice())
    }

    /// The NSEC3 record that matches or spans the hash of a name, given in parts.
    fn hashed(&mut self, front: &[u8], back: &[u8]) -> Option<()> {
        let Denial::Nsec3 { iterations, salt } = self.zone.denial() else { return None };
        self.nearest(&hashed([front, back], *iterations, salt))
    }

    fn nearest(&mut self, key: &[u8]) -> Option<()> {
        let (InChain::Match(index) | InChain::Cover(index)) = self.zone.in_chain(key)?;
        self.choose(index)
    }

    /// The closest encloser proof (RFC 5155 section 7.2.1), from the ancestor with `depth` labels on upwards: one in a
    /// span with opt-out may have no record. Says how many labels the proven ancestor has.
    fn encloser(&mut self, name: &Name, mut depth: usize) -> Option<usize> {
        loop {
            let node = self.zone.find(name.hash(depth), name.suffix(depth))?;
            if let Some(index) = self.zone.proof(node, [name.suffix(depth), &[]]) {
                self.choose(index)?;
                self.hashed(&[], name.suffix(depth + 1))?;
                return Some(depth);
            }
            depth = depth.checked_sub(1).filter(|&depth| depth >= self.zone.apex_depth())?;
        }
    }

    fn choose(&mut self, index: u32) -> Option<()> {
        if !self.chosen().contains(&index) {
            *self.chosen.get_mut(self.count)? = index;
            self.count += 1;
        }
        Some(())
    }
}

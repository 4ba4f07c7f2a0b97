//! From the records of the names that a change touches to a [layer](crate::image::layer).

use super::super::denial::{denial, has_choice, is_hashed_with};
use super::super::fault::{Flaw, Place};
use super::super::records::{NameGroup, Sorted};
use super::{Compiler, Denial, serial, too_large};
use crate::image::Zone;
use crate::image::layer::{NewLayer, Touched};
use crate::image::node::{GONE, Node, WILDCARD};
use crate::image::write::{NewNode, TooLarge};
use crate::order::{SortKey, wire_of};
use crate::table::NameHash;
use std::collections::BTreeSet;
use terms::RecordType;

/// Makes a zone of the image of another one and of all records of the touched names, whose ancestors are touched, too.
/// None when only a new image will do.
pub(in crate::zone) fn lay(
    zone: &Zone,
    touched: &Touched,
    sorted: &Sorted<'_>,
) -> Result<Option<Zone>, Flaw> {
    let apex = sorted.find(&[]);
    let Some(serial) = apex.as_ref().and_then(serial) else { return Ok(None) };
    if apex.as_ref().is_some_and(has_choice) {
        return Ok(None);
    }
    let changes_kind = denial(sorted, zone.apex())? != *zone.denial();
    // What a digest covers is all of the zone (RFC 8976).
    if changes_kind || apex.is_some_and(|apex| apex.has(RecordType::ZONEMD)) {
        return Ok(None);
    }
    let laying = Laying::new(zone, touched, sorted, serial);
    let Some(layer) = laying.and_then(Laying::run).map_err(too_large)? else { return Ok(None) };
    let laid = zone.with_layer(layer);
    laid.map(Some).map_err(|error| Place::default().flaw(error.to_string(), "report this"))
}

struct Laying<'s> {
    zone: &'s Zone,
    touched: &'s Touched,
    compiler: Compiler<'s>,
    instead: Vec<(u32, u32)>,
    lost: BTreeSet<u32>,
    names: u32,
}

impl<'s> Laying<'s> {
    fn new(
        zone: &'s Zone,
        touched: &'s Touched,
        sorted: &'s Sorted<'s>,
        serial: u32,
    ) -> Result<Self, TooLarge> {
        let compiler = Compiler::new(sorted, zone.apex().clone(), serial, zone.denial().clone(), Some(zone))?;
        let (instead, lost) = (Vec::new(), BTreeSet::new());
        Ok(Laying { zone, touched, compiler, instead, lost, names: zone.base().names() })
    }

    fn run(mut self) -> Result<Option<NewLayer>, TooLarge> {
        let touched = self.touched;
        for key in &touched.names {
            self.name(key)?;
        }
        for key in &touched.hashes {
            let group = self.compiler.sorted.find(key).filter(|group| group.has(RecordType::NSEC3));
            if !self.hash(key, group)? {
                return Ok(None);
            }
        }
        let Laying { compiler, instead, lost, names, .. } = self;
        let apex = compiler.path.first().map_or(0, |apex| apex.place);
        let octets = compiler.writer.finish(apex)?;
        Ok(Some(NewLayer { octets, touched: touched.clone(), instead, lost, names }))
    }

    /// Adds a name, or says that it has gone.
    fn name(&mut self, key: &[u8]) -> Result<(), TooLarge> {
        let group = self.records(key);
        let relative = wire_of(key);
        let owner = [&relative[..], &self.zone.apex().as_wire().to_ascii_lowercase()].concat();
        let hash = NameHash::of(&owner);
        let base = self.zone.base().find(hash, &relative);
        let (place, is_in_chain) = if group.is_some() || self.has_below(key, base) {
            let written = self.compiler.name(key, group.as_ref())?;
            let wildcard = [key, b"*\0"].concat();
            if base.is_some_and(|base| base.is(WILDCARD)) && !self.touched.names.contains(&wildcard) {
                self.compiler.writer.mark_wildcard(written.place);
            }
            (written.place, written.is_in_chain)
        } else if base.is_some() {
            let node = NewNode { flags: GONE, above: 0, proof: 0, name: &relative };
            (self.compiler.writer.named(hash, &node, &Default::default())?, false)
        } else {
            return Ok(());
        };
        if let Some(base) = base {
            self.instead.push((base.place, place));
        }
        if *self.zone.denial() == Denial::Nsec {
            match (self.zone.base().link(key), is_in_chain) {
                (Some(index), false) => _ = self.lost.insert(index),
                (None, true) => self.compiler.writer.link(place, key),
                (Some(_), true) | (None, false) => {}
            }
        }
        self.names -= u32::from(base.is_some_and(|base| base.sets().next().is_some()));
        self.names += u32::from(group.is_some());
        Ok(())
    }

    /// What a name has besides NSEC3, if it has anything.
    fn records(&self, key: &[u8]) -> Option<NameGroup<'s>> {
        let is_more = |group: &NameGroup<'s>| group.sets().any(|set| set.kind != RecordType::NSEC3);
        self.compiler.sorted.find(key).filter(is_more)
    }

    /// Whether there is a name below one.
    fn has_below(&self, key: &[u8], base: Option<Node<'_>>) -> bool {
        let names = &self.touched.names;
        let touched = names.range(key.to_vec()..).skip(1).take_while(|below| below.starts_with(key));
        let untouched = |node: Node<'_>| !names.contains(SortKey::of(node.name).as_slice());
        touched.into_iter().any(|below| self.records(below).is_some())
            || base.is_some_and(|node| below(self.zone, node).any(untouched))
    }

    /// Adds an NSEC3 record, or says that it has gone. Says whether that is possible in a layer.
    fn hash(&mut self, key: &[u8], group: Option<NameGroup<'s>>) -> Result<bool, TooLarge> {
        let Denial::Nsec3 { iterations, salt } = self.zone.denial() else { return Ok(false) };
        let base = self.zone.base();
        let link = base.link(key).and_then(|index| Some((index, base.chain_place(index)?)));
        match (group, link) {
            (Some(group), _) if !is_hashed_with(&group, *iterations, salt) => return Ok(false),
            (Some(group), link) => {
                let place = self.compiler.hash(&group)?;
                match link {
                    Some((_, old)) => self.instead.push((old, place)),
                    None => self.compiler.writer.link(place, key),
                }
            }
            (None, Some((index, old))) => {
                self.lost.insert(index);
                self.instead.push((old, 0));
            }
            (None, None) => {}
        }
        Ok(true)
    }
}

/// The names below one in the image of a zone.
pub(in crate::zone) fn below<'z>(zone: &'z Zone, node: Node<'z>) -> impl Iterator<Item = Node<'z>> {
    let name = node.name;
    zone.base().behind(node).take_while(move |below| {
        let (at, key) = (below.name.len().checked_sub(name.len()), SortKey::of(name));
        at.is_some_and(|at| at > 0) && SortKey::of(below.name).as_slice().starts_with(key.as_slice())
    })
}

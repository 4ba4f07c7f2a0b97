//! Every node of a zone, in the order of its image: names in canonical order, then NSEC3 records.

use super::node::Node;
use super::{Image, UNIT, Zone};
use crate::order::SortKey;
use terms::RecordType;

/// How far somebody has come.
#[derive(Debug)]
pub(crate) struct Walk {
    /// Where the next node of the image begins.
    base: usize,
    /// Where the next node of the layer begins.
    layer: usize,
}

impl Walk {
    /// At the beginning of a zone.
    pub(crate) fn of(zone: &Zone) -> Walk {
        let layer = zone.layer.as_ref().map_or(0, |layer| layer.image().nodes);
        Walk { base: zone.base.nodes, layer }
    }

    /// The next node. None at the end, and where the zone is damaged.
    pub(crate) fn next<'z>(&mut self, zone: &'z Zone) -> Option<Node<'z>> {
        let Some(layer) = &zone.layer else { return zone.base.pass(&mut self.base) };
        let mut base_after = self.base;
        let base = loop {
            match zone.base.pass(&mut base_after) {
                // The layer has another one, or says that it has gone.
                Some(node) if layer.instead(node.place).is_some() => self.base = base_after,
                node => break node,
            }
        };
        let mut layer_after = self.layer;
        let laid = layer.image().pass(&mut layer_after);
        match (base, laid) {
            (Some(base), Some(laid)) if is_before(base, laid) => self.base = base_after,
            (Some(_) | None, Some(_)) => self.layer = layer_after,
            (Some(_), None) => self.base = base_after,
            (None, None) => return None,
        }
        if self.layer == layer_after && laid.is_some() { laid } else { base }
    }
}

impl Image {
    /// The node at an octet, which then is that of the next one.
    pub(super) fn pass(&self, at: &mut usize) -> Option<Node<'_>> {
        let start = at.next_multiple_of(UNIT);
        if start >= self.table.start {
            return None;
        }
        let node = self.at(u32::try_from(start / UNIT).ok()?.checked_add(self.first)?)?;
        *at = start + node.octets()?;
        Some(node)
    }

    /// The nodes behind one, which must be one of this image.
    pub(crate) fn behind(&self, node: Node<'_>) -> impl Iterator<Item = Node<'_>> {
        let mut at = node.place.saturating_sub(self.first) as usize * UNIT;
        let mut nodes = std::iter::from_fn(move || self.pass(&mut at));
        nodes.next();
        nodes
    }
}

fn is_before(one: Node<'_>, other: Node<'_>) -> bool {
    let is_hash = |node: Node<'_>| node.sets().next().is_some_and(|set| set.kind == RecordType::NSEC3);
    match (is_hash(one), is_hash(other)) {
        (false, true) => true,
        (true, false) => false,
        _ => SortKey::of(one.name).as_slice() < SortKey::of(other.name).as_slice(),
    }
}

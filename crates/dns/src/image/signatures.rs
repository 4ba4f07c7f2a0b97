//! Until when the signatures of a zone are good.

use super::node::{Node, Set};
use super::walk::Walk;
use super::{Image, Zone};
use std::collections::BinaryHeap;
use std::sync::{Arc, Weak};
use terms::WallTime;

/// Octets of a signature's record before its data: a pointer, type, class, TTL and length.
const BEFORE_DATA: usize = 12;
/// Octets of its data before the time at which it ends (RFC 4034 section 3.1).
const BEFORE_END: usize = 8;

impl Zone {
    /// When the first of its signatures ends; none if it has no signature. `now` says which of the times it is that 32
    /// bits can mean (RFC 4034 section 3.1.5). Looks at every name: [`SignatureEnds`] does so once for many versions.
    pub fn signatures_end(&self, now: WallTime) -> Option<WallTime> {
        if !self.is_signed() {
            return None;
        }
        let seconds = now.0 / 1000;
        let mut walk = Walk::of(self);
        let ends = std::iter::from_fn(|| walk.next(self)).filter_map(|node| first_end(node, seconds));
        ends.min().map(|end| WallTime(end.saturating_mul(1000)))
    }
}

/// When the first signatures of an image end, so that every version that lies [over it](super::layer) finds its own first
/// end among few.
#[derive(Debug)]
pub struct SignatureEnds {
    /// How many are remembered.
    room: usize,
    /// Whose they are.
    image: Weak<Image>,
    /// The first ends, Unix time in seconds, each with the place of the name that has it, in order.
    first: Vec<(u64, u32)>,
    /// Whether the image has no others.
    is_all: bool,
}

impl SignatureEnds {
    /// Remembers so many ends of an image; nothing yet.
    pub fn new(room: usize) -> SignatureEnds {
        SignatureEnds { room, image: Weak::new(), first: Vec::new(), is_all: false }
    }

    /// What [`Zone::signatures_end`] says. Looks at every name only where the zone has another image than the one before,
    /// or has changed all names of those ends that were remembered.
    pub fn first(&mut self, zone: &Zone, now: WallTime) -> Option<WallTime> {
        if !zone.is_signed() {
            return None;
        }
        let seconds = now.0 / 1000;
        let is_known = Weak::ptr_eq(&self.image, &Arc::downgrade(&zone.base));
        let of_image = match self.of_image(zone).filter(|_| is_known) {
            Some(end) => end,
            None => {
                self.look(zone, seconds);
                self.first.first().map(|&(end, _)| end)
            }
        };
        let layer = zone.layer.as_ref().map(|layer| layer.image());
        let of_layer =
            layer.and_then(|layer| layer.nodes().filter_map(|node| first_end(node, seconds)).min());
        of_image.into_iter().chain(of_layer).min().map(|end| WallTime(end.saturating_mul(1000)))
    }

    /// The first end of what the zone still has of its image; none where that is not known.
    fn of_image(&self, zone: &Zone) -> Option<Option<u64>> {
        let first = self.first.iter().find(|&&(_, place)| !zone.is_replaced(place)).map(|&(end, _)| end);
        (first.is_some() || self.is_all).then_some(first)
    }

    /// Looks at every name of the image that the zone still has: those that it has not are in no version that follows.
    fn look(&mut self, zone: &Zone, now: u64) {
        let mut first = BinaryHeap::new();
        let mut is_all = true;
        for node in zone.base.nodes().filter(|node| !zone.is_replaced(node.place)) {
            first.extend(first_end(node, now).map(|end| (end, node.place)));
            if first.len() > self.room {
                first.pop();
                is_all = false;
            }
        }
        (self.image, self.first, self.is_all) = (Arc::downgrade(&zone.base), first.into_sorted_vec(), is_all);
    }
}

impl Zone {
    /// Whether a place of the image is looked at no more.
    fn is_replaced(&self, place: u32) -> bool {
        self.layer.as_ref().is_some_and(|layer| layer.instead(place).is_some())
    }
}

impl Image {
    fn nodes(&self) -> impl Iterator<Item = Node<'_>> {
        let mut at = self.nodes;
        std::iter::from_fn(move || self.pass(&mut at))
    }
}

/// When the first signature at a name ends, Unix time in seconds.
fn first_end(node: Node<'_>, now: u64) -> Option<u64> {
    let left = node.sets().filter_map(|set| first_end_of_set(&set, now as u32)).min()?;
    Some(now.saturating_add_signed(i64::from(left)))
}

/// Seconds until the first signature of a set ends.
fn first_end_of_set(set: &Set<'_>, now: u32) -> Option<i32> {
    let mut rest = set.whole.get(set.plain.len()..)?;
    let mut first = None;
    while let Some(&[l0, l1]) = rest.get(BEFORE_DATA - 2..BEFORE_DATA) {
        let data = rest.get(BEFORE_DATA..)?;
        let end = u32::from_be_bytes(*data.get(BEFORE_END..)?.first_chunk()?).wrapping_sub(now) as i32;
        first = Some(first.map_or(end, |first: i32| first.min(end)));
        rest = data.get(usize::from(u16::from_be_bytes([l0, l1]))..)?;
    }
    first
}

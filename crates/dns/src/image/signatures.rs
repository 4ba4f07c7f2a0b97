//! Until when the signatures of a zone are good.

use super::Zone;
use super::node::Set;
use super::walk::Walk;
use terms::WallTime;

/// Octets of a signature's record before its data: a pointer, type, class, TTL and length.
const BEFORE_DATA: usize = 12;
/// Octets of its data before the time at which it ends (RFC 4034 section 3.1).
const BEFORE_END: usize = 8;

impl Zone {
    /// When the first of its signatures ends; none if it has no signature. `now` says which of the times it is that 32
    /// bits can mean (RFC 4034 section 3.1.5). Looks at every name, so it is for whoever has time.
    pub fn signatures_end(&self, now: WallTime) -> Option<WallTime> {
        if !self.is_signed() {
            return None;
        }
        let seconds = now.0 / 1000;
        let mut walk = Walk::of(self);
        let ends = std::iter::from_fn(|| walk.next(self))
            .flat_map(|node| node.sets())
            .filter_map(|set| first_end(&set, seconds as u32));
        let left = i64::from(ends.min()?);
        Some(WallTime(seconds.saturating_add_signed(left).saturating_mul(1000)))
    }
}

/// Seconds until the first signature of a set ends.
fn first_end(set: &Set<'_>, now: u32) -> Option<i32> {
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

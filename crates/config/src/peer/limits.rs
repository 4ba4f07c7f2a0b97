//! `max_prefixes` and `max_announced`: how much a neighbour may announce, and how much it may be told.

use document::Table;
use std::collections::{BTreeMap, BTreeSet};
use terms::Family;

/// More prefixes than any network announces: to count them takes memory.
const MOST_PREFIXES: u32 = 4_000_000;

/// `{ ipv4 = 100, ipv6 = 50 }`, for families that the session carries.
pub(super) fn max_prefixes(table: &Table, families: &BTreeSet<Family>) -> BTreeMap<Family, u32> {
    let value = table.optional("max_prefixes");
    if !value.is_given() {
        return BTreeMap::new();
    }
    let Some(bounds) = value.table() else { return BTreeMap::new() };
    let read = |(key, family): (&'static str, Family)| {
        let bound = bounds.optional(key).number_in(1..=MOST_PREFIXES)?;
        if !families.contains(&family) {
            let message = format!("the session does not carry {family}, so nothing of it can be counted");
            let hint = format!("remove it, or add \"{family}\" to `families`");
            table.document().fault_with_hint(bound.span.clone(), message, hint);
        }
        Some((family, bound.value))
    };
    // Every key is read, so that each mistake is told.
    [("ipv4", Family::Ipv4), ("ipv6", Family::Ipv6)].into_iter().filter_map(read).collect()
}

/// The most routes that it is ever told.
pub(super) fn max_announced(table: &Table) -> Option<u32> {
    table.optional("max_announced").number_in(1..=u32::MAX).map(|bound| bound.value)
}

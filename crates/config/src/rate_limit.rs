//! `rate_limit` of `[service.dns]`: how often a network is told the same thing over UDP.

use dns::RateLimit;
use document::{Table, Value};
use std::num::NonZeroU32;

/// Default of `per_second`: that of NSD.
const PER_SECOND: u32 = 200;
const MOST_PER_SECOND: u32 = 1_000_000;
/// Default of `slip`: everybody hears at least that there is more to hear.
const SLIP: u32 = 1;
const MOST_SLIP: u32 = 100;

/// What the key says; nothing inside is no limit. Nothing at all if it is faulty.
pub(crate) fn read(value: &Value) -> Option<Option<RateLimit>> {
    if !value.is_given() {
        return Some(None);
    }
    let table = value.table()?;
    let (per_second, slip) = (per_second(&table), slip(&table));
    Some(Some(RateLimit { per_second: per_second?, slip: slip? }))
}

fn per_second(table: &Table) -> Option<NonZeroU32> {
    let value = table.optional("per_second");
    if !value.is_given() {
        return NonZeroU32::new(PER_SECOND);
    }
    value.number_in(1..=MOST_PER_SECOND).and_then(|number| NonZeroU32::new(number.value))
}

fn slip(table: &Table) -> Option<u32> {
    let value = table.optional("slip");
    if !value.is_given() {
        return Some(SLIP);
    }
    value.number_in(0..=MOST_SLIP).map(|number| number.value)
}

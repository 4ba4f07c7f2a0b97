//! An amount of memory, written `"512MiB"`.

use std::str::FromStr;

/// An amount of memory.
pub(crate) struct Octets(pub(crate) usize);

/// Enough for a few thousand routes.
const LEAST: usize = 1 << 20;

impl FromStr for Octets {
    type Err = &'static str;
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let units = [("MiB", 20), ("GiB", 30)];
        let written = units.into_iter().find_map(|(unit, shift)| {
            let number: usize = text.strip_suffix(unit)?.parse().ok()?;
            number.checked_mul(1 << shift)
        });
        let octets = written.filter(|octets| (LEAST..=64 << 30).contains(octets));
        octets.map(Octets).ok_or("write an amount from \"1MiB\" to \"64GiB\"")
    }
}

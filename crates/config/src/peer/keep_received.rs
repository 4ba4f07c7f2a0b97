//! `keep_received`: what is kept of the routes that a neighbour tells.

use bgp::session::KeepReceived;
use document::Value;
use std::str::FromStr;

/// `true`, `false` or `{ max_memory = "512MiB" }`. Nothing is kept where the file does not say so.
pub(super) fn read(value: &Value) -> Option<KeepReceived> {
    if value.is_table() {
        let octets = value.table()?.optional("max_memory").parse::<Octets>();
        let default = KeepReceived::default();
        return Some(octets.map_or(default, |octets| KeepReceived { max_memory: octets.value.0 }));
    }
    value.flag().filter(|flag| flag.value).map(|_| KeepReceived::default())
}

/// An amount of memory.
struct Octets(usize);

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

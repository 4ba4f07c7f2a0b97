//! `keep_received`: what is kept of the routes that a neighbour tells.

use crate::octets::Octets;
use bgp::session::KeepReceived;
use document::Value;

/// `true`, `false` or `{ max_memory = "512MiB" }`. Nothing is kept where the file does not say so.
pub(super) fn read(value: &Value) -> Option<KeepReceived> {
    if value.is_table() {
        let octets = value.table()?.optional("max_memory").parse::<Octets>();
        let default = KeepReceived::default();
        return Some(octets.map_or(default, |octets| KeepReceived { max_memory: octets.value.0 }));
    }
    value.flag().filter(|flag| flag.value).map(|_| KeepReceived::default())
}

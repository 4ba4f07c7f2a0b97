//! Any octets as the record of a group in the store.
#![no_main]

#[path = "../../crates/announce/tests/support/bodies.rs"]
mod bodies;

libfuzzer_sys::fuzz_target!(|octets: &[u8]| bodies::record(octets));

//! Any octets as what the raw socket of a multicast router hands over.
#![no_main]

#[path = "../../crates/lab/tests/support/bodies.rs"]
mod bodies;

libfuzzer_sys::fuzz_target!(|octets: &[u8]| bodies::igmp(octets));

//! Any octets as the file of what changed last in a zone.
#![no_main]
#![allow(dead_code)] // the bodies are shared by several targets

#[path = "../../crates/transfer/tests/support/bodies.rs"]
mod bodies;

libfuzzer_sys::fuzz_target!(|octets: &[u8]| bodies::journal(octets));

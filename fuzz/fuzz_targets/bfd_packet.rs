//! Any octets as datagrams from the other end of a BFD session.
#![no_main]
#![allow(dead_code)] // the bodies are shared by several targets

#[path = "../../crates/bfd/tests/support/bodies.rs"]
mod bodies;

libfuzzer_sys::fuzz_target!(|octets: &[u8]| bodies::packets(octets));

//! Any octets as a stream from a BGP neighbour.
#![no_main]
#![allow(dead_code)] // the bodies are shared by several targets

#[path = "../../crates/bgp/tests/support/bodies.rs"]
mod bodies;

libfuzzer_sys::fuzz_target!(|octets: &[u8]| bodies::message(octets));

//! Any octets as a datagram of QUIC: whose is it?
#![no_main]
#![allow(dead_code)] // the bodies are shared by several targets

#[path = "../../crates/continuity/tests/support/bodies.rs"]
mod bodies;
#[path = "../../crates/continuity/tests/support/fleet.rs"]
mod fleet;

libfuzzer_sys::fuzz_target!(|octets: &[u8]| bodies::quic(octets));

//! Any octets as a reply of a time server.
#![no_main]
#![allow(dead_code)] // the bodies are shared by several targets

#[path = "../../crates/check/tests/support/bodies.rs"]
mod bodies;

libfuzzer_sys::fuzz_target!(|datagram: &[u8]| bodies::ntp(datagram));

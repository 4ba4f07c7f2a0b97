//! Any octets as a response of a web server.
#![no_main]
#![allow(dead_code)] // the bodies are shared by several targets

#[path = "../../crates/check/tests/support/bodies.rs"]
mod bodies;

libfuzzer_sys::fuzz_target!(|octets: &[u8]| bodies::http(octets));

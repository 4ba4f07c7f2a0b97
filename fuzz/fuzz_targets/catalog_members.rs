//! Any text as the file of the zones that catalogs list.
#![no_main]
#![allow(dead_code)] // the bodies are shared by several targets

#[path = "../../crates/transfer/tests/support/bodies.rs"]
mod bodies;

libfuzzer_sys::fuzz_target!(|octets: &[u8]| bodies::members(octets));

//! Any text as a zone file.
#![no_main]
#![allow(dead_code)] // the bodies are shared by several targets

#[path = "../../crates/dns/tests/support/bodies.rs"]
mod bodies;
#[path = "../../crates/dns/tests/support/messages.rs"]
mod messages;

libfuzzer_sys::fuzz_target!(|text: &str| bodies::zone_file(text));

//! Any octets as a message to the DNS service.
#![no_main]
#![allow(dead_code)] // the bodies are shared by several targets

#[path = "../../crates/dns/tests/support/bodies.rs"]
mod bodies;
#[path = "../../crates/dns/tests/support/messages.rs"]
mod messages;

libfuzzer_sys::fuzz_target!(|message: &[u8]| bodies::query(message));

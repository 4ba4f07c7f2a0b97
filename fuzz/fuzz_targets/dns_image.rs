//! Any octets as the image of a zone, asked questions.
#![no_main]
#![allow(dead_code)] // the bodies are shared by several targets

#[path = "../../crates/dns/tests/support/bodies.rs"]
mod bodies;
#[path = "../../crates/dns/tests/support/messages.rs"]
mod messages;

libfuzzer_sys::fuzz_target!(|octets: &[u8]| bodies::image(octets));

//! Any text as a world file.
#![no_main]

#[path = "../../crates/lab/tests/support/bodies.rs"]
mod bodies;

libfuzzer_sys::fuzz_target!(|text: &str| bodies::world(text));

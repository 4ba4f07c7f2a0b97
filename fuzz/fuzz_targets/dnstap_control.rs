//! Any octets as what a reader of dnstap answers to the offer.
#![no_main]
#![allow(dead_code)] // the daemon uses more of what is included there

#[path = "../../crates/daemon/tests/support/bodies.rs"]
mod bodies;

libfuzzer_sys::fuzz_target!(|payload: &[u8]| bodies::dnstap_control(payload));

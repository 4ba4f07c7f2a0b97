//! Any octets as a reply to a DNS check.
#![no_main]

#[path = "../../crates/check/tests/support/bodies.rs"]
mod bodies;

libfuzzer_sys::fuzz_target!(|datagram: &[u8]| bodies::judge(datagram));

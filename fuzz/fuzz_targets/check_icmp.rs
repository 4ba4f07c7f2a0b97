//! Any octets as what an ICMP socket delivers.
#![no_main]
#![allow(dead_code)] // the bodies are shared by several targets

#[path = "../../crates/check/tests/support/bodies.rs"]
mod bodies;

libfuzzer_sys::fuzz_target!(|packet: &[u8]| bodies::icmp(packet));

//! The fuzz target's body over its corpus and over random octets, on a stable compiler.

#![allow(clippy::expect_used)]

#[path = "support/bodies.rs"]
mod bodies;

use proptest::prelude::*;
use std::path::Path;

#[test]
fn packets() {
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/corpus/bfd_packet");
    let entries = std::fs::read_dir(corpus).expect("the corpus is checked in");
    let files: Vec<_> = entries.map(|entry| entry.expect("a readable directory").path()).collect();
    assert!(!files.is_empty());
    files.iter().for_each(|file| bodies::packets(&std::fs::read(file).expect("a readable file")));
}

proptest! {
    /// Random octets with a head that is worth looking at.
    #[test]
    fn random_datagrams(mut octets in proptest::collection::vec(any::<u8>(), 0..600), tame: bool) {
        if tame {
            for datagram in octets.chunks_mut(28).filter(|datagram| datagram.len() == 28) {
                datagram[0] = 0x20 | datagram[0] & 0x1f;
                datagram[1] &= 0xfa;
                datagram[3] = 24;
                datagram[8..12].copy_from_slice(&[0, 0, 0, 1]);
            }
        }
        bodies::packets(&octets);
    }
}

//! The fuzz targets' bodies over their corpora and over random octets, on a stable compiler.

#[path = "support/bodies.rs"]
mod bodies;

use proptest::prelude::*;
use std::path::Path;

fn corpus(target: &str) -> Vec<Vec<u8>> {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/corpus").join(target);
    let entries = std::fs::read_dir(directory).expect("the corpus is checked in");
    let mut files: Vec<_> = entries.map(|entry| entry.expect("a readable directory").path()).collect();
    files.sort();
    assert!(!files.is_empty(), "the corpus of {target} is empty");
    files.iter().map(|file| std::fs::read(file).expect("a readable file")).collect()
}

#[test]
fn messages() {
    corpus("bgp_message").iter().for_each(|octets| bodies::message(octets));
}

#[test]
fn sessions() {
    corpus("bgp_session").iter().for_each(|octets| bodies::session(octets));
}

/// Real UPDATEs, with every combination of what may have been negotiated.
#[test]
fn real_updates() {
    for stream in [
        include_bytes!("data/updates-two-octet-asn.bgp").as_slice(),
        include_bytes!("data/updates-four-octet-asn.bgp"),
    ] {
        for choice in 0..8 {
            bodies::message(&[&[choice], stream].concat());
        }
    }
}

proptest! {
    #[test]
    fn random_streams(octets: Vec<u8>) {
        bodies::message(&octets);
    }

    #[test]
    fn random_acts(octets in proptest::collection::vec(any::<u8>(), 0..200)) {
        bodies::session(&octets);
    }
}

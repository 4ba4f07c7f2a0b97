//! The fuzz targets' bodies over their corpora and over random octets, on a stable compiler.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

#[path = "support/bodies.rs"]
#[allow(dead_code)] // the daemon uses more of what is included there
mod bodies;

use proptest::prelude::*;
use std::path::Path;

#[test]
fn what_was_found_before() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/corpus/dnstap_control");
    let mut seen = 0;
    for entry in std::fs::read_dir(&folder).unwrap() {
        bodies::dnstap_control(&std::fs::read(entry.unwrap().path()).unwrap());
        seen += 1;
    }
    assert!(seen > 0, "{} is empty", folder.display());
}

proptest! {
    #[test]
    fn any_octets(octets in prop::collection::vec(any::<u8>(), 0..300)) {
        bodies::dnstap_control(&octets);
        bodies::dnstap_control(&[&[0, 0, 0, 1], &octets[..]].concat());
    }
}

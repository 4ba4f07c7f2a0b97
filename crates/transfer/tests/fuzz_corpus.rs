//! The fuzz targets' bodies over their corpora and over random octets, on a stable compiler.

#![allow(clippy::unwrap_used)]

#[path = "support/bodies.rs"]
mod bodies;

use proptest::prelude::*;

#[test]
fn what_was_found_before() {
    bodies::corpus("transfer_stream", bodies::stream);
    bodies::corpus("transfer_request", bodies::request);
}

proptest! {
    #[test]
    fn any_octets(octets in prop::collection::vec(any::<u8>(), 0..300)) {
        bodies::stream(&octets);
        bodies::request(&octets);
    }
}

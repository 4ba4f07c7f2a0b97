//! The fuzz targets' bodies over their corpora and over random octets, on a stable compiler.

#![allow(clippy::unwrap_used)]

#[path = "support/bodies.rs"]
mod bodies;

use proptest::prelude::*;

#[test]
fn what_was_found_before() {
    bodies::corpus("transfer_stream", bodies::stream);
    bodies::corpus("transfer_request", bodies::request);
    bodies::corpus("catalog_records", bodies::catalog);
    bodies::corpus("catalog_members", bodies::members);
    bodies::corpus("transfer_journal", bodies::journal);
}

proptest! {
    #[test]
    fn any_octets(octets in prop::collection::vec(any::<u8>(), 0..300)) {
        bodies::stream(&octets);
        bodies::request(&octets);
        bodies::catalog(&octets);
        bodies::members(&octets);
        bodies::journal(&octets);
    }
}

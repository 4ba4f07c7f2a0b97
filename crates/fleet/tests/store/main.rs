//! One suite that every store passes, and what is particular to each.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test that cannot go on may panic"
)]

mod conformance;
mod damage;
mod locked;
mod server;

use fleet::{Embedded, Etcd};

#[tokio::test]
async fn the_embedded_store_passes_the_suite() {
    let directory = tempfile::tempdir().unwrap();
    let mut files = 0..;
    conformance::suite(|| {
        let file = format!("{}.redb", files.next().unwrap());
        Embedded::open(&directory.path().join(file)).unwrap().store
    })
    .await;
}

#[tokio::test]
async fn etcd_passes_the_suite() {
    let server = server::Server::start().await;
    let mut prefixes = 0..;
    conformance::suite(|| {
        let prefix = format!("fleet-{}", prefixes.next().unwrap());
        Etcd::new(fleet::etcd::Settings { prefix, ..server.settings() })
    })
    .await;
}

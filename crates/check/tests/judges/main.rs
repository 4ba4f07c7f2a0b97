//! Which replies pass, which fail and why, and which are not ours: of every kind of check that reads what others wrote.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

#[path = "../support/bodies.rs"]
mod bodies;
mod clock;
mod dns;
mod http;
mod icmp;
mod tcp;
mod tls;

use std::path::Path;

/// Runs the body of a fuzz target over its corpus.
fn corpus(target: &str, body: fn(&[u8])) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/corpus").join(target);
    let files: Vec<_> = std::fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    assert!(!files.is_empty(), "{}", folder.display());
    for path in files {
        body(&std::fs::read(path).unwrap());
    }
}

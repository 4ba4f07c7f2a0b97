//! The permit protocol in small: what a record keeps under every change, what a garbled one is answered, and the
//! site's side step by step.

#![allow(clippy::unwrap_used, clippy::panic, reason = "what cannot be made fails the test")]
#![allow(clippy::disallowed_types, reason = "the corpus lies in files")]
#![allow(
    unreachable_pub,
    reason = "a test exports nothing, and `pub` says what a module offers to the others"
)]

#[path = "../support/bodies.rs"]
mod bodies;
mod machine;
mod record;

use announce::permit::Speaker;

/// `london` is its first host, `london-2` its second.
pub fn speaker(name: &str) -> Speaker {
    let site = name.split('-').next().unwrap();
    Speaker { site: site.parse().unwrap(), host: name.parse().unwrap() }
}

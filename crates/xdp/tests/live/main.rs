//! Connections that really move: a client, a router, two sites, and a route that changes in mid-transfer.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod hostile;
mod shift;
mod transfer;
mod world;

#[allow(dead_code, reason = "the tests of the model use all of it")]
#[path = "../../../continuity/tests/support/frames.rs"]
mod frames;

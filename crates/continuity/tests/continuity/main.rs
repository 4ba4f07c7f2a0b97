//! The tests of continuity: one binary, as they share a fleet to play with.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
#![allow(clippy::disallowed_types, reason = "the corpora lie in files")]

mod budget;
mod explain;
mod filter;
mod golden;
mod handover;
mod model;
mod quic;
mod service;
mod shim;

#[path = "../support/arbitrary.rs"]
mod arbitrary;
#[path = "../support/bodies.rs"]
mod bodies;
#[path = "../support/cases.rs"]
mod cases;
#[path = "../support/fleet.rs"]
mod fleet;
#[path = "../support/frames.rs"]
mod frames;

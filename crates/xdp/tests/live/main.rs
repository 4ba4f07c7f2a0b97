//! Connections that really move: a client, a router, two sites, and a route that changes in mid-transfer.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod shift;
mod transfer;
mod world;

//! What was recorded replays to exactly what was done; anything else is a clear fault.
#![allow(clippy::unwrap_used, reason = "what cannot be made fails the test")]
#![allow(
    unreachable_pub,
    reason = "a test exports nothing, and `pub` says what a module offers to the others"
)]

mod decisions;
mod faults;
mod files;
mod process;
mod sessions;

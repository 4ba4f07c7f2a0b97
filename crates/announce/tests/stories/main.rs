//! What the machine says and does in the histories that operators know, to be read like a log.
#![allow(clippy::unwrap_used, reason = "what cannot be made fails the test")]
#![allow(
    unreachable_pub,
    reason = "a test exports nothing, and `pub` says what a module offers to the others"
)]

mod fleet;
mod health;
mod modifiers;
mod orders;
mod reload;
mod story;

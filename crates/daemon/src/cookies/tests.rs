//! What becomes of secrets: on one machine, and in a fleet.

mod alone;
mod shared;

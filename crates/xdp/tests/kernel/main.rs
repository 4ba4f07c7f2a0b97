//! The programs in the kernel, held against the model of `continuity`.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod cookie;
mod golden;
mod load;
mod object;
mod oracle;

#[allow(dead_code, reason = "the tests of the model use all of it")]
#[path = "../../../continuity/tests/support/arbitrary.rs"]
mod arbitrary;
#[path = "../../../continuity/tests/support/cases.rs"]
mod cases;
#[path = "../../../continuity/tests/support/fleet.rs"]
mod fleet;
#[allow(dead_code, reason = "the tests of the model use all of it")]
#[path = "../../../continuity/tests/support/frames.rs"]
mod frames;
#[path = "../support/kernel.rs"]
mod kernel;

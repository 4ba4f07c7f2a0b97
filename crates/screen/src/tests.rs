//! The whole screen: what is drawn of known pictures, and that nothing in the world makes it fall over.
#![allow(clippy::unwrap_used, clippy::panic)] // a test says what is wrong by panicking

mod any;
mod pictures;
mod shown;

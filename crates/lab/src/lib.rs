//! A world on one machine: real routers, real distances, real faults.
#![forbid(unsafe_code)]

pub mod clock;
pub mod history;
pub mod journal;

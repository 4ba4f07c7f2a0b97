//! A world on one machine: real routers, real distances, real faults.
#![forbid(unsafe_code)]

pub mod bird;
pub mod clock;
pub mod fault;
pub mod history;
pub mod hostile;
pub mod igp;
pub mod journal;
pub mod plan;
pub mod scenario;
pub mod sentence;
pub mod world;

//! A world on one machine: real routers, real distances, real faults.
#![forbid(unsafe_code)]

pub mod fault;
pub mod hostile;
pub mod scenario;
pub mod sentence;

//! A world on one machine: real routers, real distances, real faults.
#![forbid(unsafe_code)]

pub mod bird;
mod birdc;
pub mod cable;
pub mod catchment;
pub mod clock;
pub mod fault;
pub mod history;
pub mod hostile;
pub mod igp;
pub mod journal;
mod lateness;
mod machine;
pub mod names;
pub mod plan;
mod prober;
mod processes;
mod question;
mod router;
pub mod scenario;
pub mod sentence;
mod site;
pub mod world;

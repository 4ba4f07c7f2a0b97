//! A world on one machine: real routers, real distances, real faults.
#![forbid(unsafe_code)]

pub mod bird;
mod birdc;
pub mod cable;
pub mod catchment;
pub mod clock;
mod command;
mod control;
pub mod fault;
pub mod history;
pub mod hostile;
pub mod igp;
pub mod isolate;
pub mod journal;
mod lateness;
mod machine;
pub mod names;
pub mod plan;
mod prober;
mod processes;
mod question;
mod router;
pub mod running;
mod runtime;
pub mod scenario;
pub mod sentence;
mod site;
mod up;
pub mod world;

pub use command::{CommandError, down, exec, nodes};
pub use runtime::{LabName, RuntimeError};
pub use up::{DEFAULT_LISTEN, DEFAULT_WORLD, INIT_ARGUMENTS, Options, UpError, init, up, world_text};

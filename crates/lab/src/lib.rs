//! A world on one machine: real routers, real distances, real faults.
#![forbid(unsafe_code)]

pub mod bird;
mod birdc;
pub mod cable;
pub mod catchment;
pub mod clock;
mod command;
mod control;
mod detour;
pub mod fault;
pub mod history;
pub mod hostile;
pub mod igp;
pub mod isolate;
pub mod journal;
mod lateness;
mod machine;
mod mission;
pub mod names;
mod nearest;
mod observer;
mod orders;
mod paths;
mod picture;
pub mod plan;
mod prober;
mod processes;
mod question;
mod router;
mod run_delay;
pub mod running;
mod runtime;
pub mod scenario;
pub mod sentence;
mod serve;
mod site;
pub mod site_file;
pub mod story;
mod up;
mod views;
pub mod world;

pub use command::{CommandError, down, exec, fault, nodes};
pub use mission::init;
pub use runtime::{LabName, RuntimeError};
pub use scenario::command::{TestError, TestOptions, test};
pub use up::{DEFAULT_LISTEN, DEFAULT_WORLD, INIT_ARGUMENTS, Options, UpError, up, world_text};

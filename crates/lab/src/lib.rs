//! A world on one machine: real routers, real distances, real faults.
//!
//! ```text
//!  pure        world ──> plan ──> igp, policy, bird, frr, site_file    a file becomes nodes, cables, configurations
//!              history, journal, catchment, detour, nearest   what is seen, and what it means
//!  processes   up ──> rootless, isolate ──> mission           the part that waits, and process 1 of a new world
//!  the world   running ─┬─> machine, cable                    namespaces, and the thread that delays packets
//!                       ├─> router, host ──> processes        BIRD, FRR, the real daemon, NSD
//!                       ├─> core ──────────> processes        the operator's own data centre: etcd
//!                       ├─> prober                            asks for every client, all the time
//!                       ├─> continuity, calls                 what moved connections need, and connections that may move
//!                       └─> delivery ──> multicast            what hosts send each other, and multicast routers
//!  looking on  observer ─┬─> paths, views                     real ways, and why routers chose them
//!                        ├─> forwards                         who takes connections in for whom
//!                        ├─> story, picture ──> serve         what the page and the control socket tell
//!                        └─> replay                           what is kept of it, and shown again
//!  in a terminal on_screen                               the part that waits shows the world meanwhile
//!  from outside  command ──> control, orders ──> fault        exec, nodes, down, fault
//!  stories     scenario                                       steps of faults, and judges of what was seen
//! ```
#![forbid(unsafe_code)]

pub mod bird;
mod birdc;
pub mod cable;
pub mod calls;
pub mod catchment;
pub mod clock;
mod command;
mod continuity;
mod control;
pub mod core;
pub mod delivery;
mod detour;
pub mod fault;
mod forwards;
pub mod frr;
pub mod history;
mod host;
pub mod hostile;
pub mod igp;
pub mod isolate;
pub mod journal;
mod lateness;
mod machine;
mod mission;
pub mod multicast;
pub mod names;
mod nearest;
mod observer;
mod on_screen;
mod orders;
mod paths;
mod picture;
pub mod plan;
pub mod policy;
mod prober;
mod processes;
mod progress;
mod question;
pub mod replay;
mod resolve;
mod rootless;
mod router;
mod run_delay;
pub mod running;
mod runtime;
pub mod scenario;
pub mod sentence;
mod serve;
pub mod shortfall;
pub mod site_file;
mod starting;
pub mod story;
mod up;
mod views;
pub mod world;
pub mod zones;

pub use cable::ends::Ends;
pub use calls::echo::echo;
pub use calls::stream::stream;
pub use command::{CommandError, down, exec, fault, nodes};
pub use mission::init;
pub use replay::HistoryFiles;
pub use rootless::Forbidden;
pub use runtime::{LabName, RuntimeError};
pub use scenario::command::{TestError, TestOptions, test};
pub use scenario::results::Results;
pub use scenario::verdict::Verdict;
pub use screen::ScreenError;
pub use starting::{DEFAULT_FILE, NewError, STARTING_WORLD, new_world};
pub use up::{DEFAULT_LISTEN, DEFAULT_WORLD, INIT_ARGUMENTS, Options, UpError, up, world_text};

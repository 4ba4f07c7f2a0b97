//! A site's daemon: drivers around the pure cores, and the only place with their sockets, tasks and clock.
//!
//! [`run`] brings a site up: it puts the service addresses on the host, checks the service through them, and tells its
//! BGP neighbours of the announced prefixes while the checks pass. `wiring` draws who talks to whom; each other module
//! drives one core or does one thing of its own.
#![forbid(unsafe_code)]

mod address;
mod announce;
mod attendants;
mod bfd;
mod bgp;
mod blackhole;
mod bmp;
mod caller;
mod check;
mod clock;
mod continuity;
mod cookies;
mod desk;
mod dns;
mod error;
mod event;
mod events;
mod export;
mod fleet;
mod handover;
mod load;
mod memory;
mod metrics;
mod orders;
mod page;
mod privileges;
mod record;
mod reload;
mod server;
mod socket;
mod status;
mod stop;
mod succession;
mod summary;
mod traffic;
mod usage;
mod watchdog;
mod wiring;

pub use check::{CanFail, Proof, prove};
pub use error::Error;
pub use succession::FORMAT as SUCCESSION;

/// Runs the daemon of one site until SIGTERM or SIGINT has ended it in order. `path` is where its site file was read,
/// and where SIGHUP has it read again. A process whose program before has handed its site over goes on where that stood.
///
/// The calling process keeps only the capabilities that a site needs, for good: call this before any thread runs.
/// Everything that can be wrong is tried before anything is announced; an error leaves nothing behind. A panic of any
/// thread, and a decision loop that hangs, end the process, because its peers withdraw when it dies.
pub fn run(path: &std::path::Path, site_file: config::SiteFile) -> Result<(), Error> {
    let program = succession::Program::of_this_process().map_err(Error::System)?;
    let arrived = succession::arrive(&site_file.site.name);
    privileges::shed(site_file.continuity.is_some())?;
    wiring::run(path, site_file, arrived, program)
}

//! `catchment run`: the daemon of one site, in the foreground.

use crate::outcome::Outcome;
use crate::terminal::stderr_wants_colour;
use std::path::Path;
use tracing_subscriber::EnvFilter;

pub(crate) fn run(site: &Path) -> anyhow::Result<Outcome> {
    let site_file = config::load(site)?;
    log_to_stderr();
    daemon::run(site, site_file)?;
    Ok(Outcome::Yes)
}

/// One line for each event; `RUST_LOG=debug` shows more.
fn log_to_stderr() {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("info"));
    tracing_subscriber::fmt()
        .with_writer(std::io::stderr)
        .with_ansi(stderr_wants_colour())
        .with_target(false)
        .with_env_filter(filter)
        .init();
}

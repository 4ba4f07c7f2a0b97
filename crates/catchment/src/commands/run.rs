//! `catchment run`: the daemon of one site, in the foreground.

use crate::outcome::Outcome;
use std::path::Path;

pub(crate) fn run(site: &Path) -> anyhow::Result<Outcome> {
    let site_file = config::load(site)?;
    daemon::run(site_file)?;
    Ok(Outcome::Yes)
}

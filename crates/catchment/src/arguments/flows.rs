//! `catchment flows` on the command line.

use super::Ask;
use clap::Args;

/// `catchment flows`.
#[derive(Debug, Args)]
pub(crate) struct Flows {
    /// Lists every connection that the daemon tells, 10,000 in each direction at most, not only the latest 20
    #[arg(long)]
    pub(crate) all: bool,
    #[command(flatten)]
    pub(crate) ask: Ask,
}

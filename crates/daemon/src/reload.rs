//! Reload: another site file for a running site, applied as a difference.
//!
//! ```text
//!   catchment reload ──POST──> [desk] ──┐
//!   SIGHUP ─────────────────────────────┴─> [office] ──change──> site (decisions thread)
//!                                             │  ^
//!                         read, judge, differ │  │ nobody confirmed in time: the file of before
//!                                             v  │
//!                                            events
//! ```
//! The office works on the attendants' thread, because a file with large zones takes seconds to read. It takes one
//! order after the other. A file is applied as a whole or not at all: it has no fault, changes nothing that cannot
//! change while the daemon runs, and withdraws no more than the [`guard`] allows. Where it withdraws
//! anything, the fleet must have a token for it, as for an operator's order.

mod desk;
mod difference;
mod guard;
mod office;
mod restart;
mod words;

pub(crate) use desk::routes;
pub(crate) use difference::{Difference, GroupStep, PeerChange};
pub(crate) use office::Office;
pub(crate) use restart::Exit;

use crate::error::Error;
use config::SiteFile;
use tokio::sync::oneshot;

/// Another site file, judged, for the running site to take over.
#[derive(Debug)]
pub(crate) struct Change {
    /// What holds from now on.
    pub(crate) site_file: Box<SiteFile>,
    /// What that changes.
    pub(crate) difference: Difference,
    /// Answered when it is in force, or when the system refused and everything is as it was.
    pub(crate) done: oneshot::Sender<Result<(), Error>>,
}

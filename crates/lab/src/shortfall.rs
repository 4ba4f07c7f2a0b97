//! What a machine does not give, and what the lab does about it.

use crate::plan::Plan;
use crate::running::StartError;
use linux::{Error, limits, scheduling};
use std::io;
use std::thread;

/// Something that the lab can do without.
#[derive(Debug, thiserror::Error)]
pub enum Shortfall {
    /// There are no TUN devices.
    #[error("cables end in virtual Ethernet instead of TUN devices: {0}")]
    NoTun(Error),
    /// Threads run when their turn comes.
    #[error("on a busy machine packets are late, and scenarios inconclusive: {0}")]
    NoRealTime(Error),
}

/// Whether threads that measure may run before all others.
pub(crate) fn of_real_time() -> Option<Shortfall> {
    // A thread of its own: it would run on in real time.
    let tried = thread::spawn(scheduling::real_time).join();
    let panicked = |_| Error::new("run a thread in real time", io::Error::other("it panicked"));
    tried.unwrap_or_else(|panic| Err(panicked(panic))).err().map(Shortfall::NoRealTime)
}

/// Has the process open as many files as the world takes.
pub(crate) fn allow_descriptors(plan: &Plan) -> Result<(), StartError> {
    /// Of a node: its namespace, who speaks to its kernel, who watches its routes, a client's sockets.
    const OF_A_NODE: usize = 5;
    const OF_A_CABLE: usize = 2;
    /// Those of the lab itself, and those that are open for a moment.
    const MORE: usize = 200;
    let needed = (OF_A_NODE * plan.nodes.len() + OF_A_CABLE * plan.cables.len() + MORE) as u64;
    match limits::allow_descriptors(needed)? {
        allowed if allowed < needed => Err(StartError::FewDescriptors { needed, allowed }),
        _ => Ok(()),
    }
}

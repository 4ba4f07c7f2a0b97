//! What the daemon may do and use, made as little as a site needs. Whoever breaks into it gets no more than this.

use crate::error::Error;
use linux::limits;
use linux::privileges::{Capabilities, keep_only};

/// Service addresses on `lo` and unreachable routes; echo requests of checks; the ports of BGP and DNS.
const NEEDED: Capabilities =
    Capabilities::NET_ADMIN.union(Capabilities::NET_RAW).union(Capabilities::NET_BIND_SERVICE);

/// Programs in the kernel that forward packets of moved connections.
const FOR_CONTINUITY: Capabilities = Capabilities::BPF;

/// What the next program gets in a planned restart, as far as this one has it: its own site file says what it keeps.
pub(crate) const HANDED_OVER: Capabilities = NEEDED.union(FOR_CONTINUITY);

/// Descriptors that a site with many peers, checks and readers may want.
const WANTED: u64 = 65_536;

/// Descriptors below which readers of the API could take those of BGP sessions and checks: every seat of both sockets,
/// and as many again for everything else.
const LEAST: u64 = 4 * page::MAX_CONNECTIONS as u64;

/// Gives up what is not needed, but for the right to run one thread in real time. Every thread inherits it, so this comes before any of them.
pub(crate) fn shed(looks_after_connections: bool) -> Result<(), Error> {
    // Without it BFD says so when it begins: only there it matters.
    let _ = limits::allow_real_time();
    let programs = if looks_after_connections { FOR_CONTINUITY } else { Capabilities::empty() };
    keep_only(NEEDED | programs).map_err(Error::Host)?;
    limits::forbid_core_files().map_err(Error::Host)?;
    let allowed = limits::allow_descriptors(WANTED).map_err(Error::Host)?;
    if allowed < LEAST {
        return Err(Error::TooFewDescriptors { allowed, needed: LEAST });
    }
    Ok(())
}

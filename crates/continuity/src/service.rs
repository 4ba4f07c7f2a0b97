//! What a service that is a process of its own and the daemon say to each other, so that the service's connections can go to
//! another site in a drain, and come from one.
//!
//! ```text
//!   service                                  daemon
//!   join 1 chat 198.18.0.53:7 ─────────────>
//!                             <───────────── joined
//!                             <───────────── drain            this site is being left
//!   wish 20 ───────────────────────────────>
//!                             <───────────── turn 5           there is a way to another site
//!   offer 5, state, its socket ────────────>
//!                             <───────────── moved 5, or stays 5
//!                             <───────────── given 203.0.113.9:50000 198.18.0.53:7, state, its socket
//! ```
//! A message is one packet of a Unix socket that keeps packets apart (SOCK_SEQPACKET, unix(7)): words with single spaces between
//! them, a line feed, and in [`Said::Offer`] and [`Told::Given`] the octets of the state after it. The socket of the
//! connection comes with the packet (SCM_RIGHTS). Every message, and what each end has to do: docs/reference/handover.md.

mod said;
mod session;
mod told;

pub use said::{Join, Said, ServiceName, Unclear};
pub use session::{Act, Misstep, Session};
pub use told::Told;

/// Octets of the longest line, without its line feed.
const LONGEST_LINE: usize = 1024;

/// Octets of the longest packet.
pub const LONGEST: usize = LONGEST_LINE + 1 + crate::handover::Message::MOST_STATE;

/// The version of these messages.
const VERSION: &str = "1";

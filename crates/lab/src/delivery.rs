//! The four methods of delivery: what hosts are told to send, whom that should reach, and who got it. Nobody is asked
//! what a method does: packets are sent, and every host counts.
//!
//! ```text
//!  ledger     what was sent, to whom, who got it                pure
//!  packet     a message in a datagram                           pure
//!  post       a UDP socket on each host, one thread that reads
//! ```
//! Nothing of it runs before somebody sends or joins.

mod ledger;
pub(crate) mod packet;
mod post;

pub use ledger::{Account, Ledger, Message, Outlet, Reach, TRAVEL};
pub(crate) use post::{ANYCAST, Post, is_host, message};

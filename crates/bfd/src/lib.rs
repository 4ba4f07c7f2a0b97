//! Bidirectional forwarding detection (RFC 5880) without I/O: tells within a fraction of a second that the path to a
//! neighbour carries no packets any more.
//!
//! ```text
//!   octets of a datagram ──► [`Packet::decode`] ──► [`session`] state machine ──► Packet ──► octets of a datagram
//!                                                          │
//!                          events, deadlines, path lost ◄──┘
//! ```
//!
//! One [`session::Session`] watches one path. Its driver owns the sockets and the clock: it finds the session of each
//! packet by [`Packet::your_discriminator`], feeds [`session::Input`], carries out every [`session::Output`] and calls
//! again at [`session::Session::deadline`]. The same inputs give the same outputs, always.
//!
//! Asynchronous mode only: a neighbour that uses demand mode is understood, echo is off, and there is no
//! authentication. What protects a session is that its packets come from no further than they may (RFC 5881 section 5).

#![forbid(unsafe_code)]

mod diagnostic;
mod interval;
mod packet;
pub mod session;

pub use diagnostic::Diagnostic;
pub use interval::Interval;
pub use packet::{Discriminator, Fault, Packet};

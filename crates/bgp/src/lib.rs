//! A BGP speaker without I/O, for an announcer: it tells one neighbour a set of routes and counts what it hears.
//!
//! ```text
//!            octets in                                     wanted routes (the whole set, always)
//!                │                                                  │
//!   [`wire`]  Framer ─► Message ─► [`session`] state machine ─► rib_out: wanted minus told
//!                                        │                          │
//!                events, deadlines ◄─────┴──► octets out ◄──────────┘ UPDATEs, withdraws first
//! ```
//!
//! One [`session::Session`] is one neighbour. Its driver owns the sockets and the clock: it feeds
//! [`session::Input`], carries out every [`session::Output`] and calls again at
//! [`session::Session::deadline`]. The same inputs give the same outputs, always.
//!
//! What a monitoring station is told of it is handed out beside ([`session::Monitored`]); [`bmp`] gives that its form.
//!
//! Nothing a neighbour announces is accepted and nothing is announced but the wanted set, so that there is no
//! default policy that could leak routes (RFC 8212).

#![forbid(unsafe_code)]

pub mod bmp;
mod hex;
pub mod rib_in;
mod rib_out;
pub mod session;
pub mod wire;

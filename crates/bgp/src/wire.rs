//! Messages as octets (RFC 4271 section 4).
//!
//! ```text
//! stream ──Framer──► one message ──decode──► Open | Update | Notification | Keepalive | RouteRefresh
//! ```
//! Every decoder reads hostile octets: it never panics, it allocates no more than a small multiple of the message
//! (at most 65535 octets), and its error is the NOTIFICATION that the neighbour deserves. An UPDATE is decoded into a
//! [`update::Verdict`], so that what RFC 7606 says about a fault cannot be forgotten by the caller.

pub mod as_path;
pub mod attribute;
pub mod capability;
pub mod framer;
pub mod message;
pub mod negotiated;
pub mod nlri;
pub mod notification;
pub mod open;
mod reader;
pub mod role;
pub mod route_refresh;
pub mod update;

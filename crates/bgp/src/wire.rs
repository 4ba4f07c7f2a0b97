//! Messages as octets (RFC 4271 section 4).
//!
//! ```text
//! stream ──Framer──► one message ──decode──► Open | Update | Notification | Keepalive | RouteRefresh
//! ```
//! Every decoder reads hostile octets: it never panics, it allocates no more than the message is long (4096 octets),
//! and its error is the NOTIFICATION that the peer deserves. An UPDATE is decoded into a [`update::Verdict`], so that
//! what RFC 7606 says about a fault cannot be forgotten by the caller.

pub mod notification;

//! Is this answer good? One module per kind of check; each makes the octets to send, where there are any, and judges
//! what comes back.
//!
//! | module | judges |
//! |---|---|
//! | [`dns`] | the reply of a name server: authority, code, data, serial, signatures |
//! | [`http`] | the head and the body of a response |
//! | [`tls`] | the dates and the names of a certificate |
//! | [`tcp`] | the first octets that a server says |
//! | [`icmp`] | the reply to an echo request |
//! | [`exec`] | the exit status and the output of a program |
//! | [`file`](mod@file) | the age and the content of a file |
//! | [`clock`] | the reply of a time server: how wrong our clock is |
//! | [`passive`] | what real users were answered |
//! | [`load`] | whether a service has more to do than it can |
//!
//! Nothing here sends anything or knows a clock: silence, refusal and lateness are seen by whoever holds the socket,
//! and become a [`terms::Verdict`] there. Where the time of day matters (dates of certificates and signatures), it is
//! an argument.
#![forbid(unsafe_code)]

mod calendar;
pub mod clock;
pub mod dns;
pub mod exec;
pub mod file;
mod finding;
pub mod http;
pub mod icmp;
pub mod load;
pub mod passive;
pub mod tcp;
pub mod tls;
pub mod zones;

pub use finding::{Finding, Judged, Progress};

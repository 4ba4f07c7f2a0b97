//! Is this answer good? One module per protocol; each makes the octets to send and judges the octets that come back.
//!
//! Nothing here sends anything or knows a clock: silence, refusal and lateness are seen by whoever holds the socket,
//! and become a [`terms::Verdict`] there.
#![forbid(unsafe_code)]

pub mod dns;

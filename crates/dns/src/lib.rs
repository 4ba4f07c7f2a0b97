//! Authoritative DNS as a pure function.
//!
//! ```text
//!  zone file --> zone::parse --> Zone --> Zones --+
//!  who answers, secrets of cookies ---------------+--> Server ---+
//!                                                                +--> answer(server, limiter, arrival, out)
//!  a message from anywhere, its client, the time -----> Arrival -+                       |
//!                                                                                        +--> Outcome
//! ```
//! [`zone::parse`] does the work once: it judges the file and encodes every record set as it will stand in a reply.
//! [`answer()`] then reads one hostile message, looks one name up and copies octets. It allocates nothing, locks
//! nothing and waits for nothing, so that any number of threads can share one [`Zones`] behind an `Arc` and a reload
//! is the swap of that `Arc`.
//!
//! A zone's image is a run of octets that can be kept in a file and taken up again in milliseconds
//! ([`Zone::from_image`]).
#![forbid(unsafe_code)]

mod answer;
mod connections;
mod cookie;
mod foresight;
mod identity;
mod image;
mod name;
mod order;
mod query;
mod rate;
mod reply;
mod table;
pub mod zone;
mod zones;

pub use answer::{Arrival, Envelope, Outcome, ResponseCode, Server, Silence, Transport, UDP_PAYLOAD, answer};
pub use connections::{ConnectionId, Connections, Limits, Opened};
pub use cookie::{Cookie, Keyring, Secret, SecretError, Secrets};
pub use identity::Identity;
pub use image::SignatureEnds;
pub use rate::{RateLimit, RateLimiter};
pub use zone::Zone;
pub use zones::{TwiceError, Zones};

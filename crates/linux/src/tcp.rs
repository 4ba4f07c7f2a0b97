//! How Linux guards the TCP connections of routing sessions: who may be at the other end, and how far away.
//!
//! | guard | source | here |
//! |---|---|---|
//! | every segment carries an MD5 signature | RFC 2385 | [`md5`] |
//! | every segment carries an authentication code of a better kind | RFC 5925 | [`ao`] |
//! | segments of hosts further away are dropped | RFC 5082 | [`distance`] |
//!
//! What these guards drop never reaches a program. [`refused`] is what the kernel has counted.
//!
//! And which connections there are: [`each_connection`]. How one is moved to another host: [`repair`].

pub mod ao;
mod connections;
pub mod distance;
mod key;
pub mod md5;
mod refused;
pub mod repair;

pub use connections::{Ends, each_connection, each_socket};
pub use refused::{Refused, refused};

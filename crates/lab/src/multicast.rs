//! Multicast routers: one in the namespace of each router of the world.
//!
//! ```text
//!  tree      along which multicast goes         pure
//!  igmp      the wire                           pure
//!  proxy     one router: who wants what         pure
//!  routers   their sockets, one thread for all
//! ```
//! IPv4 only. What is forwarded, the kernels forward.

pub mod igmp;
pub mod proxy;
mod routers;
pub mod tree;

pub(crate) use routers::{Network, Routers};

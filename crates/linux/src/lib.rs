//! Safe system calls for everything that the standard library leaves out: network namespaces, links, addresses,
//! routes, ends of cables, sysctls, sockets, processes, privileges, limits.
//!
//! Nothing here decides anything and nothing here waits in the background: a function does one thing in the calling
//! thread (or, where the kernel ties a namespace to a thread, in a thread that ends before the function returns).
//! Every error says what was tried and what the kernel answered. All `unsafe` code of the workspace lives in this crate.

pub mod address;
mod error;
pub mod file;
pub mod limits;
pub mod link;
pub mod mount;
pub mod multicast;
pub mod namespace;
mod netlink;
pub mod offload;
mod option;
pub mod packet;
pub mod panel;
pub mod pass;
pub mod privileges;
pub mod process;
pub mod raw;
pub mod route;
pub mod scheduling;
pub mod socket;
pub mod succession;
pub mod sysctl;
pub mod tcp;
pub mod tun;
pub mod user_namespace;
pub mod veth;
pub mod watch;

pub use error::{Error, Result};
pub use namespace::Namespace;
pub use netlink::Netlink;

//! The store: where a site keeps what survives it, and where the sites of a fleet agree.
//!
//! ```text
//!                       ┌── Embedded: one file under the state directory, one machine
//!   trait Store  <──────┤
//!   read, replace, list,└── Etcd: a cluster that all sites share
//!   watch, present
//! ```
//! A store is small on purpose: values under keys, each with a [`Revision`]; a value is replaced only by whoever knows
//! the revision that stands ([`Store::replace`]), so two sites can never both change what only one of them has seen.
//! What the store says may be late, refused or lost, and the errors tell these apart ([`ReplaceError`]). `tests/`
//! holds one suite that both implementations pass.
//!
//! Nothing here decides: who may withdraw is the pure protocol of `announce::permit`. Nothing that announces or
//! withdraws a route ever waits for a store.
#![forbid(unsafe_code)]

mod embedded;
pub mod etcd;
mod key;
mod layout;
pub mod local;
mod store;

pub use embedded::{Embedded, OpenError, Opened};
pub use etcd::Etcd;
pub use key::{Key, KeyError};
pub use store::{
    Change, Connection, Entry, LONGEST_VALUE, Lease, Listing, MOST_LISTED, Reading, ReplaceError, Revision,
    Store, Unavailable, Watch, Written,
};

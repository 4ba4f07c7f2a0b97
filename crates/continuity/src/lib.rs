//! Connections that survive a change of route, without I/O: whose packet is this, and how does it get there.
//!
//! ```text
//!   frame ──► [`packet`] ──► [`search`] ──┬──► pass: this host's own, or nobody's connection
//!             what is it?    whose is it? ├──► [`tunnel`]: wrapped with a [`Shim`], to the site that owns it
//!                                         └──► drop: never a reset for what another site may own
//!   wrapped frame ──► [`tunnel`] ──► [`Shim`], its tag, its sender ──► the same search, with the sites it has visited
//! ```
//!
//! [`handover`] is for connections that are to go on at another site although this one is there: in a planned drain.
//! [`service`] is how a service that is a process of its own takes part in that. [`quic`] needs none of this: its packets can
//! say themselves whose they are.
//!
//! The programs under `ebpf/` do this in the kernel for every packet. This crate says it a second time, so that it can be
//! read, and so that tests can hold one against the other: [`Model::arrive`] gives for every frame the verdict, the
//! frame that leaves and the counters that the programs must give. What both sides need anyway, the daemon takes from here,
//! too: [`Settings`], [`Key`], [`Filter`], [`Shim`].

#![forbid(unsafe_code)]

mod budget;
mod clamp;
pub mod explain;
mod filter;
mod flow;
pub mod handover;
mod key;
mod link;
mod model;
pub mod packet;
pub mod quic;
pub mod search;
pub mod service;
mod settings;
mod shim;
mod site;
pub mod tunnel;
mod verdict;

pub use budget::{Budget, Pace};
pub use clamp::clamp;
pub use filter::{Block, Filter};
pub use flow::{Flow, client_prefix};
pub use key::{Key, KeyId, KeyRing};
pub use link::Layer;
pub use model::{Action, MOST_HELD, Model, Outcome};
pub use settings::{Paces, Settings, Site, State};
pub use shim::{Fault, Shim, Visited};
pub use site::{SiteNumber, SiteNumberError};
pub use verdict::{Count, Counts, Verdict};

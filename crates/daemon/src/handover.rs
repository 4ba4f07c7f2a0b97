//! The driver of connections that go to another site while they are open, when this one is drained.
//!
//! ```text
//!                                 thread "handover"
//!   thread "continuity" ──situation (latest)──> [`driver`] ──┬── gives many at a time ──── [`giving`] ──> [`channel`] ─┐
//!                                                            │                                     │                       │
//!   service ── offers (queue of one) ────────────────────────┘       fences in the kernel <────────┤                another site
//!   service <── its connections (queue) ──────────────────────────────────────────── [`taking`] <── [`channel`] <──────────┘
//! ```
//! Services that are processes of their own take part through [`services`].
//!
//! A service that cooperates ([`Cooperation`]) offers a connection when it has nothing in hand for it, and touches it no
//! more until it hears what has become of it. Order and meaning of what follows: [`continuity::handover`]. Why so:
//! docs/decisions/0022-handover.md.

mod channel;
mod cooperation;
mod delivery;
mod doors;
mod driver;
mod event;
mod giving;
mod kernel;
mod patience;
mod room;
mod round;
mod services;
mod taking;
mod tally;
mod ways;

pub(crate) use cooperation::{Cooperation, Fate, Given, Membership, Offers, Turn, Vacancy, prepare};
pub(crate) use driver::{Driver, Receiver, Situation};
pub(crate) use patience::Patience;
pub(crate) use services::{Reception, Recess, Roster, Rules, Waits};
pub(crate) use tally::{Numbers, Tally};

#[cfg(test)]
mod tests;

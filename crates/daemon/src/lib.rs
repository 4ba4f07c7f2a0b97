//! A site's daemon: drivers around the pure cores, and the only place with their sockets, tasks and clock.
#![forbid(unsafe_code)]

mod address;
mod announce;
mod bgp;
mod check;
mod clock;
mod event;
mod events;
mod export;
mod memory;
mod metrics;
mod status;
mod stop;
mod watchdog;

pub use clock::Clock;

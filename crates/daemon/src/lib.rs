//! A site's daemon: drivers around the pure cores, and the only place with their sockets, tasks and clock.
#![forbid(unsafe_code)]

mod clock;

pub use clock::Clock;

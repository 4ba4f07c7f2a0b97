//! A planned restart: the program on disk takes the place of this one, in the same process, and nobody outside sees it.
//!
//! ```text
//!   program of before                                            the same process, the program on disk
//!   ─────────────────                                            ─────────────────────────────────────
//!   office: may it be? [`program`] has NEW check the file
//!   site:   the DNS workers look out for orders more often
//!           peers, decision loop, fleet driver: [`still`] ──> what each knows
//!           DNS workers finish what they have in hand
//!           [`estate`] encoded ──> sealed memory ──exec──> decoded, descriptors taken
//!                                                            DNS workers, decision loop, peers go on
//!           exec failed: everybody goes on as if nothing had happened
//! ```
//! Handed over are the sessions that are up with their connections, the machines of the groups and of the permits,
//! the events, and every listening socket with what waits in it. What waits in a socket while nobody serves it is
//! served afterwards: that is why no answer is lost. A session that is not up yet begins anew.
//!
//! What cannot be taken over is a cold start of that part and told: a session whose connection is missing is closed
//! and comes back by itself, a group that is unknown proves itself first. Nothing is ever announced for lack of
//! knowledge.

mod estate;
mod event;
mod program;
mod still;

pub(crate) use estate::{Arrived, Descriptors, Estate, Sockets, arrive};
pub(crate) use event::Event;
pub(crate) use program::{Departing, Program, examine};
pub(crate) use still::{Hold, StandStill};

/// The version of what is handed over. Raised whenever a machine or anything else in the [`Estate`] changes: a program
/// takes over from one of the same version only, and is asked before anything stands still.
pub const FORMAT: u32 = 3;

//! A connection that goes to another site while it is open: what is said between the two sites, and in which order.
//!
//! ```text
//!   giver: who has it                                        taker: who gets it
//!   the service is at rest
//!   fence up, socket frozen, state read ──── Offer ────────> socket made, frozen
//!   socket discarded, flow learned     <──── Accepted ──────
//!   held packets sent on, fence down   ───── Released ─────> socket thawed, given to its service
//! ```
//! Until it is accepted, whatever fails leads back: the socket thaws where it was, and the fence comes down. Nobody sends
//! for a connection that is frozen, so that two sites never speak for one client.

mod dump;
mod giver;
mod message;
mod taker;

pub use dump::{Dump, Malformed, Queue, Window};
pub use giver::{Giver, GiverAct, GiverEvent};
pub use message::{Message, Refusal};
pub use taker::{Taker, TakerAct, TakerEvent};

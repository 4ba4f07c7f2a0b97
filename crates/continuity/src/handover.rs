//! A connection that goes to another site while it is open: what is said between the two sites, and in which order.
//!
//! ```text
//!   giver: who has it                                        taker: who gets it
//!   the service is at rest
//!   fence up, socket frozen, state read ──── Offer ────────> fence up, socket made, frozen
//!   state is the same still            <──── Accepted ──────
//!   socket discarded, held packets sent on
//!                                      ───── Released ─────> socket thawed, fence down, given to its service
//!   flow learned, fence down
//! ```
//! A frozen socket acknowledges what reaches it, and routing may bring the client's packets to either site at any time: so each
//! has a fence for as long as its socket is frozen.
//!
//! Until it is accepted, whatever fails leads back: the socket thaws where it was, and the fence comes down. Nobody sends
//! for a connection that is frozen, so that two sites never speak for one client.

mod dump;
mod giver;
mod held;
mod message;
mod taker;

pub use dump::{Dump, Malformed, Queue, Window};
pub use giver::{Giver, GiverAct, GiverEvent};
pub use held::put_in_order;
pub use message::{Message, Refusal};
pub use taker::{Taker, TakerAct, TakerEvent};

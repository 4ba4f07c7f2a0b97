//! The live page of a lab or of a site, the server behind it, and the same page as a file that plays what was recorded.
//!
//! ```text
//!  watch: picture ──┐                     ┌── reader 1 (server-sent events)
//!  broadcast: live ─┴─> hub ── broadcast ─┼── reader 2
//!                        └─ the last minute, for whoever comes late
//!  mpsc: orders  <── POST /command (a lab only)
//! ```
//!
//! The [`Feed`] is what a lab or a daemon hands over. The hub turns every message into text once, whatever the number
//! of readers, and remembers the last minute. A reader that falls behind loses messages, never memory: it is told the
//! whole again.
//!
//! **Who may do what.** The page is made for the loopback. Reading needs a `Host` that no foreign name can have (against
//! DNS rebinding). Changing something also needs our own `Origin` and the token that the page itself was given, new at
//! every start. No cross-origin reading is ever allowed.
#![forbid(unsafe_code)]

mod accept;
mod assets;
mod bundle;
mod feed;
mod guard;
mod hub;
mod patience;
mod reader;
mod replay;
mod routes;
mod serve;

pub use accept::{MAX_CONNECTIONS, answer};
pub use feed::{Feed, Order};
pub use guard::TOKEN_HEADER;
pub use replay::replay;
pub use serve::{Page, serve};

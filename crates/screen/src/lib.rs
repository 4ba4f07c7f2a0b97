//! The live screen of a lab in a terminal: what the page shows, with characters and keys.
//!
//! ```text
//!  live stream of the page ─┐
//!  keys, size ──────────────┼─> View ── draw ──> cells ──> terminal
//!  what the lab says ───────┘    └────> wishes: a fault, to leave
//! ```
//! The [`View`] is everything that the screen knows, and [`draw`] puts it into cells: both are pure. The driver,
//! [`show`], owns the terminal and gives it back, however it ends.
//!
//! Nothing is told by colour alone: a site has a letter, silence has a sign, a slow answer is a thinner line.
#![forbid(unsafe_code)]

mod draw;
mod driver;
mod earth;
mod headline;
mod key;
mod layout;
mod marks;
mod menu;
mod news;
mod palette;
mod part;
mod ribbon;
mod selection;
#[cfg(test)]
mod tests;
mod view;
mod words;

pub use draw::draw;
pub use driver::{ScreenError, check, show};
pub use key::Key;
pub use palette::Colours;
pub use view::{Input, View, Wish};

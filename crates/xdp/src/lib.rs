//! The programs in the kernel: what they need, how they are loaded, what is in their tables.
//!
//! ```text
//!   ebpf/continuity.o ──► [`Continuity::load`] ──► pinned tables, programs
//!                         [`Continuity::attach`] ─► pinned links, one for each interface
//!   continuity::Settings ► [`Continuity::tell`] ──► only what changed is written
//!                         [`Continuity::fences`] ──► packets of a flow wait
//!                         [`Continuity::known_of`] ► continuity::explain: what the programs would do, and why
//!                         [`Continuity::passages`] ► flows that are forwarded, and that are received
//!                         [`Continuity::counts`] ──► what became of all packets
//! ```
//!
//! What is pinned stays when the daemon ends: packets of moved connections still go to their owners, packets of this
//! host's own pass. The next daemon finds the tables, puts its programs in the place of the old ones in one step, and
//! tells them everything again. The directory's name has the version of the tables, so that programs never meet tables
//! of another form.

#![forbid(unsafe_code)]

mod attach;
mod error;
mod fences;
mod known;
mod layout;
mod load;
mod passages;
mod tables;
mod trial;

pub use attach::{Mode, take_off};
pub use error::Error;
pub use fences::Fences;
pub use known::Known;
pub use load::{Continuity, OBJECT, Room, VERSION};
pub use passages::{Passage, Passages};
pub use trial::{Program, Trial};

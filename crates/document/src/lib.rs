//! A TOML file walked by hand: every fault with its line, its column and a hint, all of them at once.
//!
//! A deserialiser stops at the first thing it dislikes. A reader built on this crate asks for one key after the
//! other, gets `None` where something is wrong, and goes on; the document remembers each fault, and each key that
//! nobody asked for is a fault as well. Text goes in, values or [`Faults`] come out;
//! only [`read()`] and [`read_bytes()`] open a file.
//!
//! ```
//! use document::{Document, Faults, Table};
//! use terms::{Asn, PeerName};
//!
//! #[derive(Debug)]
//! struct Peer { name: PeerName, asn: Asn }
//!
//! // Ask for every key first, give up last: a key that was not asked for counts as unknown.
//! fn peer(table: &Table) -> Option<Peer> {
//!     let name = table.required("name").parse();
//!     let asn = table.required("asn").number();
//!     Some(Peer { name: name?.value, asn: asn?.value })
//! }
//!
//! fn peers(file: &str, text: &str) -> Result<Vec<Peer>, Faults> {
//!     let document = Document::parse(file, text);
//!     let peers = document.root().required("peer").each(peer);
//!     document.finish(peers)
//! }
//!
//! assert_eq!(peers("site.toml", "[[peer]]\nname = 'transit-a'\nasn = 64500").unwrap()[0].asn.get(), 64500);
//!
//! let faults = peers("site.toml", "[[peer]]\nname = 'Transit A'\nasm = 64500").unwrap_err();
//! assert_eq!(faults.len(), 3); // the name, the missing `asn` and the unknown `asm`
//! ```
#![forbid(unsafe_code)]

mod document;
mod duration;
mod fault;
mod file;
mod render;
mod source;
mod table;
mod tree;
mod value;

pub use document::{Document, Spanned};
pub use duration::{DurationError, parse_duration};
pub use fault::{Fault, Faults, Warnings};
pub use file::{ReadError, read, read_bytes, read_regular, regular};
pub use render::Style;
pub use source::Source;
pub use table::Table;
pub use value::Value;

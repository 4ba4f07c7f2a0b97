//! Zones from one server to another, as functions of octets and one machine: AXFR (RFC 5936), IXFR (RFC 1995), NOTIFY
//! (RFC 1996), TSIG (RFC 8945), catalogs (RFC 9432).
//!
//! ```text
//!  primary:    a message --> Request --> who may? Policy --> Writer --> messages, signed by the Conversation
//!  secondary:  NOTIFY, time --> Secondary --> ask, fetch --> messages --> Reader --> records --> a zone
//!  catalog:    a zone's records --> Catalog --> Membership --> zones that come and go
//! ```
//! Everything that arrives is hostile. Reads are bounded, pointers of names only lead back, and a transfer ends where
//! it is larger than it may be.
#![forbid(unsafe_code)]

mod ask;
mod catalog;
mod cursor;
mod difference;
mod journal;
mod policy;
mod reader;
mod request;
mod secondary;
mod tsig;
mod writer;

pub use ask::{Question, authority_in, judge_acknowledgement};
pub use catalog::{
    Broken, Catalog, Clash, Fate, Label, Listed, Member, Membership, MembershipError, Owner, Reading, Step,
};
pub use difference::Difference;
pub use journal::{Journal, Torn};
pub use policy::{Client, Policy};
pub use reader::{Fault, Piece, Progress, Reader};
pub use request::{NotARequest, Operation, Request, acknowledge, truncate};
pub use secondary::{Held, Input, Output, SHORTEST, Secondary, StateName, lifetime};
pub use tsig::{Algorithm, Conversation, Key, Keys, Rejection, SignatureError};
pub use writer::Writer;

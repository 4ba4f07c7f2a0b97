//! One question to a name server: its octets, what is an answer to it, and what the answer says.
//!
//! ```text
//!  Query::message(id) --> the server --> Query::judge(id, octets) -+-> Answer      who answers, what, with which EDNS
//!                                                                  +-> Misfit      not to this query: wait on
//!                                                                  +-> Malformed   and where
//! ```
//! Nothing here sends anything or knows a clock: whoever holds the socket also sees who sent the octets. They are
//! hostile until judged, every read is bounded by the message, and no text made here has a character that moves a
//! cursor.
#![forbid(unsafe_code)]

mod answer;
mod class;
mod cookie;
mod edns;
mod message;
mod misfit;
mod records;
mod text;

pub use answer::{Answer, Flags};
pub use class::{Class, ClassError};
pub use cookie::{Cookie, CookieError};
pub use domain::base::message_builder::PushError;
pub use edns::{Edns, ExtendedError};
pub use message::{EdnsQuery, PAYLOAD, Query, Question, reverse_name};
pub use misfit::{Misfit, Rejection};
pub use records::{Malformed, Record, Section};
pub use text::{hexadecimal, printable};

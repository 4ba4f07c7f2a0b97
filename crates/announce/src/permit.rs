//! May this site withdraw? The fleet's guard against going dark, as a pure record and a pure machine.
//!
//! Reading a counter and then withdrawing is a race, and says nothing in a partition. So a site asks for *leave*: one
//! [`Record`] per group lies in a store that all sites share, and is replaced as a whole under a compare of its
//! revision. A host that announces *stands* in it, which is a promise to ask before it withdraws. To withdraw, it
//! first makes a change after which it no longer stands; that change exists only while enough other sites do.
//!
//! ```text
//!                 announces                      the record says so
//!     Absent ───────────────────> Returning ────────────────────────> Standing
//!      ^  ^                        ^  ^                                  │
//!      │  │ stops announcing       │  │ Release, at once                 │ Ask
//!      │  └────────────────────────┘  │                                  v
//!      │                              └───────── Held <────────────── Asking
//!      │   restarts (the record keeps the leave)  │   own change made   │ refused: goes on asking
//!      └──────────────────────────────────────────┘                     └─ Release ─> Returning
//! ```
//!
//! In every interleaving the sites that are away by their own choice, and those known dead, are at most
//! `members - min_sites` (law P4). No clock takes part. Why each rule exists:
//!
//! | rule | without it |
//! |---|---|
//! | a slot is a site of which no host stands, never a counter | a crash between two changes loses a slot, or frees one twice |
//! | leave is used only after the answer that the own change was made | an ambiguous answer is taken for a yes |
//! | never by reading it | a change of our own that is still under way undoes what was read |
//! | an ambiguous change may be made later: it counts against us until a later change of ours is made | as above |
//! | `Release` ends the use here before the record is touched | somebody else gets the slot while it is still used |
//! | only the site's hosts say that it stands | leave that expires is given to two |
//! | a lapsed lease is charged a slot; none free: a debt that blocks all leave | the dead are counted on |
//! | a host that starts and announces nothing says so | a fast restart hides that it is gone |
//! | whether a host is the last of its site is decided in the same change | two hosts leave, each relying on the other |
//! | who was out of contact relies on nobody who has not spoken since | it takes an old backup for the present |
//! | who has seen a newer record makes everybody speak first | as above, for those who were in contact |
//! | a permit names the wish that it answers | a `Held` that was on its way is used for the next failure |
//!
//! | file | holds |
//! |---|---|
//! | `record`, `decode` | what lies in the store, and when it is sound |
//! | `change`, `token` | every way in which it may change |
//! | `refusal` | why it may not, with the numbers |
//! | `machine` | the site's side: one request at a time |
//! | `sight` | what is known of the store, and how it is noticed that the store forgot |
//! | `draft` | what the record should say, by what is true here |
//! | `pace` | pauses |
//! | `report`, `event` | alarms and sentences |

mod change;
mod decode;
mod draft;
mod event;
mod input;
mod machine;
mod pace;
mod record;
mod refusal;
mod report;
mod sight;
mod speaker;
mod token;

pub use decode::Garbled;
pub use event::{Alarm, Event};
pub use input::{Input, Output, Pace, Revision, Settings, Stored, Ticket, Turn};
pub use machine::{Machine, Phase};
pub use record::{Away, Cause, Host, Member, Record, Token};
pub use refusal::{Names, Refusal};
pub use sight::Contact;
pub use speaker::Speaker;

//! What does this site announce, and why: the decision for one announcement group, as a pure machine.
//!
//! A *group* is the prefixes that go up and down together and the services behind them. Its [`Machine`] learns what
//! the health checks found ([`Input::Check`]), whether the services can answer at all ([`Input::Warmth`]), what the
//! operator wants ([`Input::Intent`]) and what the fleet permits ([`Input::Permit`]), and says how strongly to announce
//! ([`Action::Announce`]). The states and the table between them are in [`State`]; what bends the level of a state is
//! in one function beside it; what counts as a failure is in the tally of a check; how services add up is the
//! [`Fold`]; what a failure costs is the back-off ([`Backoff`]); what is wrong and stays so is an [`Alarm`].
//!
//! It keeps these laws (`tests/laws` checks each on random traces, and plants the faults it guards against):
//!
//! - **P1** Leaving [`Level::None`] needs `rise` passes in a row of every check that counts since the start or its last
//!   fail, the start-up gate open, and no order against it. [`Intent::ForceAnnounce`] replaces the passes, never the
//!   gate.
//! - **P2** An announced group stays announced until it has failed for good or the operator orders otherwise. While it
//!   is frozen nothing changes.
//! - **P3** With the permit, a group that failed for good withdraws in the same step, unless it is frozen or forced.
//! - **P4** (of the fleet, in [`permit`]) At least `min_sites` sites never withdraw voluntarily.
//! - **P5** A dependency that is lost allows [`Level::Depref`] at most and never withdraws. Blindness and overload never
//!   lower below that.
//! - **P6** A drain is [`Level::Gshut`] for T_drain, or for T_conv when few connections are left, then
//!   [`Level::None`]. It can be called off until the end.
//! - **P7** The k-th failed withdrawal in a row lasts at least its back-off, also across a restart; an equal level is
//!   never told twice.
//! - **P8** The same inputs give the same actions, and serialising the machine at any point changes nothing.
//! - **P9** Nothing is announced before P1 holds, whatever is remembered.
//! - **P10** All prefixes of the group change in one step: one [`Action::Announce`], before anything is told to people.
//! - **P11** A pass replaced by a fail or an indeterminate result never raises what that step announces.
//! - **P12** A reload with equal settings does nothing; a new check never withdraws by being new.
//! - **P13** Peers that know something else for longer than the settings allow are told again, until they agree.
//! - **P14** Time alone withdraws nothing: a suspend changes nothing but the alarm that nobody watches.
//! - **P15** Without the permit and without an order that overrides it, the group stays announced; and when it is well
//!   and its back-off is over, it is announced as strongly as its dependencies allow.
#![forbid(unsafe_code)]

mod alarm;
mod damping;
mod event;
mod explain;
mod health;
mod input;
mod leave;
mod machine;
mod now;
mod output;
pub mod permit;
mod reconcile;
mod settings;
mod state;
mod tally;
mod words;

pub use alarm::Alarm;
pub use event::Event;
pub use input::{Condition, Input, Intent, Order, Permit, Readback, Warmth};
pub use machine::{CheckStatus, Machine};
pub use output::{Action, Level, Memory, Wish};
pub use reconcile::Reconciliation;
pub use settings::{Backoff, BlindPolicy, CheckId, CheckSettings, Drain, Fold, Reconcile, Scope, Settings};
pub use state::State;

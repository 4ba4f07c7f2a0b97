//! What does this site announce, and why: the decision for one announcement group, as a pure machine.
//!
//! A *group* is the prefixes that go up and down together and the services behind them. Its [`Machine`] learns what
//! the health checks found ([`Input::Check`]), whether the services can answer at all ([`Input::Warmth`]) and what
//! the operator wants ([`Input::Intent`]), and says how strongly to announce ([`Action::Announce`]). The states and
//! the table between them are in [`State`]; what counts as a failure is in the tally of a check; what a failure
//! costs is the back-off ([`Backoff`]).
//!
//! It keeps these laws (`tests/laws` checks each on random traces, and plants the fault it guards against):
//!
//! - **P1** Leaving [`Level::None`] needs `rise` passes in a row of every check since the start or its last fail,
//!   the start-up gate open, and no order to withdraw.
//! - **P2** An announced group stays announced until a check has failed for good or the operator orders otherwise.
//! - **P3** A check that failed for good withdraws in the same step.
//! - **P7** The k-th failed withdrawal in a row lasts at least its back-off; an equal level is never told twice.
//! - **P8** The same inputs give the same actions, and serialising the machine at any point changes nothing.
//! - **P9** Nothing is announced before P1 holds, whatever is remembered.
//! - **P11** A pass replaced by a fail or an indeterminate result never raises what that step announces.
//! - **P14** Time alone withdraws nothing: a suspend changes nothing but the alarm that nobody watches.
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
pub use settings::{Backoff, BlindPolicy, CheckId, CheckSettings, Drain, Fold, Reconcile, Scope, Settings};
pub use state::State;

//! `bfd`: whether the path to a neighbour is watched, and how closely.

use bfd::session::Settings;
use document::{Table, Value};
use std::num::NonZeroU8;
use std::time::Duration;

/// Default of `interval`: with the default of `multiplier`, a path is dead after 0.9 s.
const INTERVAL: Duration = Duration::from_millis(300);
const MULTIPLIER: u8 = 3;
/// Below that a machine cannot be told from a path: its own pauses are as long.
const SHORTEST: Duration = Duration::from_millis(10);
const LONGEST: Duration = Duration::from_secs(60);

/// How the path to a neighbour is watched.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bfd {
    /// The session with the neighbour.
    pub session: Settings,
    /// Whether the neighbour is behind routers (RFC 5883) and not on the same link (RFC 5881).
    pub multihop: bool,
}

/// What the key says; nothing inside is none for a neighbour that is not watched. Nothing at all if it is faulty.
pub(super) fn read(value: &Value) -> Option<Option<Bfd>> {
    if !value.is_given() {
        return Some(None);
    }
    let table = value.table()?;
    let interval = interval(&table);
    let multiplier = multiplier(&table);
    let multihop = table.optional("multihop").flag();
    let passive = table.optional("passive").flag();
    let session = Settings {
        interval: interval?.into(),
        multiplier: multiplier?,
        passive: passive.is_some_and(|flag| flag.value),
    };
    Some(Some(Bfd { session, multihop: multihop.is_some_and(|flag| flag.value) }))
}

fn interval(table: &Table) -> Option<Duration> {
    let value = table.optional("interval");
    if !value.is_given() {
        return Some(INTERVAL);
    }
    value.duration_in(SHORTEST..=LONGEST).map(|interval| interval.value)
}

fn multiplier(table: &Table) -> Option<NonZeroU8> {
    let value = table.optional("multiplier");
    if !value.is_given() {
        return NonZeroU8::new(MULTIPLIER);
    }
    let multiplier = value.number_in(1..=u8::MAX)?;
    if multiplier.value == 1 {
        let message = "one lost packet ends the session";
        value.document().warn(multiplier.span, message, "write multiplier = 3, or 2 at least");
    }
    NonZeroU8::new(multiplier.value)
}

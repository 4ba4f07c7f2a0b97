//! Events as rows: one for each thing that happened.

use crate::Schema;
use serde::{Deserialize, Serialize};
use terms::{Event, Severity, WallTime};
use utoipa::ToSchema;

/// One thing that happened.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct EventRow {
    /// Counts up by one per process; the order of events.
    pub seq: u64,
    /// Milliseconds since the process started, on a clock that only goes forward.
    pub at_ms: u64,
    /// When it was for people, ms since 1970-01-01T00:00:00Z.
    pub wall: WallTime,
    /// How much attention it deserves.
    pub severity: Severity,
    /// A short stable word in kebab-case, also the metric's label.
    pub kind: String,
    /// Whom it is about: a peer, a group, a site, a client; empty for the process itself.
    pub subject: String,
    /// The one English sentence.
    pub text: String,
}

impl EventRow {
    /// The row of a core's event.
    pub fn of(event: &dyn Event, subject: impl Into<String>, seq: u64, at_ms: u64, wall: WallTime) -> Self {
        EventRow {
            seq,
            at_ms,
            wall,
            severity: event.severity(),
            kind: event.kind().to_owned(),
            subject: subject.into(),
            text: event.to_string(),
        }
    }
}

/// The latest events, oldest first.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct EventList {
    /// Always 1.
    pub schema: Schema,
    /// Oldest first.
    pub events: Vec<EventRow>,
}

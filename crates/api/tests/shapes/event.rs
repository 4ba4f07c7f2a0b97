//! What happened.

use crate::{WHEN, json};
use api::*;
use terms::Severity;

pub(crate) fn row() -> EventRow {
    EventRow {
        seq: 3,
        at_ms: 5012,
        wall: WHEN,
        severity: Severity::Warning,
        kind: "check-failed".into(),
        subject: "dns".into(),
        text: "the service refused".into(),
    }
}

#[test]
fn events() {
    insta::assert_snapshot!(json(EventList { schema: Schema, events: vec![row()] }));
}

//! `graceful_restart`: whether routes outlive a session with a neighbour, and how long.

use bgp::session::{Graceful, RestartTime};
use document::{Table, Value};
use std::ops::RangeInclusive;
use std::time::Duration;

/// How long anything may take: a day.
const TIMES: RangeInclusive<Duration> = Duration::from_secs(1)..=Duration::from_secs(86_400);

/// `true`, `false` or `{ restart_time = "120s", stale_time = "180s", end_of_rib_within = "30s" }`. Off where the file
/// does not say so: it costs users.
pub(super) fn read(value: &Value) -> Option<Graceful> {
    let graceful = if value.is_table() {
        let table = value.table()?;
        let default = Graceful::default();
        let time = |key| table.optional(key).duration_in(TIMES).map(|time| time.value);
        Graceful {
            restart_time: restart_time(&table).unwrap_or(default.restart_time),
            stale_time: time("stale_time").unwrap_or(default.stale_time),
            end_of_rib_within: time("end_of_rib_within").unwrap_or(default.end_of_rib_within),
        }
    } else {
        value.flag().filter(|flag| flag.value).map(|_| Graceful::default())?
    };
    let held = graceful.restart_time.seconds();
    let message = format!("if this site dies, its users are sent to it for {held} s and get no answer");
    let hint = "leave `graceful_restart` out, unless the service is reachable without the daemon and the host hardly \
                ever dies; a planned restart needs none";
    value.document().warn(value.span(), message, hint);
    Some(graceful)
}

fn restart_time(table: &Table) -> Option<RestartTime> {
    let value = table.optional("restart_time");
    let written = value.duration()?;
    let seconds = u16::try_from(written.value.as_secs()).ok().filter(|_| written.value.subsec_nanos() == 0);
    let Some(seconds) = seconds else {
        let message = "a restart time is a number of whole seconds";
        value.document().fault_with_hint(written.span, message, "it is 1s to 4095s, 120s by default");
        return None;
    };
    match RestartTime::try_from(seconds) {
        Ok(time) => Some(time),
        Err(error) => {
            let hint = "write restart_time = \"120s\", or leave it out";
            value.document().fault_with_hint(written.span, error.to_string(), hint);
            None
        }
    }
}

//! Keys whose meaning is fixed and whose work is not built yet.

use document::Table;

/// Refuses each of these keys where it is given: to ignore it would promise what is not there. Whether one was.
pub(crate) fn refuse(table: &Table, keys: &[&str]) -> bool {
    let hint = "remove it for now; nothing of it would take effect";
    let refused = keys.iter().filter(|key| table.refuse(key, &message(key), hint));
    refused.count() > 0
}

/// The words for one thing that is planned.
pub(crate) fn message(what: &str) -> String {
    format!("`{what}` is not built yet (planned)")
}

//! Keys whose meaning is fixed and whose work is not built yet.

use document::Table;

/// Refuses each of these keys where it is given: to ignore it would promise what is not there.
pub(crate) fn refuse(table: &Table, keys: &[&'static str]) {
    for key in keys {
        table.refuse(key, &message(key), "remove it for now; nothing of it would take effect");
    }
}

/// The words for one thing that is planned.
pub(crate) fn message(what: &str) -> String {
    format!("`{what}` is not built yet (planned)")
}

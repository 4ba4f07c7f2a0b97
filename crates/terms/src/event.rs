//! What every core's event can tell about itself.

use serde::{Deserialize, Serialize};
use std::fmt;
use utoipa::ToSchema;

/// How much attention an event deserves.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// Expected in normal operation.
    Info,
    /// A change that an operator wants to have seen.
    Notice,
    /// Something is wrong, and the machine coped.
    Warning,
    /// Something is wrong and stays wrong until it is cleared.
    Alarm,
}

/// Something that happened, told once: log line, metric, row of the API, mark on the page and sentence of
/// `explain` are all made from it. `Display` is its one English sentence, without a full stop.
pub trait Event: fmt::Display {
    /// A short stable word in kebab-case: the metric's label and the `kind` of the JSON row.
    fn kind(&self) -> &'static str;
    /// How much attention it deserves.
    fn severity(&self) -> Severity;
}

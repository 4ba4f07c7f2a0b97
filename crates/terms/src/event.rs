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
    /// The alarm that begins or ends with it, if one does.
    fn alarm(&self) -> Option<AlarmChange> {
        None
    }
}

/// What an event does to an alarm. An alarm is an event that stays until another one clears it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AlarmChange {
    /// It stands from now on; raised again, it stands with the newer sentence.
    Raised(AlarmName),
    /// It stands no longer.
    Cleared(AlarmName),
}

/// Tells one alarm of a subject from its others.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct AlarmName {
    /// A short stable word in kebab-case: the metric's label.
    pub kind: &'static str,
    /// Which of several of this kind, such as an address; empty where there is one.
    pub about: String,
}

impl AlarmName {
    /// The only alarm of its kind.
    pub fn only(kind: &'static str) -> Self {
        AlarmName { kind, about: String::new() }
    }

    /// One of several of its kind.
    pub fn about(kind: &'static str, about: impl fmt::Display) -> Self {
        AlarmName { kind, about: about.to_string() }
    }
}

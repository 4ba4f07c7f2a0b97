//! `catchment reload`: another site file for a running daemon.

use crate::Schema;
use crate::status::words;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::path::PathBuf;
use terms::{Prefix, Reason, WallTime};
use utoipa::ToSchema;

words! {
    /// What came of an order to reload.
    ReloadVerdict {
        /// The file is in force.
        Applied = "applied",
        /// The file says what is in force already.
        Unchanged = "unchanged",
        /// Nothing was changed, because only the difference was asked for.
        WouldChange = "would-change",
        /// The file that waited for a confirmation stays in force.
        Confirmed = "confirmed",
        /// The file has faults; nothing was changed.
        Faulty = "faulty",
        /// The file is good and was refused; nothing was changed.
        Refused = "refused",
    }
}

/// What to reload, and how carefully.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ReloadOrder {
    /// The site file as the daemon finds it; the one in force where none is named.
    #[schema(value_type = Option<String>)]
    pub path: Option<PathBuf>,
    /// Only says what would change.
    #[serde(default)]
    pub dry_run: bool,
    /// Takes everything back after so many milliseconds, unless it is confirmed before.
    pub confirm_within_ms: Option<u64>,
    /// Withdraws more than a reload may.
    #[serde(default)]
    pub override_guard: bool,
    /// Why the guard is overridden.
    pub reason: Option<Reason>,
}

/// One thing that a site file changes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ReloadChange {
    /// What kind of thing: `site`, `peer`, `group`, `service` or `cover`.
    pub what: String,
    /// Its name.
    pub name: String,
    /// What becomes of it, a few words.
    pub becomes: String,
}

/// The answer to a [`ReloadOrder`], or to its confirmation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ReloadAnswer {
    /// Always 1.
    pub schema: Schema,
    /// The site file.
    #[schema(value_type = String)]
    pub file: PathBuf,
    /// What came of it.
    pub verdict: ReloadVerdict,
    /// What differs from what was in force.
    pub changes: Vec<ReloadChange>,
    /// What would be, or was, withdrawn.
    pub withdraws: Vec<Prefix>,
    /// Why it was refused, a sentence each.
    pub refusals: Vec<String>,
    /// Everything that is wrong with the file, as a page of lines with carets.
    pub faults: Option<String>,
    /// What its writer should know, in the same form.
    pub warnings: Option<String>,
    /// When it is taken back unless it is confirmed before.
    pub confirm_until: Option<WallTime>,
}

impl ReloadAnswer {
    /// An answer that says nothing but the verdict.
    pub fn of(verdict: ReloadVerdict, file: PathBuf) -> Self {
        ReloadAnswer {
            schema: Schema,
            file,
            verdict,
            changes: Vec::new(),
            withdraws: Vec::new(),
            refusals: Vec::new(),
            faults: None,
            warnings: None,
            confirm_until: None,
        }
    }
}

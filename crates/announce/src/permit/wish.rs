//! What passes between the group's machine and the permit machine.

use serde::{Deserialize, Serialize};

/// What the fleet says about this group's permit to be withdrawn at this site.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Permit {
    /// It is not held, and nobody asks for it.
    #[default]
    None,
    /// It was asked for; too few sites are left, or the answer is not known yet.
    Asked,
    /// It is held: this site may withdraw.
    Held,
}

/// What the machine wants of the fleet.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Wish {
    /// The permit to withdraw, now or soon.
    Ask,
    /// The permit is no longer used.
    Release,
}

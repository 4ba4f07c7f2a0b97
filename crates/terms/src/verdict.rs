//! What one run of one health check found.

use crate::Reason;
use serde::{Deserialize, Serialize};

/// What one run of a check found. A check that could not run at all says nothing about the service.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    /// The service answered as it should.
    Pass,
    /// The service did not.
    Fail {
        /// How sure that is.
        kind: FailKind,
        /// What was seen instead.
        reason: Reason,
    },
    /// The check could not run: no descriptor, no memory, or our own scheduler was late.
    Indeterminate {
        /// What kept it from running.
        reason: Reason,
    },
}

impl Verdict {
    /// A failure that leaves no doubt.
    pub fn definite(reason: impl Into<Reason>) -> Verdict {
        Verdict::Fail { kind: FailKind::Definite, reason: reason.into() }
    }

    /// Silence.
    pub fn timeout(reason: impl Into<Reason>) -> Verdict {
        Verdict::Fail { kind: FailKind::Timeout, reason: reason.into() }
    }

    /// The check could not run.
    pub fn indeterminate(reason: impl Into<Reason>) -> Verdict {
        Verdict::Indeterminate { reason: reason.into() }
    }

    /// What was seen instead of a pass; none for a pass.
    pub fn reason(&self) -> Option<&Reason> {
        match self {
            Verdict::Pass => None,
            Verdict::Fail { reason, .. } | Verdict::Indeterminate { reason } => Some(reason),
        }
    }
}

/// How sure a failure is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum FailKind {
    /// Refused, reset, unreachable, a wrong answer, an address that is missing: counts towards `fall`.
    Definite,
    /// Silence, which may be a short pause: counts only when unbroken for `hang_after`.
    Timeout,
}

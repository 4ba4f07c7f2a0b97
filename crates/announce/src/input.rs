//! What the machine is told.

use serde::{Deserialize, Serialize};
use terms::{Reason, Verdict};

use crate::CheckId;

/// One thing that the machine learns.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Input {
    /// A check has run, or could not. A service address that is missing and cannot be put back is a definite fail
    /// of the checks that use it. A check that the settings do not know is ignored.
    Check {
        /// Which one.
        check: CheckId,
        /// What it found.
        verdict: Verdict,
    },
    /// Whether the services can answer at all, as last looked.
    Warmth(Warmth),
    /// What the operator wants from now on.
    Intent(Intent),
    /// [`deadline`](crate::Machine::deadline) has come.
    Timer,
}

/// The start-up gate: nothing is announced before all three conditions are met. Losing one later is no reason to
/// withdraw: if it matters, a check fails.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Warmth {
    /// The services say that they are ready.
    pub ready: Condition,
    /// The service addresses are on the interface.
    pub address: Condition,
    /// A query of our own through the service addresses was answered.
    pub self_query: Condition,
}

/// One condition of the start-up gate.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Condition {
    /// Whether it holds.
    pub met: bool,
    /// What was seen, such as `answered through the listener only`.
    pub words: Reason,
}

impl Condition {
    /// It holds.
    pub fn met(words: impl Into<Reason>) -> Self {
        Condition { met: true, words: words.into() }
    }

    /// It does not hold.
    pub fn missing(words: impl Into<Reason>) -> Self {
        Condition { met: false, words: words.into() }
    }
}

impl Warmth {
    /// Before anybody has looked.
    pub fn unknown() -> Self {
        let unknown = || Condition::missing("not looked at yet");
        Warmth { ready: unknown(), address: unknown(), self_query: unknown() }
    }

    /// Whether all three conditions are met.
    pub fn is_warm(&self) -> bool {
        self.conditions().iter().all(|(_, condition)| condition.met)
    }

    /// The three conditions with what each one asks for.
    pub fn conditions(&self) -> [(&'static str, &Condition); 3] {
        [
            ("services ready", &self.ready),
            ("service addresses present", &self.address),
            ("self-query answered", &self.self_query),
        ]
    }
}

/// What the operator wants. It is kept by the daemon with its time; its expiry arrives as a new `Normal`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Intent {
    /// Announce when healthy.
    #[default]
    Normal,
    /// Announce nothing, whatever the checks say.
    Withdraw {
        /// The person or program that ordered it.
        who: Reason,
        /// Why.
        reason: Reason,
    },
}

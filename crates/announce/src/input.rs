//! What the machine is told.

use serde::{Deserialize, Serialize};
use std::fmt;
use terms::{PeerName, Reason, Verdict};

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
    /// What the fleet says about the permit of this group at this site. It is counted only while the machine asks for
    /// it ([`Wish::Ask`](crate::Wish::Ask)), and after a [`Wish::Release`](crate::Wish::Release) the machine does not
    /// ask again before it was told [`Permit::None`].
    Permit(Permit),
    /// Whether the site is under more load than it can answer. While it is, silence says nothing about the service.
    Overload(bool),
    /// How many connections of users are still open here.
    Connections(u32),
    /// Whether the peers know what they should. To be told anew after every [`Action::Announce`](crate::Action).
    Told(Readback),
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
    /// Send new users elsewhere, let those who are here finish, then announce nothing. Needs the permit.
    Drain(Order),
    /// Announce nothing, whatever the checks say. Needs the permit.
    Withdraw {
        /// Who wants it, and why.
        order: Order,
        /// Do it without the permit, too: the operator knows that too few sites may be left.
        override_guard: bool,
    },
    /// Change nothing, whatever the checks say.
    Freeze(Order),
    /// Announce, whatever the checks say; but never before the start-up gate has opened.
    ForceAnnounce(Order),
}

impl Intent {
    /// Who ordered it and why, if it is more than normal operation.
    pub fn order(&self) -> Option<&Order> {
        match self {
            Intent::Normal => None,
            Intent::Drain(order)
            | Intent::Withdraw { order, .. }
            | Intent::Freeze(order)
            | Intent::ForceAnnounce(order) => Some(order),
        }
    }
}

/// What was ordered, in one sentence: `alice ordered to drain: new line card`.
impl fmt::Display for Intent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let what = match self {
            Intent::Normal => return f.write_str("nothing is ordered"),
            Intent::Drain(_) => "to drain",
            Intent::Withdraw { override_guard: false, .. } => "to withdraw",
            Intent::Withdraw { override_guard: true, .. } => "to withdraw without a permit",
            Intent::Freeze(_) => "to freeze",
            Intent::ForceAnnounce(_) => "to announce whatever the checks say",
        };
        let Some(Order { who, reason }) = self.order() else { return Ok(()) };
        write!(f, "{who} ordered {what}: {reason}")
    }
}

/// Who ordered something, and why.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Order {
    /// The person or program that ordered it.
    pub who: Reason,
    /// Why.
    pub reason: Reason,
}

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

/// Whether the peers know what the group's level asks for. For reconciliation only; never a reason to withdraw.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Readback {
    /// Every peer that has a session was told it.
    Agrees,
    /// Some were not.
    Differs {
        /// Which ones.
        peers: Vec<PeerName>,
    },
}

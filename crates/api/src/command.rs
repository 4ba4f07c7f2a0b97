//! What a person may ask a lab to do, and its answer.

use crate::Schema;
use crate::status::words;
use serde::{Deserialize, Serialize};
use std::fmt;
use utoipa::ToSchema;

words! {
    /// What a lab can be asked to do: faults, what operators order, what hosts send.
    FaultKind {
        /// A process is killed (SIGKILL).
        Kill = "kill",
        /// A process is stopped (SIGSTOP): it neither answers nor dies.
        Hang = "hang",
        /// A site stops in order and starts again.
        Reboot = "reboot",
        /// A site's host and router vanish without a word.
        PowerCut = "power-cut",
        /// A cable loses its carrier.
        Cut = "cut",
        /// A cable or a site's cables swallow every packet, carrier up.
        Blackhole = "blackhole",
        /// A cable or a site's cables lose a share of the packets.
        HalfBroken = "half-broken",
        /// A service hangs and runs, or a cable is cut and carries, in turns.
        Flap = "flap",
        /// A router checks reverse paths strictly.
        Urpf = "urpf",
        /// A router takes what a neighbour tells as the last resort.
        Shift = "shift",
        /// A node floods the anycast address with questions.
        Flood = "flood",
        /// A daemon can open nothing any more.
        Starve = "starve",
        /// Addresses are taken off a host.
        Remove = "remove",
        /// An operator takes a site out of service in order.
        Drain = "drain",
        /// An operator withdraws a site at once.
        Withdraw = "withdraw",
        /// An operator puts a site back into service.
        Resume = "resume",
        /// An operator has a site's peers drop what is sent to an address.
        Drop = "drop",
        /// An operator ends that.
        End = "end",
        /// An operator changes a site's file.
        Change = "change",
        /// An operator has a site's file read again.
        Reload = "reload",
        /// An operator has the program on disk take over from a daemon.
        Restart = "restart",
        /// A host sends a packet.
        Send = "send",
        /// A host joins a multicast group.
        Join = "join",
        /// A host leaves a multicast group.
        Leave = "leave",
        /// Every fault at the target is undone.
        Restore = "restore",
    }
}

/// `catchment lab fault KIND TARGET`, also behind the page's buttons.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
pub struct Command {
    /// The fault.
    pub kind: FaultKind,
    /// What it strikes, as on the command line: `site london`, `service london`, `cable london-newyork`.
    pub target: String,
}

/// A command that a button may send now.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Offer {
    /// What stands on the button: one or two words.
    pub label: String,
    /// What it does.
    pub command: Command,
}

/// A command was carried out.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Done {
    /// Always 1.
    pub schema: Schema,
    /// What was done, one sentence.
    pub said: String,
}

/// A request was refused: the body of every answer that is not a success.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema, thiserror::Error)]
#[error("{error}{}", hint.as_deref().map(|hint| format!(" ({hint})")).unwrap_or_default())]
pub struct Refusal {
    /// Always 1.
    pub schema: Schema,
    /// What is wrong, one sentence.
    pub error: String,
    /// What to do instead.
    pub hint: Option<String>,
}

impl Refusal {
    /// A refusal without a hint.
    pub fn because(error: impl Into<String>) -> Self {
        Refusal { schema: Schema, error: error.into(), hint: None }
    }

    /// The same refusal with advice.
    pub fn hint(self, hint: impl Into<String>) -> Self {
        Refusal { hint: Some(hint.into()), ..self }
    }
}

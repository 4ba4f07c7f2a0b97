//! Why a session went down last.

use serde::{Deserialize, Serialize};
use std::fmt;

/// The reason of a session's latest change to down or admin-down (RFC 5880 section 4.1).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Diagnostic(u8);

impl Diagnostic {
    /// It was never up.
    pub const NONE: Diagnostic = Diagnostic(0);
    /// The other end was silent for too long.
    pub const DETECTION_TIME_EXPIRED: Diagnostic = Diagnostic(1);
    /// The other end said that its session is down.
    pub const NEIGHBOUR_SIGNALLED_DOWN: Diagnostic = Diagnostic(3);
    /// An operator does not want it.
    pub const ADMINISTRATIVELY_DOWN: Diagnostic = Diagnostic(7);

    /// The five bits of the field.
    pub(crate) const MASK: u8 = 0x1f;

    /// What the first octet of a packet says.
    pub(crate) fn of_first_octet(octet: u8) -> Self {
        Diagnostic(octet & Self::MASK)
    }

    /// The code.
    pub fn code(self) -> u8 {
        self.0
    }

    /// What the code means; none where nobody has given it a meaning.
    pub fn name(self) -> Option<&'static str> {
        Some(match self.0 {
            0 => "no diagnostic",
            1 => "control detection time expired",
            2 => "echo function failed",
            3 => "neighbour signalled session down",
            4 => "forwarding plane reset",
            5 => "path down",
            6 => "concatenated path down",
            7 => "administratively down",
            8 => "reverse concatenated path down",
            _ => return None,
        })
    }
}

impl fmt::Display for Diagnostic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.name() {
            Some(name) => f.write_str(name),
            None => write!(f, "diagnostic {}", self.0),
        }
    }
}

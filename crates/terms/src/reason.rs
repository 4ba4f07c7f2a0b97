//! Why something was decided, in plain words.

use serde::{Deserialize, Serialize};
use std::fmt;

/// One line of plain words that says why. It is shown to people as it is, so control characters are replaced and
/// the length is bounded: it may quote what a peer or a program said.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "String", into = "String")]
pub struct Reason(String);

impl Reason {
    /// Longest reason kept, in characters; the rest is cut.
    pub const MAX_CHARS: usize = 256;

    /// The words.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl<T: AsRef<str>> From<T> for Reason {
    fn from(text: T) -> Self {
        let shown = text.as_ref().chars().take(Reason::MAX_CHARS);
        Reason(shown.map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect())
    }
}

impl From<Reason> for String {
    fn from(reason: Reason) -> String {
        reason.0
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_terminal_cannot_be_attacked_through_a_reason() {
        assert_eq!(Reason::from("a\x1b[2Jb\n").as_str(), "a\u{fffd}[2Jb\u{fffd}");
        assert_eq!(Reason::from("x".repeat(999)).as_str().len(), 256);
    }
}

//! What a run of a check comes to.

use terms::Verdict;

/// A verdict, and what was seen beside it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// What it means for the service.
    pub verdict: Verdict,
    /// What an operator may want to know even of a pass, such as the output of a program; none if the verdict says it
    /// all. Several lines at most, without other control characters.
    pub seen: Option<String>,
}

impl Finding {
    /// Most characters that are kept of what was seen.
    pub const MAX_CHARS: usize = 1024;

    /// A verdict and what was seen: bounded, and harmless to a terminal.
    pub fn new(verdict: Verdict, seen: &str) -> Self {
        let harmless = |c: char| if c.is_control() && c != '\n' { '\u{fffd}' } else { c };
        let seen: String = seen.trim().chars().take(Finding::MAX_CHARS).map(harmless).collect();
        Finding { verdict, seen: (!seen.is_empty()).then_some(seen) }
    }
}

impl From<Verdict> for Finding {
    fn from(verdict: Verdict) -> Self {
        Finding { verdict, seen: None }
    }
}

/// What a datagram turned out to be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Judged {
    /// No reply to what was asked: a late reply to an earlier question, or somebody else's. Keep waiting.
    NotOurs,
    /// The reply, and what it means.
    Reply(Finding),
}

/// What the octets of a stream amount to so far.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Progress {
    /// Nothing yet: read on.
    More,
    /// Whatever follows, it is decided.
    Done(Verdict),
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_seen_is_bounded_and_cannot_attack_a_terminal() {
        let seen = |text: &str| Finding::new(Verdict::Pass, text).seen;
        assert_eq!(seen(" \n"), None);
        assert_eq!(seen("one\ntwo\x1b[2J\r\n").unwrap(), "one\ntwo\u{fffd}[2J");
        assert_eq!(seen(&"x".repeat(5000)).unwrap().len(), Finding::MAX_CHARS);
    }
}

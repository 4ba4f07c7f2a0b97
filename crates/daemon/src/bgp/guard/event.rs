//! What the guards of connections tell people.

use linux::tcp::Refused;
use std::fmt;
use terms::{AlarmChange, Reason, Severity};

/// Something worth a line in the log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Event {
    /// A peer called from further away than it may be.
    TooFar {
        /// The TTL that was left.
        ttl: u8,
        /// The least that is taken.
        least: u8,
    },
    /// The system does not take a key or a distance for a living connection.
    Unguarded {
        /// What it says.
        reason: Reason,
    },
    /// The kernel has dropped segments because of its guards.
    Dropped {
        /// How many since the last look.
        segments: Refused,
        /// The peers without a session, by name.
        waiting: Reason,
    },
}

impl terms::Event for Event {
    fn kind(&self) -> &'static str {
        match self {
            Event::TooFar { .. } => "call-too-far",
            Event::Unguarded { .. } => "guard-refused",
            Event::Dropped { .. } => "segments-dropped",
        }
    }

    fn severity(&self) -> Severity {
        match self {
            Event::TooFar { .. } | Event::Unguarded { .. } | Event::Dropped { .. } => Severity::Warning,
        }
    }

    fn alarm(&self) -> Option<AlarmChange> {
        match self {
            Event::TooFar { .. } | Event::Unguarded { .. } | Event::Dropped { .. } => None,
        }
    }
}

impl fmt::Display for Event {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Event::TooFar { ttl, least } => write!(
                f,
                "a call with TTL {ttl} was refused, `ttl_security` takes {least} and more: the peer is further away, \
                 or does not send with 255"
            ),
            Event::Unguarded { reason } => {
                write!(f, "the connection stays guarded as it was until it ends: {reason}")
            }
            Event::Dropped { segments, waiting } => {
                f.write_str("the kernel dropped TCP segments: ")?;
                let Refused { unsigned, unexpected, wrong, too_far } = segments;
                let counts = [
                    (unsigned, "without a signature where a key is set here"),
                    (unexpected, "with a signature where no key is set here"),
                    (wrong, "with a wrong signature"),
                    (too_far, "from further away than `ttl_security` allows"),
                ];
                let mut separator = "";
                for (count, what) in counts.into_iter().filter(|(count, _)| **count > 0) {
                    write!(f, "{separator}{count} {what}")?;
                    separator = ", ";
                }
                match waiting.as_str().is_empty() {
                    true => Ok(()),
                    false => write!(f, "; without a session: {waiting}"),
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_says_what_was_dropped_and_who_waits() {
        let segments = Refused { unsigned: 3, unexpected: 0, wrong: 0, too_far: 1 };
        let line = Event::Dropped { segments, waiting: "transit-a".into() }.to_string();
        assert_eq!(
            line,
            "the kernel dropped TCP segments: 3 without a signature where a key is set here, 1 from further away \
             than `ttl_security` allows; without a session: transit-a"
        );
        let segments = Refused { wrong: 2, ..Refused::default() };
        let line = Event::Dropped { segments, waiting: "".into() }.to_string();
        assert_eq!(line, "the kernel dropped TCP segments: 2 with a wrong signature");
    }
}

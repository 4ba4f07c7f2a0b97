//! What does a program say about the service?
//!
//! Its exit status decides: 0 passes, 1 is a definite failure. Anything else (another status, a signal) means that the
//! program itself is in trouble, and a check in trouble says nothing about the service: it is indeterminate, and raises
//! an alarm when it stays so. A shell's "not found" (127) or a script's usage error (2) must not take a site off the
//! network.

use crate::Finding;
use terms::Verdict;

/// How a program ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    /// By itself, with this status.
    Status(i32),
    /// By a signal of this number.
    Signal(i32),
}

/// The beginning of what a program prints. The rest is counted and forgotten.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Output {
    kept: Vec<u8>,
    dropped: u64,
}

impl Output {
    /// Most octets that are kept.
    pub const LONGEST: usize = 2048;

    /// Takes the next octets in.
    pub fn push(&mut self, octets: &[u8]) {
        let kept = octets.len().min(Output::LONGEST - self.kept.len());
        self.kept.extend_from_slice(&octets[..kept]);
        self.dropped += (octets.len() - kept) as u64;
    }

    /// As text, with a note of what is missing.
    pub fn text(&self) -> String {
        let text = String::from_utf8_lossy(&self.kept);
        match self.dropped {
            0 => text.into_owned(),
            dropped => format!("({dropped} octets are left out at the end)\n{text}"),
        }
    }

    /// The first line that is not blank.
    fn first_line(&self) -> Option<String> {
        let text = String::from_utf8_lossy(&self.kept);
        let line = text.lines().map(str::trim).find(|line| !line.is_empty());
        line.map(str::to_owned)
    }
}

/// Judges a program that has ended.
pub fn judge(exit: Exit, output: &Output) -> Finding {
    let with_output = |words: String| match output.first_line() {
        Some(line) => format!("{words}: {line}"),
        None => words,
    };
    let verdict = match exit {
        Exit::Status(0) => Verdict::Pass,
        Exit::Status(1) => Verdict::definite(with_output("exit status 1".to_owned())),
        Exit::Status(status) => {
            Verdict::indeterminate(with_output(format!("exit status {status}, which is neither 0 nor 1")))
        }
        Exit::Signal(signal) => Verdict::indeterminate(with_output(format!("ended by signal {signal}"))),
    };
    Finding::new(verdict, &output.text())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn after(exit: Exit, printed: &str) -> Finding {
        let mut output = Output::default();
        output.push(printed.as_bytes());
        judge(exit, &output)
    }

    #[test]
    fn zero_passes_one_fails_and_the_rest_says_nothing() {
        let good = after(Exit::Status(0), "3 of 3 disks\n");
        assert_eq!((good.verdict, good.seen.as_deref()), (Verdict::Pass, Some("3 of 3 disks")));
        let bad = after(Exit::Status(1), "\n  no master  \nmore");
        assert_eq!(bad.verdict, Verdict::definite("exit status 1: no master"));
        for exit in [2, 3, 126, 127, -1].map(Exit::Status).into_iter().chain([9, 15].map(Exit::Signal)) {
            assert!(matches!(after(exit, "").verdict, Verdict::Indeterminate { .. }), "{exit:?}");
        }
    }

    #[test]
    fn a_flood_is_cut_and_counted() {
        let mut output = Output::default();
        for _ in 0..1000 {
            output.push(&[b'y'; 300]);
        }
        assert_eq!(output.kept.len(), Output::LONGEST);
        assert!(
            output.text().starts_with("(297952 octets are left out at the end)\nyyy"),
            "{}",
            output.text()
        );
    }
}

//! What is wrong with a zone file, and where.

use std::fmt;

/// One fault of a zone file. A file is judged to its end, so that all of them are seen at once.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Fault {
    /// Line, counted from 1.
    pub line: usize,
    /// Column in characters, counted from 1.
    pub column: usize,
    /// What is wrong.
    pub message: String,
    /// What to do about it.
    pub hint: String,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: {} ({})", self.line, self.column, self.message, self.hint)
    }
}

/// A place in the file: octets before it. Line and column are counted only when there is a fault.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Place(pub(super) u32);

/// A fault whose line is not counted yet.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Flaw {
    pub(super) place: Place,
    pub(super) message: String,
    pub(super) hint: String,
    /// Where the other record is that this one does not agree with.
    pub(super) first: Option<Place>,
}

impl Flaw {
    /// The same, with the place of the record that this one does not agree with.
    pub(super) fn beside(self, first: Place) -> Flaw {
        Flaw { first: Some(first), ..self }
    }
}

impl Place {
    /// A flaw at this place.
    pub(super) fn flaw(self, message: impl Into<String>, hint: impl Into<String>) -> Flaw {
        Flaw { place: self, message: message.into(), hint: hint.into(), first: None }
    }
}

/// The faults of a text, in its order.
pub(super) fn located(text: &str, mut flaws: Vec<Flaw>) -> Vec<Fault> {
    flaws.sort();
    let (mut line, mut line_start, mut seen) = (1, 0, 0);
    let line_of = |place: Place| text[..place.0 as usize].matches('\n').count() + 1;
    let fault = |flaw: Flaw| {
        let at = (flaw.place.0 as usize).min(text.len());
        for (offset, _) in text[seen..at].match_indices('\n') {
            line += 1;
            line_start = seen + offset + 1;
        }
        seen = at;
        let column = text[line_start..at].chars().count() + 1;
        let first = flaw.first.map(|first| format!("; the first is on line {}", line_of(first)));
        Fault { line, column, message: flaw.message + &first.unwrap_or_default(), hint: flaw.hint }
    };
    flaws.into_iter().map(fault).collect()
}

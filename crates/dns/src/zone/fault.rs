//! What is wrong with a zone file, and where.

use std::fmt;
use std::ops::Deref;
use std::sync::Arc;

/// One fault of a zone file. A file is judged to its end, so that all of them are seen at once.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Fault {
    /// The file: 0 is the zone file itself, 1 the first that was included, and so on.
    pub file: usize,
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

/// A place in the texts of a zone: octets before it. Line and column are counted only when there is a fault.
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

/// The texts of a zone: its file, and those that it includes. A place counts octets over all of them, one after another.
pub(super) struct Texts<'t>(Vec<Text<'t>>);

struct Text<'t> {
    /// What the one that includes it calls it; nothing for the first.
    written: String,
    text: Held<'t>,
    /// Octets before it.
    base: u32,
}

/// A text that somebody else keeps.
enum Held<'t> {
    Borrowed(&'t str),
    Shared(Arc<str>),
}

impl Deref for Held<'_> {
    type Target = str;

    fn deref(&self) -> &str {
        match self {
            Held::Borrowed(text) => text,
            Held::Shared(text) => text,
        }
    }
}

impl<'t> Texts<'t> {
    /// The text of the zone's own file.
    pub(super) fn of(text: &'t str) -> Self {
        Texts(vec![Text { written: String::new(), text: Held::Borrowed(text), base: 0 }])
    }

    /// Adds one, and says its number and the place where it begins; none where there is no room for more octets.
    pub(super) fn add(&mut self, written: &str, text: &Arc<str>) -> Option<(usize, Place)> {
        let octets: usize = self.0.iter().map(|text| text.text.len() + 1).sum();
        let base = u32::try_from(octets).ok()?;
        base.checked_add(u32::try_from(text.len()).ok()?)?;
        let text = Held::Shared(Arc::clone(text));
        self.0.push(Text { written: written.to_owned(), text, base });
        Some((self.0.len() - 1, Place(base)))
    }

    /// How many there are.
    pub(super) fn count(&self) -> usize {
        self.0.len()
    }

    /// The number of the text in which a place is, and how many octets of it come before.
    fn find(&self, place: Place) -> (usize, usize) {
        let file = self.0.partition_point(|text| text.base <= place.0).saturating_sub(1);
        let text = &self.0[file];
        (file, ((place.0 - text.base) as usize).min(text.text.len()))
    }

    /// The line of a place, and the file's name where it is another one than that of somebody else's place.
    fn line_of(&self, place: Place, beside: usize) -> String {
        let (file, at) = self.find(place);
        let line = self.0[file].text[..at].matches('\n').count() + 1;
        match &*self.0[file].written {
            _ if file == beside => format!("line {line}"),
            "" => format!("line {line} of the zone file"),
            written => format!("line {line} of {written}"),
        }
    }

    /// The faults of all texts, file by file, each in the order of its lines.
    pub(super) fn located(&self, mut flaws: Vec<Flaw>) -> Vec<Fault> {
        flaws.sort();
        let (mut current, mut line, mut line_start, mut seen) = (0, 1, 0, 0);
        let fault = |flaw: Flaw| {
            let (file, at) = self.find(flaw.place);
            if file != current {
                (current, line, line_start, seen) = (file, 1, 0, 0);
            }
            let text = &self.0[file].text;
            for (offset, _) in text[seen..at].match_indices('\n') {
                line += 1;
                line_start = seen + offset + 1;
            }
            seen = at;
            let column = text[line_start..at].chars().count() + 1;
            let first = flaw.first.map(|first| format!("; the first is on {}", self.line_of(first, file)));
            Fault { file, line, column, message: flaw.message + &first.unwrap_or_default(), hint: flaw.hint }
        };
        flaws.into_iter().map(fault).collect()
    }
}

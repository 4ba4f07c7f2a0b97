//! What is wrong with a file.

use crate::source::Source;
use serde::ser::SerializeStruct;
use serde::{Serialize, Serializer};
use std::ops::Range;

/// One thing that is wrong, where it is, and what to do about it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// Line, counted from 1.
    pub line: usize,
    /// Column in characters, counted from 1.
    pub column: usize,
    /// The bytes of the text that are wrong; may be empty.
    pub span: Range<usize>,
    /// What is wrong, in one line.
    pub message: String,
    /// What to do about it.
    pub hint: Option<String>,
}

impl Fault {
    /// A fault at these bytes of `source`.
    pub fn new(
        source: &Source,
        span: Range<usize>,
        message: impl Into<String>,
        hint: Option<String>,
    ) -> Self {
        let span = source.clamp(span);
        let (line, column) = source.position(span.start);
        Fault { line, column, span, message: message.into(), hint }
    }
}

/// Everything that is wrong with a file and the files that it names. Prints as a page of source lines with carets;
/// serialises as `{"schema":1,"faults":[{"file","line","column","message","hint"}]}`.
#[derive(Clone, Debug, Default)]
pub struct Faults {
    pub(crate) files: Vec<FaultyFile>,
}

/// The faults of one text.
#[derive(Clone, Debug)]
pub(crate) struct FaultyFile {
    pub(crate) source: Source,
    pub(crate) faults: Vec<Fault>,
    /// How many were found beyond [`Faults::MOST`].
    pub(crate) omitted: usize,
}

impl FaultyFile {
    pub(crate) fn new(source: Source) -> Self {
        FaultyFile { source, faults: Vec::new(), omitted: 0 }
    }

    /// Keeps a fault once, as long as there is room.
    pub(crate) fn push(&mut self, fault: Fault) {
        if self.faults.contains(&fault) {
            return;
        }
        if self.faults.len() < Faults::MOST {
            self.faults.push(fault);
        } else {
            self.omitted += 1;
        }
    }
}

impl Faults {
    /// The most faults that are kept of one file; further ones are only counted.
    pub const MOST: usize = 100;

    /// The faults of one text, in the order of their place, each once.
    pub fn of(source: Source, faults: impl IntoIterator<Item = Fault>) -> Self {
        let mut file = FaultyFile::new(source);
        faults.into_iter().for_each(|fault| file.push(fault));
        Faults::of_file(file)
    }

    pub(crate) fn of_file(mut file: FaultyFile) -> Self {
        file.faults.sort_by_key(|fault| fault.span.start);
        let files = if file.faults.is_empty() { Vec::new() } else { vec![file] };
        Faults { files }
    }

    /// Adds the faults of further files.
    pub fn extend(&mut self, other: Faults) {
        self.files.extend(other.files);
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.files.iter().map(|file| file.faults.len() + file.omitted).sum()
    }

    /// Whether nothing is wrong.
    pub fn is_empty(&self) -> bool {
        self.files.is_empty()
    }

    /// Each fault that was kept, with the name of its file.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Fault)> {
        self.files.iter().flat_map(|file| file.faults.iter().map(|fault| (file.source.name(), fault)))
    }
}

impl std::error::Error for Faults {}

/// What a good file promises less of than its writer may think. Nothing is refused for it. Prints as faults do;
/// serialises as a list of `{"file","line","column","message","hint"}`.
#[derive(Clone, Debug, Default)]
pub struct Warnings(pub(crate) Faults);

impl Warnings {
    /// Whether there is nothing to say.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Each warning with the name of its file.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Fault)> {
        self.0.iter()
    }
}

/// A fault or warning as programs read it.
#[derive(Serialize)]
struct Row<'a> {
    file: &'a str,
    line: usize,
    column: usize,
    message: &'a str,
    hint: Option<&'a str>,
}

impl Faults {
    fn rows(&self) -> Vec<Row<'_>> {
        self.iter().map(|(file, fault)| Row::of(file, fault)).collect()
    }
}

impl<'a> Row<'a> {
    fn of(file: &'a str, fault: &'a Fault) -> Self {
        let Fault { line, column, message, hint, span: _ } = fault;
        Row { file, line: *line, column: *column, message, hint: hint.as_deref() }
    }
}

impl Serialize for Faults {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut document = serializer.serialize_struct("Faults", 2)?;
        document.serialize_field("schema", &1)?;
        document.serialize_field("faults", &self.rows())?;
        document.end()
    }
}

impl Serialize for Warnings {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.rows().serialize(serializer)
    }
}

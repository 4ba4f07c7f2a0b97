//! One file on its way from text to values.

use crate::fault::{Fault, Faults, FaultyFile, Warnings};
use crate::source::Source;
use crate::table::Table;
use crate::tree::{BrokenPlaces, Entries, Entry, Kind, Node};
use std::cell::RefCell;
use std::collections::BTreeSet;
use std::ops::{Deref, Range};
use terms::nearest_spelling;
use toml::de::DeTable;

/// A value and the bytes of the file that say it, so that a later check can point at them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Spanned<T> {
    /// The value.
    pub value: T,
    /// Where it is written.
    pub span: Range<usize>,
}

impl<T> Deref for Spanned<T> {
    type Target = T;
    fn deref(&self) -> &T {
        &self.value
    }
}

/// A file that is being read: its keys, which of them were asked for, and what was wrong so far.
#[derive(Debug)]
pub struct Document {
    source: Source,
    root: Entries,
    syntax_is_good: bool,
    faults: RefCell<FaultyFile>,
    warnings: RefCell<FaultyFile>,
    elsewhere: RefCell<Faults>,
}

impl Document {
    /// Longest text that is read, bytes.
    pub const LONGEST: usize = 1 << 20;

    /// Reads the syntax of `text`. `name` is printed in front of faults. Faults of the syntax are kept like all
    /// others and told by [`Document::finish`].
    pub fn parse(name: &str, text: &str) -> Self {
        if text.len() > Document::LONGEST {
            let document = Document::of(Source::new(name, ""), Entries::default(), false);
            document.fault(0..0, format!("the file is longer than {} bytes", Document::LONGEST));
            return document;
        }
        let (table, errors) = DeTable::parse_recoverable(text);
        let broken = BrokenPlaces::new(errors.iter().filter_map(|error| error.span()).collect());
        let entries = Entries::new(table.into_inner(), &broken);
        let document = Document::of(Source::new(name, text), entries, errors.is_empty());
        for error in &errors {
            document.fault(error.span().unwrap_or(0..0), error.message());
        }
        document
    }

    fn of(source: Source, root: Entries, syntax_is_good: bool) -> Self {
        let faults = RefCell::new(FaultyFile::new(source.clone()));
        let warnings = RefCell::new(FaultyFile::new(source.clone()));
        Document { source, root, syntax_is_good, faults, warnings, elsewhere: RefCell::default() }
    }

    /// The keys that stand outside every table, and the tables.
    pub fn root(&self) -> Table<'_> {
        Table::new(self, &self.root, 0..0)
    }

    /// The text.
    pub fn source(&self) -> &Source {
        &self.source
    }

    /// Whether the text was TOML throughout. If not, things may seem to be missing that are there, so a check for
    /// something missing should hold its tongue.
    pub fn syntax_is_good(&self) -> bool {
        self.syntax_is_good
    }

    /// Remembers a fault.
    pub fn fault(&self, span: Range<usize>, message: impl Into<String>) {
        self.remember(Fault::new(&self.source, span, message, None));
    }

    /// Remembers a fault and what to do about it.
    pub fn fault_with_hint(&self, span: Range<usize>, message: impl Into<String>, hint: impl Into<String>) {
        self.remember(Fault::new(&self.source, span, message, Some(hint.into())));
    }

    /// Remembers something that the file may say and that its writer should know the consequence of.
    pub fn warn(&self, span: Range<usize>, message: impl Into<String>, hint: impl Into<String>) {
        let warning = Fault::new(&self.source, span, message, Some(hint.into()));
        self.warnings.borrow_mut().push(warning);
    }

    /// Remembers the faults of another file that this one names.
    pub fn faults_elsewhere(&self, faults: Faults) {
        self.elsewhere.borrow_mut().extend(faults);
    }

    fn remember(&self, fault: Fault) {
        self.faults.borrow_mut().push(fault);
    }

    /// Ends the reading: the value if nothing at all was wrong, otherwise every fault. Keys that nobody asked for
    /// are faults.
    pub fn finish<T>(self, value: Option<T>) -> Result<T, Faults> {
        self.finish_with_warnings(value).map(|(value, _)| value)
    }

    /// Ends the reading as [`Document::finish`] does; beside the value, what its writer should know.
    pub fn finish_with_warnings<T>(self, value: Option<T>) -> Result<(T, Warnings), Faults> {
        self.unknown_keys(&self.root);
        let mut faults = Faults::of_file(self.faults.into_inner());
        faults.extend(self.elsewhere.into_inner());
        match value {
            Some(value) if faults.is_empty() => {
                Ok((value, Warnings(Faults::of_file(self.warnings.into_inner()))))
            }
            None if faults.is_empty() => {
                let message = "this file was refused without a reason, which is a fault of the program";
                let unexplained = Fault::new(&self.source, 0..0, message, None);
                Err(Faults::of(self.source, [unexplained]))
            }
            _ => Err(faults),
        }
    }

    fn unknown_keys(&self, table: &Entries) {
        let (read, unread): (Vec<&Entry>, Vec<&Entry>) =
            table.entries.iter().partition(|entry| entry.read.get());
        read.iter().for_each(|entry| self.unknown_keys_below(&entry.node));
        let asked = table.asked.borrow();
        let given: BTreeSet<&str> = read.iter().map(|entry| entry.key.as_str()).collect();
        let absent: Vec<&str> = asked.iter().copied().filter(|key| !given.contains(key)).collect();
        let known = asked.iter().copied().collect::<Vec<_>>().join(", ");
        for entry in unread {
            let message = format!("unknown key `{}`", entry.key);
            let span = entry.key_span.clone();
            match nearest_spelling(&entry.key, absent.iter().copied()) {
                Some(guess) => self.fault_with_hint(span, message, format!("did you mean `{guess}`?")),
                None if known.is_empty() => self.fault(span, message),
                None => self.fault_with_hint(span, message, format!("known here: {known}")),
            }
        }
    }

    /// A table that nobody opened was refused as a whole, or is not a table where it should be one: said already.
    fn unknown_keys_below(&self, node: &Node) {
        match &node.kind {
            Kind::Table(table) if table.opened.get() => self.unknown_keys(table),
            Kind::List(items) => items.iter().for_each(|item| self.unknown_keys_below(item)),
            Kind::Table(_)
            | Kind::Text(_)
            | Kind::Number(_)
            | Kind::Flag(_)
            | Kind::Moment
            | Kind::Broken => {}
        }
    }
}

//! A table of the file, asked key by key.

use crate::document::{Document, Spanned};
use crate::tree::{Entries, Entry};
use crate::value::Value;
use std::ops::Range;

/// A table of the file. Every key that it has must be asked for, or it counts as unknown.
#[derive(Clone, Debug)]
pub struct Table<'d> {
    document: &'d Document,
    entries: &'d Entries,
    span: Range<usize>,
}

impl<'d> Table<'d> {
    pub(crate) fn new(document: &'d Document, entries: &'d Entries, span: Range<usize>) -> Self {
        entries.opened.set(true);
        Table { document, entries, span }
    }

    /// Where the table begins: its header, or all of it when it is written in one line.
    pub fn span(&self) -> Range<usize> {
        self.span.clone()
    }

    /// The document, to report a fault to.
    pub fn document(&self) -> &'d Document {
        self.document
    }

    /// The value of a key that may be left out.
    pub fn optional(&self, key: &'static str) -> Value<'d> {
        self.entries.asked.borrow_mut().insert(key);
        match self.find(key) {
            Some(entry) => self.read(entry),
            None => Value::absent(self.document, key, self.span()),
        }
    }

    /// The value of a key that must be there; its absence is a fault.
    pub fn required(&self, key: &'static str) -> Value<'d> {
        let value = self.optional(key);
        if !value.is_given() && self.document.syntax_is_good() {
            self.document.fault(self.span(), format!("`{key}` is missing"));
        }
        value
    }

    /// Refuses a key that means something which this program does not do, and says so. Whether it was there.
    pub fn refuse(&self, key: &str, message: &str, hint: &str) -> bool {
        let found = self.find(key);
        if let Some(entry) = found {
            entry.read.set(true);
            self.document.fault_with_hint(entry.key_span.clone(), message, hint);
        }
        found.is_some()
    }

    /// Every key with its value, for tables whose keys are names chosen by the writer.
    pub fn entries(&self) -> Vec<(Spanned<String>, Value<'d>)> {
        let pair = |entry: &'d Entry| {
            let key = Spanned { value: entry.key.clone(), span: entry.key_span.clone() };
            (key, self.read(entry))
        };
        self.entries.entries.iter().map(pair).collect()
    }

    fn find(&self, key: &str) -> Option<&'d Entry> {
        self.entries.entries.iter().find(|entry| entry.key == key)
    }

    fn read(&self, entry: &'d Entry) -> Value<'d> {
        entry.read.set(true);
        Value::present(self.document, &entry.key, entry.key_span.clone(), &entry.node)
    }
}

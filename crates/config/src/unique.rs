//! Values that may stand in a file only once.

use document::{Document, Spanned};
use std::collections::BTreeMap;
use std::fmt::Display;

/// Remembers where each value was seen first.
pub(crate) struct Unique<T> {
    what: &'static str,
    lines: BTreeMap<T, usize>,
}

impl<T: Ord + Clone + Display> Unique<T> {
    /// `what` names the values in a fault, such as "peer name".
    pub(crate) fn new(what: &'static str) -> Self {
        Unique { what, lines: BTreeMap::new() }
    }

    /// Reports the value if it was there before.
    pub(crate) fn see(&mut self, document: &Document, value: &Spanned<T>) {
        let (line, _) = document.source().position(value.span.start);
        match self.lines.get(&value.value) {
            Some(first) => document.fault_with_hint(
                value.span.clone(),
                format!("{} `{}` is used twice", self.what, value.value),
                format!("it is first used on line {first}"),
            ),
            None => {
                self.lines.insert(value.value.clone(), line);
            }
        }
    }
}

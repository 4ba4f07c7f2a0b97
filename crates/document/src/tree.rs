//! The parsed text as a tree that remembers what was read.

use std::cell::{Cell, RefCell};
use std::collections::BTreeSet;
use std::ops::Range;
use toml::de::{DeTable, DeValue};

/// Where the parser found faults, as spans in order that neither touch nor overlap.
#[derive(Debug)]
pub(crate) struct BrokenPlaces(Vec<Range<usize>>);

impl BrokenPlaces {
    pub(crate) fn new(mut places: Vec<Range<usize>>) -> Self {
        places.sort_unstable_by_key(|place| place.start);
        places.dedup_by(|next, before| {
            let touches = next.start <= before.end;
            if touches {
                before.end = before.end.max(next.end);
            }
            touches
        });
        BrokenPlaces(places)
    }

    /// Whether a fault touches the span.
    fn touch(&self, span: &Range<usize>) -> bool {
        let first = self.0.partition_point(|place| place.end < span.start);
        self.0.get(first).is_some_and(|place| place.start <= span.end)
    }
}

/// A value and the bytes that it was written with.
#[derive(Debug)]
pub(crate) struct Node {
    pub(crate) kind: Kind,
    pub(crate) span: Range<usize>,
}

/// What a value is.
#[derive(Debug)]
pub(crate) enum Kind {
    Text(String),
    /// A whole number or a fraction, as decimal text: which one is wanted is the reader's question.
    Number(String),
    Flag(bool),
    Moment,
    List(Vec<Node>),
    Table(Entries),
    /// The parser already said what is wrong here.
    Broken,
}

/// The keys of one table, in the order of the file.
#[derive(Debug, Default)]
pub(crate) struct Entries {
    pub(crate) entries: Vec<Entry>,
    /// Keys that a reader asked for, whether they are there or not.
    pub(crate) asked: RefCell<BTreeSet<&'static str>>,
    /// Whether a reader looked into it at all.
    pub(crate) opened: Cell<bool>,
}

/// One key and its value.
#[derive(Debug)]
pub(crate) struct Entry {
    pub(crate) key: String,
    pub(crate) key_span: Range<usize>,
    pub(crate) node: Node,
    pub(crate) read: Cell<bool>,
}

impl Kind {
    /// What it is called in a fault.
    pub(crate) fn name(&self) -> &'static str {
        match self {
            Kind::Text(_) => "a string",
            Kind::Number(_) => "a number",
            Kind::Flag(_) => "true or false",
            Kind::Moment => "a date",
            Kind::List(_) => "a list",
            Kind::Table(_) => "a table",
            Kind::Broken => "unreadable",
        }
    }
}

impl Entries {
    /// The tree of a parsed table. `broken` are the places of syntax faults, so that a value made up by the
    /// parser's recovery is not judged a second time.
    pub(crate) fn new(table: DeTable<'_>, broken: &BrokenPlaces) -> Self {
        let mut entries: Vec<Entry> = table
            .into_iter()
            .map(|(key, value)| {
                let span = value.span();
                let node = Node::new(value.into_inner(), span, broken);
                Entry {
                    key_span: key.span(),
                    key: key.into_inner().into_owned(),
                    node,
                    read: Cell::new(false),
                }
            })
            .collect();
        entries.sort_by_key(|entry| entry.key_span.start);
        Entries { entries, ..Entries::default() }
    }
}

impl Node {
    fn new(value: DeValue<'_>, span: Range<usize>, broken: &BrokenPlaces) -> Self {
        let kind = match value {
            DeValue::Array(items) => {
                let items = items.into_iter().map(|item| {
                    let span = item.span();
                    Node::new(item.into_inner(), span, broken)
                });
                Kind::List(items.collect())
            }
            DeValue::Table(table) => Kind::Table(Entries::new(table, broken)),
            _ if broken.touch(&span) => Kind::Broken,
            DeValue::String(text) => Kind::Text(text.into_owned()),
            DeValue::Boolean(flag) => Kind::Flag(flag),
            DeValue::Datetime(_) => Kind::Moment,
            DeValue::Float(number) => Kind::Number(number.as_str().to_owned()),
            DeValue::Integer(number) => match i128::from_str_radix(number.as_str(), number.radix()) {
                Ok(decimal) => Kind::Number(decimal.to_string()),
                Err(_) => Kind::Number(number.as_str().to_owned()),
            },
        };
        Node { kind, span }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn a_place_is_found_as_by_looking_at_each(
            places in prop::collection::vec((0usize..50, 0usize..9), 0..12),
            start in 0usize..60,
            length in 0usize..9,
        ) {
            let places: Vec<Range<usize>> = places.iter().map(|&(at, length)| at..at + length).collect();
            let span = start..start + length;
            let touched = places.iter().any(|place| place.start <= span.end && span.start <= place.end);
            prop_assert_eq!(BrokenPlaces::new(places).touch(&span), touched);
        }
    }
}

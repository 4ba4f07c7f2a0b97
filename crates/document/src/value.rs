//! What a key says, turned into the type that the reader wants.

use crate::document::{Document, Spanned};
use crate::duration::parse_duration;
use crate::table::Table;
use crate::tree::{Kind, Node};
use std::fmt::{self, Display, Formatter};
use std::ops::{Range, RangeInclusive};
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;
use terms::nearest_spelling;

/// The value of a key, or its absence. Each way to read it returns `None` (or an empty list) when the key is absent
/// or when what it says is wrong; what is wrong has been reported by then.
#[derive(Clone, Debug)]
pub struct Value<'d> {
    document: &'d Document,
    name: Name<'d>,
    key_span: Range<usize>,
    node: Option<&'d Node>,
}

/// What a fault calls a value.
#[derive(Clone, Copy, Debug)]
enum Name<'d> {
    Key(&'d str),
    ItemOf(&'d str),
}

impl Display for Name<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Name::Key(key) => write!(f, "`{key}`"),
            Name::ItemOf(key) => write!(f, "each of `{key}`"),
        }
    }
}

impl<'d> Value<'d> {
    pub(crate) fn absent(document: &'d Document, key: &'d str, table_span: Range<usize>) -> Self {
        Value { document, name: Name::Key(key), key_span: table_span, node: None }
    }

    pub(crate) fn present(
        document: &'d Document,
        key: &'d str,
        key_span: Range<usize>,
        node: &'d Node,
    ) -> Self {
        Value { document, name: Name::Key(key), key_span, node: Some(node) }
    }

    /// Whether the file has the key.
    pub fn is_given(&self) -> bool {
        self.node.is_some()
    }

    /// The document, to report a fault to.
    pub fn document(&self) -> &'d Document {
        self.document
    }

    /// Where the key is written; where its table begins if it is absent.
    pub fn key_span(&self) -> Range<usize> {
        self.key_span.clone()
    }

    /// Where the value is written; where its table begins if it is absent.
    pub fn span(&self) -> Range<usize> {
        self.node.map_or(self.key_span(), |node| node.span.clone())
    }

    /// A string that `T` understands. The text of its error becomes the fault.
    pub fn parse<T: FromStr<Err: Display>>(&self) -> Option<Spanned<T>> {
        let text = self.text()?;
        self.judged(text.parse(), text.span)
    }

    /// A string as it is.
    pub fn text(&self) -> Option<Spanned<&'d str>> {
        self.expect("a string", |kind| match kind {
            Kind::Text(text) => Some(text.as_str()),
            _ => None,
        })
    }

    /// One of a few words, each with what it stands for.
    pub fn one_of<T: Copy>(&self, words: &[(&'static str, T)]) -> Option<Spanned<T>> {
        let text = self.text()?;
        if let Some(&(_, value)) = words.iter().find(|(word, _)| *word == text.value) {
            return Some(Spanned { value, span: text.span });
        }
        let known: Vec<&str> = words.iter().map(|&(word, _)| word).collect();
        let message = format!("{} must be one of {}", self.name, known.join(", "));
        match nearest_spelling(text.value, known) {
            Some(guess) => {
                self.document.fault_with_hint(text.span, message, format!("did you mean `{guess}`?"))
            }
            None => self.document.fault(text.span, message),
        }
        None
    }

    /// A number that `T` understands.
    pub fn number<T: FromStr<Err: Display>>(&self) -> Option<Spanned<T>> {
        let text = self.digits()?;
        self.judged(text.parse(), text.span)
    }

    /// A number within bounds.
    pub fn number_in<T: FromStr + PartialOrd + Display>(
        &self,
        bounds: RangeInclusive<T>,
    ) -> Option<Spanned<T>> {
        let text = self.digits()?;
        let number = text.parse().ok().filter(|number| bounds.contains(number));
        if number.is_none() {
            let (least, most) = bounds.into_inner();
            let message = format!("{} must be {least} to {most}, not {}", self.name, text.value);
            self.document.fault(text.span.clone(), message);
        }
        Some(Spanned { value: number?, span: text.span })
    }

    fn digits(&self) -> Option<Spanned<&'d str>> {
        self.expect("a number", |kind| match kind {
            Kind::Number(text) => Some(text.as_str()),
            _ => None,
        })
    }

    /// `true` or `false`.
    pub fn flag(&self) -> Option<Spanned<bool>> {
        self.expect("true or false", |kind| match kind {
            Kind::Flag(flag) => Some(*flag),
            _ => None,
        })
    }

    /// A length of time such as `"100ms"`.
    pub fn duration(&self) -> Option<Spanned<Duration>> {
        let text = self.expect("a duration in quotes such as \"100ms\"", |kind| match kind {
            Kind::Text(text) => Some(text.as_str()),
            _ => None,
        })?;
        self.judged(parse_duration(text.value), text.span)
    }

    /// A length of time within bounds.
    pub fn duration_in(&self, bounds: RangeInclusive<Duration>) -> Option<Spanned<Duration>> {
        let duration = self.duration()?;
        if bounds.contains(&duration) {
            return Some(duration);
        }
        let (least, most) = bounds.into_inner();
        let message = format!("{} must be {least:?} to {most:?}, not {:?}", self.name, duration.value);
        self.document.fault(duration.span, message);
        None
    }

    /// A path of a file, as it is written: what it is relative to is the reader's business.
    pub fn path(&self) -> Option<Spanned<PathBuf>> {
        let text = self.text()?;
        if text.is_empty() || text.contains('\0') {
            self.document.fault(text.span, format!("{} is no path", self.name));
            return None;
        }
        Some(Spanned { value: PathBuf::from(text.value), span: text.span })
    }

    /// The items of a list; none when the key is absent.
    pub fn list(&self) -> Vec<Value<'d>> {
        let items = self.expect("a list", |kind| match kind {
            Kind::List(items) => Some(items.as_slice()),
            _ => None,
        });
        let items = items.map_or(&[][..], |items| items.value);
        let (Name::Key(key) | Name::ItemOf(key)) = self.name;
        let item = |node: &'d Node| Value {
            document: self.document,
            name: Name::ItemOf(key),
            key_span: node.span.clone(),
            node: Some(node),
        };
        items.iter().map(item).collect()
    }

    /// The items of a list, or the value itself where it is no list: `do = "a"` says the same as `do = ["a"]`.
    pub fn one_or_many(&self) -> Vec<Value<'d>> {
        match self.node {
            Some(Node { kind: Kind::List(_), .. }) => self.list(),
            Some(_) => vec![self.clone()],
            None => Vec::new(),
        }
    }

    /// Whether the file has a list here and nothing in it.
    pub fn is_empty_list(&self) -> bool {
        matches!(self.node, Some(Node { kind: Kind::List(items), .. }) if items.is_empty())
    }

    /// The items of a list of strings that `T` understands; each wrong one is a fault of its own.
    pub fn parse_list<T: FromStr<Err: Display>>(&self) -> Vec<Spanned<T>> {
        self.list().iter().filter_map(Value::parse).collect()
    }

    /// Whether the file has a table here.
    pub fn is_table(&self) -> bool {
        matches!(self.node, Some(Node { kind: Kind::Table(_), .. }))
    }

    /// A table: `[site]` or `{ a = 1 }`.
    pub fn table(&self) -> Option<Table<'d>> {
        let entries = self.expect("a table", |kind| match kind {
            Kind::Table(entries) => Some(entries),
            _ => None,
        })?;
        Some(Table::new(self.document, entries.value, entries.span))
    }

    /// The tables of a list, as `[[peer]]` writes them; none when the key is absent.
    pub fn tables(&self) -> Vec<Table<'d>> {
        if let (Some(Node { kind: Kind::Table(_), span }), Name::Key(key)) = (self.node, self.name) {
            let hint = format!("write the header with two brackets: [[{key}]]");
            self.document.fault_with_hint(span.clone(), format!("`{key}` is a list of tables"), hint);
            return Vec::new();
        }
        self.list().iter().filter_map(Value::table).collect()
    }

    /// Reads each table of a list, all of them even when one is faulty; `None` if one is. (Collecting
    /// [`Value::tables`] into an `Option` stops at the first faulty one, and the rest would count as unknown.)
    pub fn each<T>(&self, read: impl FnMut(&Table<'d>) -> Option<T>) -> Option<Vec<T>> {
        let read: Vec<Option<T>> = self.tables().iter().map(read).collect();
        read.into_iter().collect()
    }

    /// The value if its kind is the wanted one; a fault if the file has another kind there.
    fn expect<T>(&self, wanted: &str, pick: impl FnOnce(&'d Kind) -> Option<T>) -> Option<Spanned<T>> {
        let node = self.node?;
        if let Some(value) = pick(&node.kind) {
            return Some(Spanned { value, span: node.span.clone() });
        }
        if !matches!(node.kind, Kind::Broken) {
            let message = format!("{} must be {wanted}, not {}", self.name, node.kind.name());
            self.document.fault(node.span.clone(), message);
        }
        None
    }

    fn judged<T>(&self, result: Result<T, impl Display>, span: Range<usize>) -> Option<Spanned<T>> {
        match result {
            Ok(value) => Some(Spanned { value, span }),
            Err(error) => {
                self.document.fault(span, format!("{}: {error}", self.name));
                None
            }
        }
    }
}

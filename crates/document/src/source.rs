//! A text, its name, and where its lines begin.

use std::ops::Range;
use std::sync::Arc;

/// A text with the name that people know it by. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Source {
    name: Arc<str>,
    text: Arc<str>,
    line_starts: Arc<[usize]>,
}

impl Source {
    /// A text and the name to print in front of its faults, usually the path as the user wrote it.
    pub fn new(name: impl Into<Arc<str>>, text: impl Into<Arc<str>>) -> Self {
        let text = text.into();
        let after_breaks = text.match_indices('\n').map(|(at, _)| at + 1);
        let line_starts = std::iter::once(0).chain(after_breaks).collect();
        Source { name: name.into(), text, line_starts }
    }

    /// The name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The whole text.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Line and column of a byte offset, both counted from 1, the column in characters.
    pub fn position(&self, offset: usize) -> (usize, usize) {
        let offset = self.text.floor_char_boundary(offset);
        let line = self.line_starts.partition_point(|&start| start <= offset);
        let column = self.text[self.line_starts[line - 1]..offset].chars().count() + 1;
        (line, column)
    }

    /// The bytes of a line counted from 1, without its line break; empty beyond the end.
    pub fn line(&self, line: usize) -> Range<usize> {
        let Some(&start) = line.checked_sub(1).and_then(|index| self.line_starts.get(index)) else {
            return self.text.len()..self.text.len();
        };
        let end = self.line_starts.get(line).map_or(self.text.len(), |next| next - 1);
        start..start + self.text[start..end].trim_end_matches('\r').len()
    }

    /// The offset of a line and column counted from 1, for faults that another parser found.
    pub fn offset(&self, line: usize, column: usize) -> usize {
        let line = self.line(line);
        let mut characters = self.text[line.clone()].char_indices();
        characters.nth(column.saturating_sub(1)).map_or(line.end, |(at, _)| line.start + at)
    }

    /// The span moved to character boundaries inside the text.
    pub(crate) fn clamp(&self, span: Range<usize>) -> Range<usize> {
        let start = self.text.floor_char_boundary(span.start);
        start..self.text.ceil_char_boundary(span.end).max(start)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn columns_count_characters_not_bytes() {
        let source = Source::new("a", "erste\nzweité = 1\r\n");
        assert_eq!(source.position(0), (1, 1));
        assert_eq!(source.position(source.text().find('=').unwrap()), (2, 8));
        assert_eq!(&source.text()[source.line(2)], "zweité = 1");
        assert_eq!(source.line(99), 19..19);
    }

    proptest! {
        #[test]
        fn a_position_leads_back_to_its_offset(text in "[a-zé\r\n]{0,40}", at: prop::sample::Index) {
            let boundaries: Vec<usize> = text.char_indices().map(|(at, _)| at).collect();
            prop_assume!(!boundaries.is_empty());
            let offset = boundaries[at.index(boundaries.len())];
            let source = Source::new("a", text.as_str());
            let (line, column) = source.position(offset);
            let line_end = source.line(line).end;
            prop_assert_eq!(source.offset(line, column), offset.min(line_end));
        }
    }
}

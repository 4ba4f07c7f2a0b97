//! Rows under a heading, aligned.

use crate::terminal::{Paint, Tone};
use std::fmt::Write;

/// Blanks between two columns.
const GAP: usize = 2;

/// A table of text.
pub(crate) struct Table<const COLUMNS: usize> {
    heads: [&'static str; COLUMNS],
    rows: Vec<[Cell; COLUMNS]>,
}

/// One field and what its colour says.
pub(crate) struct Cell {
    text: String,
    tone: Option<Tone>,
}

impl Cell {
    /// A field with a meaning.
    pub(crate) fn toned(text: impl ToString, tone: Tone) -> Self {
        Cell { tone: Some(tone), ..Cell::from(text.to_string()) }
    }
}

impl<T: Into<String>> From<T> for Cell {
    /// Control characters are replaced: a field may quote what came from elsewhere.
    fn from(text: T) -> Self {
        let text: String = text.into();
        Cell { text: text.replace(char::is_control, "\u{fffd}"), tone: None }
    }
}

impl<const COLUMNS: usize> Table<COLUMNS> {
    /// An empty table.
    pub(crate) fn new(heads: [&'static str; COLUMNS]) -> Self {
        Table { heads, rows: Vec::new() }
    }

    /// Adds a row.
    pub(crate) fn row(&mut self, cells: [Cell; COLUMNS]) {
        self.rows.push(cells);
    }

    /// The text, each line ended; nothing at all without rows.
    pub(crate) fn render(&self, paint: Paint) -> String {
        let mut page = String::new();
        if self.rows.is_empty() {
            return page;
        }
        let widths = self.widths();
        let heads = self.heads.map(|head| Cell::toned(head, Tone::Quiet));
        for cells in std::iter::once(&heads).chain(&self.rows) {
            let mut line = String::new();
            for (cell, width) in cells.iter().zip(widths) {
                let painted =
                    cell.tone.map_or_else(|| cell.text.clone(), |tone| paint.text(tone, &cell.text));
                let blanks = width + GAP - cell.text.chars().count();
                // Writing to a String cannot fail.
                let _ = write!(line, "{painted}{:blanks$}", "");
            }
            page.push_str(line.trim_end());
            page.push('\n');
        }
        page
    }

    fn widths(&self) -> [usize; COLUMNS] {
        std::array::from_fn(|column| {
            let cells = self.rows.iter().map(|row| row[column].text.chars().count());
            cells.chain([self.heads[column].len()]).max().unwrap_or(0)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn colours_do_not_move_columns_and_a_cell_cannot_move_the_cursor() {
        let mut table = Table::new(["PEER", "STATE"]);
        table.row(["transit-a".into(), Cell::toned("established", Tone::Good)]);
        table.row(["b\x1b[2J".into(), Cell::toned("idle", Tone::Bad)]);
        assert_eq!(
            table.render(Paint::Plain),
            "PEER       STATE\ntransit-a  established\nb\u{fffd}[2J      idle\n"
        );
        let coloured = table.render(Paint::Coloured);
        assert!(coloured.contains("\ntransit-a  \x1b[32mestablished\x1b[0m\n"), "{coloured:?}");
    }
}

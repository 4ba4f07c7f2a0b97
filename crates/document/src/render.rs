//! Faults as a page that people read: file, line and column, the line itself, a caret, a hint.

use crate::fault::{Fault, Faults, FaultyFile, Warnings};
use crate::source::Source;
use annotate_snippets::renderer::Renderer;
use annotate_snippets::{AnnotationKind, Level, Origin, Snippet, normalize_untrusted_str};
use std::fmt;

/// Whether a page is coloured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Style {
    /// Plain text, for files and pipes.
    Plain,
    /// With ANSI colours, for a terminal.
    Coloured,
}

impl Faults {
    /// The page. What the file says is quoted with its control characters made harmless.
    pub fn render(&self, style: Style) -> String {
        self.render_as(&Level::ERROR, style)
    }

    fn render_as(&self, level: &Level<'_>, style: Style) -> String {
        let renderer = match style {
            Style::Plain => Renderer::plain(),
            Style::Coloured => Renderer::styled(),
        };
        let mut page = String::new();
        for FaultyFile { source, faults, omitted } in &self.files {
            for fault in faults {
                page.push_str(&render_one(&renderer, level, source, fault));
                page.push_str("\n\n");
            }
            if *omitted > 0 {
                page.push_str(&format!("and {omitted} more in {}\n\n", source.name()));
            }
        }
        page
    }
}

impl Warnings {
    /// The page, as that of faults.
    pub fn render(&self, style: Style) -> String {
        self.0.render_as(&Level::WARNING, style)
    }
}

/// A file that could not be read has no lines. Otherwise only the fault's first line is handed to the renderer: a span may cover a whole list, and a text may be long.
fn render_one(renderer: &Renderer, level: &Level<'_>, source: &Source, fault: &Fault) -> String {
    let title = level.clone().primary_title(harmless(&normalize_untrusted_str(&fault.message)));
    if source.text().is_empty() {
        return renderer.render(&[title.element(Origin::path(harmless(source.name())))]);
    }
    let line = source.line(fault.line);
    let start = fault.span.start.min(line.end) - line.start;
    let end = (fault.span.end.min(line.end) - line.start).max(start);
    let hint = fault.hint.as_deref().map(|hint| harmless(&normalize_untrusted_str(hint)));
    let snippet = Snippet::source(harmless(&source.text()[line]))
        .line_start(fault.line)
        .path(harmless(source.name()))
        .annotation(AnnotationKind::Primary.span(start..end));
    let group = title.element(snippet);
    let group = match hint {
        Some(hint) => group.element(Level::HELP.message(hint)),
        None => group,
    };
    renderer.render(&[group])
}

/// Without the control characters that the renderer lets through: U+0080 to U+009F, with which a file could drive
/// the reader's terminal. The dot has as many bytes as they have, so that spans stay true.
fn harmless(text: &str) -> String {
    text.replace(|c| ('\u{80}'..='\u{9f}').contains(&c), "\u{b7}")
}

impl fmt::Display for Faults {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.render(Style::Plain).trim_end())
    }
}

impl fmt::Display for Warnings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.render(Style::Plain).trim_end())
    }
}

//! Where data goes: standard output, coloured where a person looks at it.

use crate::outcome::Outcome;
use document::Style;
use serde::Serialize;
use std::io::{self, IsTerminal, Write};

/// Standard output.
pub(crate) struct Terminal {
    /// Not locked: a daemon in this process may print as well.
    stdout: io::Stdout,
    paint: Paint,
}

/// Whether and how text is coloured.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Paint {
    /// Not at all.
    Plain,
    /// With ANSI colours.
    Coloured,
}

/// What a colour says. Never the only thing that says it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Tone {
    /// As it should be.
    Good,
    /// Worth a look.
    Careful,
    /// Wrong.
    Bad,
    /// Less important than the rest.
    Quiet,
}

impl Paint {
    /// The text in the colour of the tone.
    pub(crate) fn text(self, tone: Tone, text: &str) -> String {
        let code = match (self, tone) {
            (Paint::Plain, _) => return text.to_owned(),
            (Paint::Coloured, Tone::Good) => 32,
            (Paint::Coloured, Tone::Careful) => 33,
            (Paint::Coloured, Tone::Bad) => 31,
            (Paint::Coloured, Tone::Quiet) => 2,
        };
        format!("\x1b[{code}m{text}\x1b[0m")
    }
}

impl Terminal {
    /// Takes standard output.
    pub(crate) fn stdout() -> Self {
        let stdout = io::stdout();
        let paint = if wants_colour(&stdout) { Paint::Coloured } else { Paint::Plain };
        Terminal { stdout, paint }
    }

    /// How to colour what is written here.
    pub(crate) fn paint(&self) -> Paint {
        self.paint
    }

    /// One document, for programs.
    pub(crate) fn json(&mut self, document: &impl Serialize) -> anyhow::Result<()> {
        let text = serde_json::to_string_pretty(document)?;
        Ok(writeln!(self.stdout, "{text}")?)
    }

    /// One row of a stream, for programs; it leaves at once.
    pub(crate) fn json_row(&mut self, row: &impl Serialize) -> anyhow::Result<()> {
        let text = serde_json::to_string(row)?;
        writeln!(self.stdout, "{text}")?;
        Ok(self.stdout.flush()?)
    }

    /// What was written leaves; the outcome stands if it could.
    pub(crate) fn finish(&mut self, outcome: Outcome) -> anyhow::Result<Outcome> {
        self.stdout.flush()?;
        Ok(outcome)
    }
}

impl Write for Terminal {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.stdout.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.stdout.flush()
    }
}

/// Whether a person looks at standard error.
pub(crate) fn stderr_wants_colour() -> bool {
    wants_colour(&io::stderr())
}

/// How faults are printed on standard error.
pub(crate) fn style_of_stderr() -> Style {
    if stderr_wants_colour() { Style::Coloured } else { Style::Plain }
}

/// Colours are for terminals, and only where nobody said no (<https://no-color.org>).
fn wants_colour(stream: &impl IsTerminal) -> bool {
    let says_no = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
    let cannot = std::env::var_os("TERM").is_some_and(|terminal| terminal == "dumb");
    stream.is_terminal() && !says_no && !cannot
}

//! The binary: arguments, dispatch, exit code. What a command does is in `commands`, one module each.
#![forbid(unsafe_code)]

mod arguments;
mod commands;
mod outcome;
mod table;
mod terminal;
mod words;

use arguments::Arguments;
use clap::Parser;
use std::process::ExitCode;
use terminal::Terminal;

fn main() -> ExitCode {
    let arguments = match Arguments::try_parse() {
        Ok(arguments) => arguments,
        Err(message) => return outcome::of_usage(&message),
    };
    let mut terminal = Terminal::stdout();
    let result = commands::dispatch(arguments.command, &mut terminal);
    let result = result.and_then(|outcome| terminal.finish(outcome));
    result.unwrap_or_else(|error| outcome::of_error(&error)).into()
}

//! `catchment completions` and `catchment man`: made from the same description as the help.

use crate::arguments::Arguments;
use crate::outcome::{self, Outcome};
use crate::terminal::Terminal;
use clap::CommandFactory;
use clap_complete::Shell;
use std::fs;
use std::io::Write;
use std::path::Path;

pub(crate) fn completions(shell: Shell, terminal: &mut Terminal) -> anyhow::Result<Outcome> {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Arguments::command(), "catchment", &mut script);
    terminal.write_all(&script)?;
    Ok(Outcome::Yes)
}

pub(crate) fn manual(directory: &Path, terminal: &mut Terminal) -> anyhow::Result<Outcome> {
    let written = fs::create_dir_all(directory)
        .and_then(|()| clap_mangen::generate_to(Arguments::command(), directory));
    if let Err(error) = written {
        return Ok(outcome::bad_input(format_args!("cannot write to {}: {error}", directory.display())));
    }
    writeln!(terminal, "{}", directory.join("catchment.1").display())?;
    Ok(Outcome::Yes)
}

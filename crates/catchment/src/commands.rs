//! One module for each command.

mod check;
mod dns;
mod events;
mod explain;
mod fleet;
mod generated;
mod lab;
mod reload;
mod replay;
mod run;
mod status;

use crate::arguments::{Command, Dns};
use crate::outcome::Outcome;
use crate::terminal::Terminal;

/// Does what the command line says.
pub(crate) fn dispatch(command: Command, terminal: &mut Terminal) -> anyhow::Result<Outcome> {
    match command {
        Command::Run { site } => run::run(&site),
        Command::Check(check) => check::run(&check, terminal),
        Command::Reload(reload) => reload::run(&reload, terminal),
        Command::Status(ask) => status::run(&ask, terminal),
        Command::Events(events) => events::run(&events, terminal),
        Command::Explain(explain) => explain::run(&explain, terminal),
        Command::Fleet(command) => fleet::run(&command, terminal),
        Command::Replay(replay) => replay::run(&replay, terminal),
        Command::Lab(command) => lab::run(command, terminal),
        Command::Dns(Dns::Check { zone, json }) => dns::check(&zone, json, terminal),
        Command::Completions { shell } => generated::completions(shell, terminal),
        Command::Man { directory } => generated::manual(&directory, terminal),
    }
}

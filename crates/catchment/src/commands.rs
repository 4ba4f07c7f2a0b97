//! One module for each command.

mod blackhole;
mod check;
mod dns;
mod events;
mod explain;
mod fleet;
mod flows;
mod generated;
mod lab;
mod order;
mod reload;
mod replay;
mod restart;
mod run;
mod status;

use crate::arguments::{Command, Dns};
use crate::outcome::Outcome;
use crate::terminal::Terminal;
use api::OrderKind;

/// Does what the command line says.
pub(crate) fn dispatch(command: Command, terminal: &mut Terminal) -> anyhow::Result<Outcome> {
    match command {
        Command::Run { site } => run::run(&site),
        Command::Check(check) => check::run(&check, terminal),
        Command::Reload(reload) => reload::run(&reload, terminal),
        Command::Restart(ask) => restart::run(&ask, terminal),
        Command::Status(ask) => status::run(&ask, terminal),
        Command::Events(events) => events::run(&events, terminal),
        Command::Explain(explain) => explain::run(&explain, terminal),
        Command::Fleet(command) => fleet::run(&command, terminal),
        Command::Flows(arguments) => flows::run(&arguments, terminal),
        Command::Drain(drain) => order::drain(&drain, terminal),
        Command::Resume(resume) => order::run(&order::resumed(&resume), &resume.scope.ask, terminal),
        Command::Withdraw(withdraw) => {
            order::run(&order::withdrawn(&withdraw), &withdraw.order.scope.ask, terminal)
        }
        Command::Freeze(order) => {
            order::run(&order::asked(OrderKind::Freeze, &order), &order.scope.ask, terminal)
        }
        Command::ForceAnnounce(order) => {
            order::run(&order::asked(OrderKind::ForceAnnounce, &order), &order.scope.ask, terminal)
        }
        Command::Blackhole(blackhole) => blackhole::run(&blackhole, terminal),
        Command::Replay(replay) => replay::run(&replay, terminal),
        Command::Lab(command) => lab::run(command, terminal),
        Command::Dns(Dns::Compile { zone, output, json }) => dns::compile(&zone, &output, json, terminal),
        Command::Dns(Dns::Check { zone, json }) => dns::check(&zone, json, terminal),
        Command::Dns(Dns::Resolver { site, service }) => {
            dns::resolver::run(&site, service.as_ref(), terminal)
        }
        Command::Dns(Dns::Query(query)) => dns::query::run(&query, terminal),
        Command::Completions { shell } => generated::completions(shell, terminal),
        Command::Man { directory } => generated::manual(&directory, terminal),
    }
}

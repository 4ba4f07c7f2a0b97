//! `catchment lab`: worlds on this machine.

use crate::arguments::{Lab, Up};
use crate::outcome::{self, Outcome};
use crate::table::Table;
use crate::terminal::Terminal;
use crate::words::list;
use api::NodeList;
use lab::{CommandError, Options, UpError};
use std::io::Write;

pub(crate) fn run(command: Lab, terminal: &mut Terminal) -> anyhow::Result<Outcome> {
    match command {
        Lab::Up(arguments) => up(arguments),
        Lab::Init => ended(lab::init().map(|()| Outcome::Yes)),
        Lab::Exec { running, node, command } => Ok(lab::exec(&running.name, &node, &command)?.into()),
        Lab::Nodes { running, json } => nodes(&lab::nodes(&running.name)?, json, terminal),
        Lab::Down { running } => down(lab::down(&running.name), terminal),
    }
}

fn up(Up { world, running, listen, duration }: Up) -> anyhow::Result<Outcome> {
    ended(lab::up(&Options { world, name: running.name, listen, duration }).map(Outcome::from))
}

/// A world file that cannot be used is bad input, told like any other.
fn ended(result: Result<Outcome, UpError>) -> anyhow::Result<Outcome> {
    match result {
        Err(UpError::Faults(faults)) => Err(faults.into()),
        Err(error @ UpError::Unreadable { .. }) => Ok(outcome::bad_input(error)),
        other => Ok(other?),
    }
}

fn nodes(nodes: &NodeList, json: bool, terminal: &mut Terminal) -> anyhow::Result<Outcome> {
    if json {
        terminal.json(nodes)?;
        return Ok(Outcome::Yes);
    }
    let mut table = Table::new(["NODE", "KIND", "CITY", "AS", "ADDRESSES"]);
    for node in &nodes.nodes {
        table.row([
            node.name.clone().into(),
            node.kind.word().into(),
            node.city.clone().into(),
            node.asn.to_string().into(),
            list(&node.addresses).into(),
        ]);
    }
    write!(terminal, "{}", table.render(terminal.paint()))?;
    Ok(Outcome::Yes)
}

fn down(result: Result<api::Done, CommandError>, terminal: &mut Terminal) -> anyhow::Result<Outcome> {
    writeln!(terminal, "{}", result?.said)?;
    Ok(Outcome::Yes)
}

//! `catchment lab`: a world on this machine.

use crate::arguments::{Lab, LabFault, LabHistory, LabMembership, LabNew, LabSend, LabTest, LabUp, Running};
use crate::outcome::{self, Outcome};
use crate::table::Table;
use crate::terminal::Terminal;
use crate::words;
use api::NodeList;
use lab::{HistoryFiles, NewError, Options, Results, ScreenError, TestError, TestOptions, UpError, Verdict};
use std::io::Write;

pub(crate) fn run(command: Lab, terminal: &mut Terminal) -> anyhow::Result<Outcome> {
    match command {
        Lab::Up(arguments) => up(arguments),
        Lab::New(arguments) => new(&arguments, terminal),
        Lab::Test(arguments) => test(arguments),
        Lab::Init => ended(lab::init().map(|()| Outcome::Yes)),
        Lab::Echo => Ok(lab::echo().map(|()| Outcome::Yes)?),
        Lab::Stream => Ok(lab::stream().map(|()| Outcome::Yes)?),
        Lab::Exec(exec) => Ok(lab::exec(&exec.running.name, &exec.node, &exec.command)?.into()),
        Lab::Nodes(nodes) => list(&lab::nodes(&nodes.running.name)?, nodes.json, terminal),
        Lab::Fault(LabFault { kind, target, running }) => order(&running, &kind, &target, terminal),
        Lab::Send(LabSend { way, running }) => order(&running, "send", &way, terminal),
        Lab::Join(LabMembership { who, running }) => order(&running, "join", &who, terminal),
        Lab::Leave(LabMembership { who, running }) => order(&running, "leave", &who, terminal),
        Lab::Down(running) => say(&lab::down(&running.name)?, terminal),
    }
}

fn up(arguments: LabUp) -> anyhow::Result<Outcome> {
    let LabUp { world, seed, running, listen, duration, tui, cables, history } = arguments;
    let (name, ends, history) = (running.name, cables.into(), history.into());
    ended(lab::up(&Options { world, seed, name, listen, duration, ends, history, tui }).map(Outcome::from))
}

fn new(LabNew { file }: &LabNew, terminal: &mut Terminal) -> anyhow::Result<Outcome> {
    match lab::new_world(file) {
        Ok(()) => {
            let file = file.display();
            writeln!(terminal, "{file} has a world to begin with: `catchment lab up {file}` brings it up")?;
            Ok(Outcome::Yes)
        }
        Err(error @ NewError::Exists(_)) => Ok(outcome::bad_input(error)),
        Err(error @ NewError::Unwritable { .. }) => Err(error.into()),
    }
}

fn test(LabTest { scenarios, json, junit, history, slack, cables }: LabTest) -> anyhow::Result<Outcome> {
    let results = Results { json, junit, history: history.into() };
    match lab::test(&TestOptions { files: scenarios, results, slack, ends: cables.into() }) {
        Ok(report) => Ok(match report.verdict() {
            Verdict::Pass => Outcome::Yes,
            Verdict::Fail => Outcome::No,
            Verdict::Inconclusive => Outcome::Inconclusive,
        }),
        Err(TestError::Faults(faults)) => Err(faults.into()),
        Err(error) if error.is_bad_input() => Ok(outcome::bad_input(error)),
        Err(error) => Err(error.into()),
    }
}

impl From<LabHistory> for HistoryFiles {
    fn from(LabHistory { history, html }: LabHistory) -> Self {
        HistoryFiles { json: history, html }
    }
}

/// A world file that cannot be used is bad input, told like any other.
fn ended(result: Result<Outcome, UpError>) -> anyhow::Result<Outcome> {
    match result {
        Err(UpError::Faults(faults)) => Err(faults.into()),
        Err(
            error @ (UpError::Unreadable { .. }
            | UpError::NotDrawn(_)
            | UpError::Screen(ScreenError::NoTerminal | ScreenError::OnlyLines(_))),
        ) => Ok(outcome::bad_input(error)),
        other => Ok(other?),
    }
}

fn list(nodes: &NodeList, json: bool, terminal: &mut Terminal) -> anyhow::Result<Outcome> {
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
            words::list(&node.addresses).into(),
        ]);
    }
    write!(terminal, "{}", table.render(terminal.paint()))?;
    Ok(Outcome::Yes)
}

/// Has the lab do something, in the words of a scenario: the first one, and the rest.
fn order(
    running: &Running,
    kind: &str,
    target: &[String],
    terminal: &mut Terminal,
) -> anyhow::Result<Outcome> {
    say(&lab::fault(&running.name, kind, &target.join(" "))?, terminal)
}

fn say(done: &api::Done, terminal: &mut Terminal) -> anyhow::Result<Outcome> {
    writeln!(terminal, "{}", done.said)?;
    Ok(Outcome::Yes)
}

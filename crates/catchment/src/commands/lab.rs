//! `catchment lab`: a world on this machine.

use crate::arguments::{Lab, LabExec, LabFault, LabNodes, LabTest, LabUp};
use crate::outcome::Outcome;
use crate::table::Table;
use crate::terminal::Terminal;
use lab::{Options, TestError, TestOptions, UpError, Verdict};
use std::io::Write;
use std::os::unix::process::ExitStatusExt;
use std::process::ExitStatus;

pub(crate) fn run(command: &Lab, terminal: &mut Terminal) -> anyhow::Result<Outcome> {
    match command {
        Lab::Up(up) => bring_up(up),
        Lab::Init => {
            lab::init()?;
            Ok(Outcome::Yes)
        }
        Lab::Exec(exec) => execute(exec),
        Lab::Nodes(nodes) => list(nodes, terminal),
        Lab::Fault(fault) => inject(fault, terminal),
        Lab::Test(test) => play(test),
        Lab::Down { name } => {
            lab::down(name)?;
            Ok(Outcome::Yes)
        }
    }
}

fn bring_up(up: &LabUp) -> anyhow::Result<Outcome> {
    let duration = up.duration;
    let options = Options { world: up.world.clone(), name: up.name.clone(), listen: up.listen, duration };
    match lab::up(&options) {
        Ok(status) => Ok(if status.success() { Outcome::Yes } else { Outcome::No }),
        Err(UpError::Faults(faults)) => Err(faults.into()),
        Err(error @ UpError::Unreadable { .. }) => Ok(crate::outcome::bad_input(error)),
        Err(error) => Err(error.into()),
    }
}

/// A failure wins over a doubt.
fn play(test: &LabTest) -> anyhow::Result<Outcome> {
    let options = TestOptions { files: test.files.clone(), json: test.json.clone(), slack: test.slack };
    match lab::test(&options) {
        Ok(report) => Ok(match report.verdict() {
            Verdict::Pass => Outcome::Yes,
            Verdict::Inconclusive => Outcome::Inconclusive,
            Verdict::Fail => Outcome::No,
        }),
        Err(TestError::Faults(faults)) => Err(faults.into()),
        Err(error) if error.is_bad_input() => Ok(crate::outcome::bad_input(error)),
        Err(error) => Err(error.into()),
    }
}

/// The command's own exit code is passed on, as a shell would.
fn execute(exec: &LabExec) -> anyhow::Result<Outcome> {
    Ok(Outcome::Code(code(lab::exec(&exec.name, &exec.node, &exec.command)?)))
}

fn code(status: ExitStatus) -> u8 {
    let number = status.code().or(status.signal().map(|signal| 128 + signal));
    number.and_then(|number| u8::try_from(number).ok()).unwrap_or(u8::MAX)
}

fn list(arguments: &LabNodes, terminal: &mut Terminal) -> anyhow::Result<Outcome> {
    let nodes = lab::nodes(&arguments.name)?;
    if arguments.json {
        terminal.json(&nodes)?;
        return Ok(Outcome::Yes);
    }
    let mut table = Table::new(["NAME", "KIND", "CITY", "AS", "ADDRESSES"]);
    for node in &nodes.nodes {
        let addresses: Vec<String> = node.addresses.iter().map(ToString::to_string).collect();
        let cells = [node.name.clone(), node.kind.to_string(), node.city.clone(), node.asn.to_string()];
        let [name, kind, city, asn] = cells.map(Into::into);
        table.row([name, kind, city, asn, addresses.join(" ").into()]);
    }
    write!(terminal, "{}", table.render(terminal.paint()))?;
    Ok(Outcome::Yes)
}

fn inject(arguments: &LabFault, terminal: &mut Terminal) -> anyhow::Result<Outcome> {
    let done = lab::fault(&arguments.name, &arguments.kind, &arguments.target.join(" "))?;
    writeln!(terminal, "{}", done.said)?;
    Ok(Outcome::Yes)
}

//! BIRD 2, asked over its control socket.

use super::{Sessions, Speaker, write};
use crate::bird::{self, protocol_name};
use crate::birdc;
use crate::detour::{Candidate, candidates};
use crate::igp::IgpRoute;
use crate::machine::Machine;
use crate::policy::Session;
use crate::processes::{ProcessId, Processes};
use linux::{Error, Result};
use std::collections::BTreeSet;
use std::fs;
use std::net::{IpAddr, Ipv4Addr};
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::sync::Arc;
use terms::Prefix;

/// A router that runs BIRD.
#[derive(Debug)]
pub(super) struct Bird {
    directory: PathBuf,
    process: ProcessId,
    processes: Arc<Processes>,
}

impl Bird {
    pub(super) fn start(
        configuration: &str,
        ways: &[IgpRoute],
        directory: PathBuf,
        machine: &Machine,
        processes: &Arc<Processes>,
    ) -> Result<Self> {
        write(&directory.join("bird.conf"), configuration)?;
        write(&directory.join(bird::IGP_FILE), &bird::igp(ways))?;
        write(&directory.join(bird::SHIFT_FILE), &bird::shift(None))?;
        let processes = Arc::clone(processes);
        let process = run(&directory, machine, &processes)?;
        Ok(Bird { directory, process, processes })
    }

    /// Changes one of its files, and has it read them again if that one has changed.
    fn change(&self, file: &str, text: &str) -> Result<()> {
        let path = self.directory.join(file);
        if fs::read_to_string(&path).is_ok_and(|written| written == text) {
            return Ok(());
        }
        write(&path, text)?;
        self.ask("configure").map(drop)
    }

    /// What it answers to a command of `birdc`.
    fn ask(&self, command: &str) -> Result<String> {
        let attempt = || format!("ask BIRD in {} to `{command}`", self.directory.display());
        birdc::ask(&self.directory.join("bird.ctl"), command).map_err(|error| Error::new(attempt(), error))
    }
}

impl Speaker for Bird {
    fn processes(&self) -> Vec<ProcessId> {
        vec![self.process]
    }

    fn restart(&mut self, machine: &Machine) -> Result<()> {
        self.process = run(&self.directory, machine, &self.processes)?;
        Ok(())
    }

    fn tell_ways(&mut self, _: &Machine, ways: &[IgpRoute]) -> Result<()> {
        self.change(bird::IGP_FILE, &bird::igp(ways))
    }

    fn shift(&mut self, away_from: Option<&Session<'_>>) -> Result<()> {
        self.change(bird::SHIFT_FILE, &bird::shift(away_from.map(|session| session.far.name.as_str())))
    }

    fn candidates(&self, address: IpAddr) -> Result<Vec<Candidate>> {
        Ok(candidates(&self.ask(&format!("show route for {address} all"))?))
    }

    fn routes_from(&self, neighbour: Ipv4Addr) -> Result<BTreeSet<Prefix>> {
        let answer = self.ask(&format!("show route where from = {neighbour}"))?;
        // A further route of the same prefix stands behind blanks.
        Ok(answer.lines().filter_map(|line| line.split(' ').next()?.parse().ok()).collect())
    }

    fn sessions(&self) -> Result<Sessions> {
        Ok(sessions(&self.ask("show protocols")?))
    }
}

/// Rows such as `to_atlas_london BGP --- up 12:00:00.000 Established`.
fn sessions(told: &str) -> Sessions {
    let rows = told.lines().map(|row| row.split_whitespace().collect::<Vec<_>>());
    let mut sessions = Sessions::default();
    for row in rows.filter(|row| row.get(1) == Some(&"BGP") && row[0].starts_with(&protocol_name(""))) {
        sessions.all += 1;
        sessions.up += usize::from(row.get(5) == Some(&"Established"));
    }
    sessions
}

fn run(directory: &std::path::Path, machine: &Machine, processes: &Processes) -> Result<ProcessId> {
    let mut command = Command::new("bird");
    command.args(["-f", "-c", "bird.conf", "-s", "bird.ctl"]).current_dir(directory);
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    processes.start(&machine.namespace, &mut command, "Debian package bird2")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_sessions_are_counted_and_only_established_ones_are_up() {
        let told = "Name       Proto      Table      State  Since         Info\n\
                    device1    Device     ---        up     12:00:00.000  \n\
                    to_site_london BGP        ---        up     12:00:01.000  Established   \n\
                    to_atlas_tokyo BGP        ---        start  12:00:00.000  Connect       \n\
                    igp4       Static     master4    up     12:00:00.000  \n";
        assert_eq!(sessions(told), Sessions { up: 1, all: 2 });
        assert_eq!(sessions(""), Sessions::default());
    }
}

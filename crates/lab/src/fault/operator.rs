//! What an operator does at a site: changes of its file, and the commands of this very program, run on its host.

use crate::command::SOCKET_VARIABLE;
use crate::fault::apply::FaultError;
use crate::fault::{Fault, Order};
use crate::router::write;
use crate::running::{Lab, lock};
use crate::scenario::words::Line;
use crate::site::{DAEMON_SOCKET, SITE_FILE};
use linux::Error;
use std::fs;
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::Command;
use terms::SiteName;

/// Why the lab's operators do what they do.
const REASON: &str = "ordered in the lab";

impl Order {
    /// The arguments of the command.
    fn arguments(self) -> Vec<String> {
        let words = |words: &[&str]| words.iter().map(ToString::to_string).collect();
        match self {
            Order::Drain => words(&["drain", "--reason", REASON]),
            Order::Withdraw => words(&["withdraw", "--reason", REASON]),
            Order::Resume => words(&["resume"]),
            Order::Drop { address, time } => {
                let (address, time) = (address.to_string(), time.to_string());
                words(&["blackhole", &address, "--for", &time, "--reason", REASON])
            }
            Order::EndDrop { address } => words(&["blackhole", &address.to_string(), "--end"]),
            Order::Reload => words(&["reload"]),
            Order::Restart => words(&["restart"]),
        }
    }
}

impl Lab {
    /// Gives the order and waits for its answer: what the command said, or that it was refused.
    pub(super) fn order_at(&self, site: &SiteName, fault: &Fault) -> Result<String, FaultError> {
        let Some((_, order)) = fault.order() else { return Ok(fault.done()) };
        let directory = self.directory_of_site(site)?;
        let mut command = Command::new("/proc/self/exe");
        command.arg0("catchment").args(order.arguments()).current_dir(&directory);
        command.env(SOCKET_VARIABLE, directory.join(DAEMON_SOCKET));
        let host = &self.machines[self.host(site)?.0];
        let (said, code) = self.processes.run(&host.namespace, &mut command, "this program")?;
        let said = said.split_whitespace().collect::<Vec<_>>().join(" ");
        match code {
            Some(0) => Ok(format!("{}: {said}", fault.done())),
            code => Err(FaultError::Refused { site: site.clone(), code, said }),
        }
    }

    /// Puts a line into the site file.
    pub(super) fn change_file(&self, site: &SiteName, line: &Line) -> Result<(), FaultError> {
        let path = self.directory_of_site(site)?.join(SITE_FILE);
        let text = fs::read_to_string(&path).map_err(|error| Error::new("read a site file", error))?;
        let changed = line.put_into(&text);
        let changed =
            changed.ok_or_else(|| FaultError::NoSuchLine { site: site.clone(), line: line.clone() })?;
        Ok(write(&path, &changed)?)
    }

    fn directory_of_site(&self, site: &SiteName) -> Result<PathBuf, FaultError> {
        let id = self.site_id(site)?;
        let directory = lock(&self.sites).get(&id).map(|place| place.directory().to_owned());
        directory.ok_or_else(|| self.unknown(site))
    }
}

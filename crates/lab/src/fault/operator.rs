//! What an operator does at a site: changes of its file, and the commands of this very program, run on its host.

use crate::command::SOCKET_VARIABLE;
use crate::fault::apply::{FaultError, Placed};
use crate::fault::{Fault, Order};
use crate::host::{DAEMON_SOCKET, SITE_FILE};
use crate::router::write;
use crate::running::{Lab, directory_of};
use crate::scenario::words::Line;
use crate::site_file::{ZONE_FILE, with_next_serial};
use api::client::Server;
use api::client::blocking::Client;
use api::{IntentKind, Status, route};
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
    /// Gives the order at each host and waits for its answer: what the command said, or that it was refused.
    pub(super) fn order_at(&self, site: &SiteName, fault: &Fault) -> Result<String, FaultError> {
        let Some((_, order)) = fault.order() else { return Ok(fault.done()) };
        let mut answers = Vec::new();
        for host in self.hosts_of(site)? {
            answers.push(self.order_at_host(site, order, host)?);
        }
        Ok(format!("{}: {}", fault.done(), answers.join("; ")))
    }

    fn order_at_host(&self, site: &SiteName, order: Order, host: Placed) -> Result<String, FaultError> {
        let directory = self.directory_of_host(host);
        let mut command = Command::new("/proc/self/exe");
        command.arg0("catchment").args(order.arguments()).current_dir(&directory);
        command.env(SOCKET_VARIABLE, directory.join(DAEMON_SOCKET));
        let namespace = &self.machines[host.node.0].namespace;
        let (said, code) = self.processes.run(namespace, &mut command, "this program")?;
        let said = said.split_whitespace().collect::<Vec<_>>().join(" ");
        match code {
            Some(0) => Ok(said),
            code => Err(FaultError::Refused { site: site.clone(), code, said }),
        }
    }

    /// Whether an order of an operator stands at the site, as far as its daemons answer.
    pub(super) fn is_ordered(&self, site: &SiteName) -> bool {
        let ordered = |host: &Placed| {
            let socket = self.directory_of_host(*host).join(DAEMON_SOCKET);
            let status = Client::of(Server::Daemon, socket).ok()?.get::<Status>(route::STATUS).ok()?;
            Some(status.groups.iter().any(|group| group.intent.kind != IntentKind::Normal))
        };
        self.hosts_of(site).unwrap_or_default().iter().any(|host| ordered(host).unwrap_or(false))
    }

    /// Puts a line into the site file of each host.
    pub(super) fn change_file(&self, site: &SiteName, line: &Line) -> Result<(), FaultError> {
        for host in self.hosts_of(site)? {
            let path = self.directory_of_host(host).join(SITE_FILE);
            let text = fs::read_to_string(&path).map_err(|error| Error::new("read a site file", error))?;
            let changed = line.put_into(&text);
            let changed =
                changed.ok_or_else(|| FaultError::NoSuchLine { site: site.clone(), line: line.clone() })?;
            write(&path, &changed)?;
        }
        Ok(())
    }

    /// Writes the zone with the next serial number, on each host of the site.
    pub(super) fn raise_serial(&self, site: &SiteName) -> Result<(), FaultError> {
        for host in self.hosts_of(site)? {
            let path = self.directory_of_host(host).join(ZONE_FILE);
            let text = fs::read_to_string(&path).map_err(|error| Error::new("read a zone file", error))?;
            write(&path, &with_next_serial(&text))?;
        }
        Ok(())
    }

    fn directory_of_host(&self, host: Placed) -> PathBuf {
        directory_of(&self.plan.node(host.node).name)
    }
}

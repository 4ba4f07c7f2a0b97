//! A site: a host behind its edge router, with a service that answers on the anycast address.

use crate::machine::Machine;
use crate::plan::SERVICE;
use crate::processes::{ProcessId, Processes};
use crate::router::write;
use linux::link::LinkIndex;
use linux::{Result, address};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use terms::SiteName;

/// A site that runs.
#[derive(Debug)]
pub struct Site {
    directory: PathBuf,
    service: ProcessId,
}

impl Site {
    /// Puts the anycast addresses on the host and starts NSD there.
    pub fn start(
        name: &SiteName,
        machine: &Machine,
        directory: PathBuf,
        processes: &Processes,
    ) -> Result<Self> {
        machine.with_netlink(|netlink| {
            SERVICE
                .both()
                .into_iter()
                .try_for_each(|service| address::add(netlink, LinkIndex::LOOPBACK, service.into()).map(drop))
        })?;
        write(&directory.join("nsd.conf"), &nsd_configuration(name))?;
        write(&directory.join("example.zone"), ZONE)?;
        let service = run_nsd(&directory, machine, processes)?;
        Ok(Site { directory, service })
    }

    /// The process of its service.
    pub fn service(&self) -> ProcessId {
        self.service
    }

    /// Starts the service again after it was killed.
    pub fn restart_service(&mut self, machine: &Machine, processes: &Processes) -> Result<()> {
        self.service = run_nsd(&self.directory, machine, processes)?;
        Ok(())
    }
}

/// The zone that every site serves.
pub const ZONE: &str = "\
$ORIGIN example.
$TTL 3600
@     SOA ns.example. hostmaster.example. 1 7200 3600 1209600 300
@     NS  ns
ns    A    198.18.0.53
ns    AAAA 2001:db8:53::53
www   A    198.18.0.80
www   AAAA 2001:db8:53::80
@     TXT \"one address, many sites\"
";

fn nsd_configuration(name: &SiteName) -> String {
    let addresses: String =
        SERVICE.both().iter().map(|address| format!("  ip-address: {address}\n")).collect();
    format!(
        "server:\n{addresses}  identity: \"{name}\"\n  nsid: \"ascii_{name}\"\n  server-count: 1\n  username: \"\"\n  \
         chroot: \"\"\n  zonesdir: \".\"\n  pidfile: \"\"\n  database: \"\"\n  xfrdfile: \"xfrd.state\"\n  \
         zonelistfile: \"zone.list\"\n  ip-freebind: yes\n  rrl-ratelimit: 0\nremote-control:\n  control-enable: no\n\
         zone:\n  name: example.\n  zonefile: example.zone\n"
    )
}

fn run_nsd(directory: &Path, machine: &Machine, processes: &Processes) -> Result<ProcessId> {
    let mut command = Command::new("nsd");
    command.args(["-d", "-c", "nsd.conf"]).current_dir(directory);
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    processes.start(&machine.namespace, &mut command)
}

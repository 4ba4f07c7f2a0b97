//! FRR: `zebra` and `bgpd`, asked with `vtysh`.

use super::{Sessions, Speaker, write};
use crate::detour::Candidate;
use crate::frr::{SHIFT, import};
use crate::igp::IgpRoute;
use crate::machine::Machine;
use crate::policy::Session;
use crate::processes::{ProcessId, Processes};
use linux::route::{self, Route, Via};
use linux::{Error, Namespace, Netlink, Result};
use nix::unistd::User;
use serde_json::Value;
use std::collections::BTreeSet;
use std::io;
use std::net::{IpAddr, Ipv4Addr};
use std::os::unix::fs::chown;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::thread;
use std::time::Duration;
use terms::{Family, Prefix};

const PACKAGE: &str = "Debian package frr";
const NO_OTHER_USER: &str =
    "a lab without root has no user but one: start it as root, or have the routers run BIRD";
/// Where FRR's daemons meet.
const MEETING: &str = "zserv.api";
/// How long `zebra` may take to be there.
const PATIENCE: Duration = Duration::from_secs(10);
const GLANCE: Duration = Duration::from_millis(5);

/// A router that runs FRR.
#[derive(Debug)]
pub(super) struct Frr {
    directory: PathBuf,
    namespace: Namespace,
    /// `bfdd` where a site watches its links, then `bgpd`.
    daemons: &'static [&'static str],
    running: Vec<ProcessId>,
    /// The ways inside its network that the kernel has.
    ways: Vec<IgpRoute>,
    /// The neighbour that traffic was shifted away from, and its usual route map.
    shifted: Option<(Ipv4Addr, &'static str)>,
    processes: Arc<Processes>,
}

impl Frr {
    pub(super) fn start(
        configuration: &str,
        ways: &[IgpRoute],
        watches_links: bool,
        directory: &Path,
        machine: &Machine,
        processes: &Arc<Processes>,
    ) -> Result<Self> {
        let daemons: &[&str] = if watches_links { &["bfdd", "bgpd"] } else { &["bgpd"] };
        write(&directory.join("zebra.conf"), "")?;
        write(&directory.join("bfdd.conf"), "")?;
        write(&directory.join("bgpd.conf"), configuration)?;
        give_to_frr(directory)?;
        let mut frr = Frr {
            directory: directory.to_owned(),
            namespace: machine.namespace.try_clone()?,
            daemons,
            running: Vec::new(),
            ways: Vec::new(),
            shifted: None,
            processes: Arc::clone(processes),
        };
        frr.tell_ways(machine, ways)?;
        frr.run()?;
        Ok(frr)
    }

    /// `zebra`, and when it is there the others: who finds nobody looks again after ten seconds only.
    fn run(&mut self) -> Result<()> {
        self.running = vec![self.daemon("zebra")?];
        let meeting = self.directory.join(MEETING);
        let mut waited = Duration::ZERO;
        while UnixStream::connect(&meeting).is_err() {
            if waited > PATIENCE {
                let reason = io::Error::other("zebra does not answer");
                return Err(Error::new(format!("start FRR in {}", self.directory.display()), reason));
            }
            thread::sleep(GLANCE);
            waited += GLANCE;
        }
        for daemon in self.daemons {
            let process = self.daemon(daemon)?;
            self.running.push(process);
        }
        Ok(())
    }

    fn daemon(&self, name: &str) -> Result<ProcessId> {
        let at = |file: &str| self.directory.join(file).display().to_string();
        let mut command = Command::new(format!("/usr/lib/frr/{name}"));
        command.arg("--vty_port=0").arg(format!("--vty_socket={}", self.directory.display()));
        command.arg(format!("--socket={}", at(MEETING)));
        command.arg(format!("--pid_file={}", at(&format!("{name}.pid"))));
        command.arg(format!("--config_file={}", at(&format!("{name}.conf"))));
        command.arg(format!("--log=file:{}", at(&format!("{name}.log"))));
        if name == "bfdd" {
            command.arg(format!("--bfdctl={}", at("bfdd.sock")));
        }
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        self.processes.start(&self.namespace, &mut command, PACKAGE)
    }

    /// What `bgpd` answers to these lines of `vtysh`.
    fn ask(&self, lines: &[&str]) -> Result<String> {
        let mut command = Command::new("vtysh");
        command.arg("--vty_socket").arg(&self.directory).args(["-d", "bgpd"]);
        for line in lines {
            command.args(["-c", line]);
        }
        let (said, code) = self.processes.run(&self.namespace, &mut command, PACKAGE)?;
        match code {
            Some(0) => Ok(said),
            _ => {
                let attempt = format!("ask FRR in {} to `{}`", self.directory.display(), lines.join("`, `"));
                Err(Error::new(attempt, io::Error::other(said.trim().to_owned())))
            }
        }
    }

    fn shown(&self, question: &str) -> Result<Value> {
        let said = self.ask(&[question])?;
        // Whatever the shell has to say about itself stands before it.
        let document = &said[said.find('{').unwrap_or_default()..];
        serde_json::from_str(document)
            .map_err(|error| Error::new(format!("read `{question}`"), io::Error::from(error)))
    }

    fn set_import(&self, neighbour: Ipv4Addr, map: &str) -> Result<()> {
        let (bgp, set) = (self.own_number()?, format!("neighbor {neighbour} route-map {map} in"));
        for (family, _) in FAMILIES {
            self.ask(&["configure", &bgp, &format!("address-family {family} unicast"), &set])?;
        }
        Ok(())
    }

    /// The line that opens its BGP configuration.
    fn own_number(&self) -> Result<String> {
        let shown = self.shown("show bgp summary json")?;
        let number = FAMILIES.iter().find_map(|(_, summary)| shown[*summary]["as"].as_u64());
        Ok(number.map_or_else(|| "router bgp".to_owned(), |number| format!("router bgp {number}")))
    }
}

/// The families in the words of its commands, and of their answers.
const FAMILIES: [(&str, &str); 2] = [("ipv4", "ipv4Unicast"), ("ipv6", "ipv6Unicast")];

impl Speaker for Frr {
    fn processes(&self) -> Vec<ProcessId> {
        self.running.clone()
    }

    fn restart(&mut self, machine: &Machine) -> Result<()> {
        // With the cables of a node without power, its routes have gone as well.
        let ways = std::mem::take(&mut self.ways);
        self.tell_ways(machine, &ways)?;
        self.shifted = None;
        self.run()
    }

    fn tell_ways(&mut self, machine: &Machine, ways: &[IgpRoute]) -> Result<()> {
        machine.with_netlink(|netlink| {
            for gone in self.ways.iter().filter(|way| !ways.contains(way)) {
                // One whose cable has no carrier any more may be gone already.
                each_family(netlink, gone, |netlink, route| route::delete(netlink, route).map(drop))?;
            }
            for new in ways.iter().filter(|way| !self.ways.contains(way)) {
                each_family(netlink, new, route::replace)?;
            }
            Ok(())
        })?;
        self.ways = ways.to_vec();
        Ok(())
    }

    fn shift(&mut self, away_from: Option<&Session<'_>>) -> Result<()> {
        if let Some((neighbour, usual)) = self.shifted.take() {
            self.set_import(neighbour, usual)?;
        }
        if let Some(session) = away_from {
            self.set_import(session.theirs.v4, SHIFT)?;
            self.shifted = Some((session.theirs.v4, import(session.kind)));
        }
        Ok(())
    }

    fn candidates(&self, address: IpAddr) -> Result<Vec<Candidate>> {
        let (family, _) = FAMILIES[usize::from(Family::of(address) == Family::Ipv6)];
        Ok(candidates(&self.shown(&format!("show bgp {family} unicast {address} json"))?))
    }

    fn routes_from(&self, neighbour: Ipv4Addr) -> Result<BTreeSet<Prefix>> {
        let mut routes = BTreeSet::new();
        for (family, _) in FAMILIES {
            let shown =
                self.shown(&format!("show bgp {family} unicast neighbors {neighbour} routes json"))?;
            let told = shown["routes"].as_object().into_iter().flat_map(|routes| routes.keys());
            routes.extend(told.filter_map(|prefix| prefix.parse::<Prefix>().ok()));
        }
        Ok(routes)
    }

    fn sessions(&self) -> Result<Sessions> {
        Ok(sessions(&self.shown("show bgp summary json")?))
    }
}

/// Its daemons give up being root, and write here. `zebra` does not run without doing so.
fn give_to_frr(directory: &Path) -> Result<()> {
    let attempt = || format!("give {} to the user frr ({PACKAGE})", directory.display());
    let user = User::from_name("frr").map_err(|error| Error::new(attempt(), error))?;
    let user = user.ok_or_else(|| Error::new(attempt(), io::Error::other("there is no such user")))?;
    chown(directory, Some(user.uid.as_raw()), Some(user.gid.as_raw())).map_err(|error| {
        let reason = match error.kind() {
            io::ErrorKind::InvalidInput => io::Error::other(NO_OTHER_USER),
            _ => error,
        };
        Error::new(attempt(), reason)
    })
}

fn each_family(
    netlink: &mut Netlink,
    way: &IgpRoute,
    change: impl Fn(&mut Netlink, Route) -> Result<()>,
) -> Result<()> {
    for (destination, gateway) in way.destination.both().into_iter().zip(way.via.both()) {
        let destination = Prefix::host(destination);
        change(netlink, Route { destination, via: Via::Gateway(gateway), metric: Some(way.metric) })?;
    }
    Ok(())
}

/// `show bgp ipv4 unicast ADDRESS json`
fn candidates(shown: &Value) -> Vec<Candidate> {
    let paths = shown["paths"].as_array().map(Vec::as_slice).unwrap_or_default();
    let candidate = |path: &Value| {
        let number = |value: &Value| value.as_u64().and_then(|number| u32::try_from(number).ok());
        let networks = path["aspath"]["string"].as_str().unwrap_or_default();
        Candidate {
            best: path["bestpath"]["overall"] == true,
            path: networks.split_whitespace().filter_map(|word| word.parse().ok()).collect(),
            preference: number(&path["locPrf"]).or_else(|| number(&path["localPref"])).unwrap_or(0),
            next_hop: next_hop(path),
        }
    };
    paths.iter().filter(|path| path["valid"] == true).map(candidate).collect()
}

/// The one that is used, or the first one.
fn next_hop(path: &Value) -> Option<IpAddr> {
    let hops = path["nexthops"].as_array()?;
    let used = hops.iter().find(|hop| hop["used"] == true).or_else(|| hops.first())?;
    used["ip"].as_str()?.parse().ok()
}

/// `show bgp summary json`; a session carries both families, and counts once.
fn sessions(shown: &Value) -> Sessions {
    let mut sessions = Sessions::default();
    let peers = FAMILIES.iter().find_map(|(_, family)| shown[*family]["peers"].as_object());
    for peer in peers.into_iter().flat_map(|peers| peers.values()) {
        sessions.all += 1;
        sessions.up += usize::from(peer["state"] == "Established");
    }
    sessions
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn candidates_are_the_valid_paths() {
        let shown = json!({ "prefix": "198.18.0.0/24", "paths": [
            { "aspath": { "string": "64613 64501" }, "locPrf": 300, "valid": true,
              "bestpath": { "overall": true }, "nexthops": [{ "ip": "10.1.0.64" }] },
            { "aspath": { "string": "64602 64501" }, "locPrf": 200, "valid": true, "nexthops": [{ "ip": "10.1.0.66" }] },
            { "aspath": { "string": "64603 64501" }, "locPrf": 200, "nexthops": [{ "ip": "10.1.0.68" }] },
        ] });
        let found = candidates(&shown);
        assert_eq!(found.len(), 2);
        assert_eq!(
            (found[0].best, &found[0].path[..], found[0].preference),
            (true, &[64613, 64501][..], 300)
        );
        assert_eq!(found[1].next_hop, "10.1.0.66".parse().ok());
        assert_eq!(candidates(&json!({})), []);
    }

    #[test]
    fn a_session_of_two_families_counts_once() {
        let peers = json!({ "10.0.0.1": { "state": "Established" }, "10.0.0.2": { "state": "Active" } });
        let shown =
            json!({ "ipv4Unicast": { "as": 64601, "peers": peers }, "ipv6Unicast": { "peers": peers } });
        assert_eq!(sessions(&shown), Sessions { up: 1, all: 2 });
        assert_eq!(sessions(&json!({})), Sessions::default());
    }
}

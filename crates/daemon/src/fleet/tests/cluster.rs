//! Three etcd members and some sites, each in a network namespace, joined by a bridge in one more.

use linux::link::{self, End, LinkIndex};
use linux::process::{Namespaces, die_with_parent, start_in};
use linux::{Namespace, address};
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::os::fd::AsFd;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// How long a condition may take: the machine may be busy, and nothing here is timed.
const PATIENCE: Duration = Duration::from_secs(90);

/// Waits until something holds.
pub(super) fn until(what: &str, mut holds: impl FnMut() -> bool) {
    let started = Instant::now();
    while !holds() {
        assert!(started.elapsed() < PATIENCE, "after {PATIENCE:?} still not so: {what}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

const MEMBERS: [&str; 3] = ["member-1", "member-2", "member-3"];

/// The cluster, and the network that leads to it.
pub(super) struct Cluster {
    hub: Namespace,
    nodes: RefCell<BTreeMap<String, Namespace>>,
    members: BTreeMap<&'static str, Child>,
    directory: TempDir,
    /// How often it was restored: every life has directories of its own.
    life: u32,
}

impl Drop for Cluster {
    fn drop(&mut self) {
        MEMBERS.into_iter().for_each(|name| self.kill(name));
    }
}

impl Cluster {
    /// A cluster that answers.
    pub(super) fn start() -> Self {
        let hub = Namespace::new().unwrap();
        run_in(&hub, "ip", &["link", "add", "bridge", "type", "bridge"]);
        run_in(&hub, "ip", &["link", "set", "bridge", "up"]);
        let nodes = RefCell::default();
        let directory = tempfile::tempdir().unwrap();
        let mut cluster = Cluster { hub, nodes, members: BTreeMap::new(), directory, life: 0 };
        MEMBERS.into_iter().for_each(|name| cluster.join(name));
        MEMBERS.into_iter().for_each(|name| cluster.revive(name));
        cluster.await_leader();
        cluster
    }

    /// A namespace with a cable to the bridge.
    pub(super) fn join(&self, name: &str) {
        let mut nodes = self.nodes.borrow_mut();
        let number = nodes.len() + 1;
        let namespace = Namespace::new().unwrap();
        let (here, there) = (End { namespace: &self.hub, name }, End { namespace: &namespace, name: "eth0" });
        link::create_veth(&mut self.hub.netlink().unwrap(), here, there).unwrap();
        let mut netlink = namespace.netlink().unwrap();
        let cable = link::index(&mut netlink, "eth0").unwrap();
        link::set_up(&mut netlink, LinkIndex::LOOPBACK).unwrap();
        link::set_up(&mut netlink, cable).unwrap();
        address::add(&mut netlink, cable, format!("10.9.0.{number}/24").parse().unwrap()).unwrap();
        run_in(&self.hub, "ip", &["link", "set", name, "master", "bridge"]);
        run_in(&self.hub, "ip", &["link", "set", name, "up"]);
        nodes.insert(name.to_owned(), namespace);
    }

    /// The namespace of a node.
    pub(super) fn namespace(&self, name: &str) -> Namespace {
        self.nodes.borrow()[name].try_clone().unwrap()
    }

    /// Where clients reach the members.
    pub(super) fn endpoints(&self) -> Vec<String> {
        (1..=MEMBERS.len()).map(|number| format!("http://10.9.0.{number}:2379")).collect()
    }

    /// Swallows what the node sends and what is sent to it.
    pub(super) fn cut(&self, name: &str) {
        run_in(&self.hub, "ip", &["link", "set", name, "nomaster"]);
    }

    /// Undoes [`cut`](Cluster::cut).
    pub(super) fn mend(&self, name: &str) {
        run_in(&self.hub, "ip", &["link", "set", name, "master", "bridge"]);
    }

    /// SIGKILL.
    pub(super) fn kill(&mut self, name: &'static str) {
        if let Some(mut child) = self.members.remove(name) {
            child.kill().unwrap();
            child.wait().unwrap();
        }
    }

    /// Starts a member on what it has on disk.
    pub(super) fn revive(&mut self, name: &'static str) {
        let address = format!("10.9.0.{}", MEMBERS.iter().position(|one| *one == name).unwrap() + 1);
        let (client, peer) = (format!("http://{address}:2379"), format!("http://{address}:2380"));
        let mut command = Command::new("etcd");
        command
            .args(["--name", name, "--initial-cluster", &initial_cluster(), "--unsafe-no-fsync"])
            .arg("--data-dir")
            .arg(self.data(name))
            .args(["--listen-client-urls", &client, "--advertise-client-urls", &client])
            .args(["--listen-peer-urls", &peer, "--initial-advertise-peer-urls", &peer])
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        let inside = self.namespace(name).as_fd().try_clone_to_owned().unwrap();
        start_in(&mut command, Namespaces::new([inside]));
        die_with_parent(&mut command);
        self.members.insert(name, command.spawn().expect("etcd, of the Debian package etcd-server"));
    }

    fn data(&self, name: &str) -> PathBuf {
        self.directory.path().join(format!("{name}-{}", self.life))
    }

    fn etcdctl(&self, arguments: &[&str]) -> Option<String> {
        let mut command = Command::new("etcdctl");
        command.env("ETCDCTL_API", "3").args(arguments).stderr(Stdio::null());
        let inside = self.namespace(MEMBERS[0]).as_fd().try_clone_to_owned().unwrap();
        start_in(&mut command, Namespaces::new([inside]));
        let output = command.output().expect("etcdctl, of the Debian package etcd-client");
        output.status.success().then(|| String::from_utf8(output.stdout).unwrap())
    }

    /// Which member leads now.
    pub(super) fn leader(&self) -> &'static str {
        let leads = |endpoint: &String| {
            let status = self.etcdctl(&["--endpoints", endpoint, "endpoint", "status", "--write-out=fields"]);
            let field = |name: &str| {
                let rows =
                    status.as_deref()?.lines().find_map(|row| row.strip_prefix(&format!("\"{name}\" : ")));
                rows.map(str::to_owned)
            };
            field("Leader").is_some_and(|leader| leader != "0" && Some(leader) == field("MemberID"))
        };
        let mut found = None;
        until("a member leads", || {
            found = self.endpoints().iter().position(leads);
            found.is_some()
        });
        MEMBERS[found.unwrap()]
    }

    fn await_leader(&self) {
        self.leader();
    }

    /// Everything that the store holds now.
    pub(super) fn backup(&self) -> PathBuf {
        let file = self.directory.path().join("backup.db");
        let endpoint = &self.endpoints()[0];
        self.etcdctl(&["--endpoints", endpoint, "snapshot", "save", file.to_str().unwrap()]).unwrap();
        file
    }

    /// Kills every member and starts them on a backup.
    pub(super) fn restore(&mut self, backup: &std::path::Path) {
        MEMBERS.into_iter().for_each(|name| self.kill(name));
        self.life += 1;
        for (number, name) in (1..).zip(MEMBERS) {
            let (data, peer) = (self.data(name), format!("http://10.9.0.{number}:2380"));
            let arguments = ["snapshot", "restore", backup.to_str().unwrap(), "--name", name];
            let (data, cluster) = (data.to_str().unwrap(), initial_cluster());
            let more =
                ["--data-dir", data, "--initial-cluster", &cluster, "--initial-advertise-peer-urls", &peer];
            self.etcdctl(&[&arguments[..], &more[..]].concat()).expect("the backup is restored");
        }
        MEMBERS.into_iter().for_each(|name| self.revive(name));
        self.await_leader();
    }
}

fn initial_cluster() -> String {
    let member = |(number, name): (usize, &str)| format!("{name}=http://10.9.0.{number}:2380");
    (1..).zip(MEMBERS).map(member).collect::<Vec<_>>().join(",")
}

fn run_in(namespace: &Namespace, program: &str, arguments: &[&str]) {
    let mut command = Command::new(program);
    command.args(arguments);
    start_in(&mut command, Namespaces::new([namespace.as_fd().try_clone_to_owned().unwrap()]));
    assert!(command.status().unwrap().success(), "{program} {arguments:?}");
}

//! A host in a network namespace of its own, with a directory for the files of what runs on it.
//!
//! Nothing outlives a run that is killed: the namespaces have no names, so they end with their last process, and every
//! process ends with the thread that started it.

use linux::link::{End, LinkIndex};
use linux::process::{Namespaces, ProcessSignal, die_with_parent, send_group_signal, start_in};
use linux::{Namespace, address, link};
use std::fs;
use std::net::{Ipv4Addr, Ipv6Addr};
use std::os::fd::AsFd;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// How long a condition may take: the machine may be busy, and nothing here is timed.
const PATIENCE: Duration = Duration::from_secs(45);

/// Waits until something holds; panics with the sentence of the wait otherwise.
pub(crate) fn until(what: &str, holds: impl FnMut() -> bool) {
    assert!(comes_true(holds), "after {PATIENCE:?} still not so: {what}");
}

/// Waits until something holds, and answers whether it came to hold.
pub(crate) fn comes_true(mut holds: impl FnMut() -> bool) -> bool {
    let started = Instant::now();
    while !holds() {
        if started.elapsed() > PATIENCE {
            return false;
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    true
}

/// The addresses of one end of a cable.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Addresses {
    pub(crate) ipv4: Ipv4Addr,
    pub(crate) ipv6: Ipv6Addr,
}

/// A machine.
pub(crate) struct Host {
    pub(crate) namespace: Namespace,
    directory: tempfile::TempDir,
}

impl Host {
    pub(crate) fn new() -> Self {
        let namespace = Namespace::new().unwrap();
        link::set_up(&mut namespace.netlink().unwrap(), LinkIndex::LOOPBACK).unwrap();
        let directory = tempfile::tempdir().unwrap();
        // Routers drop their privileges and still read their files.
        let everybody = std::os::unix::fs::PermissionsExt::from_mode(0o755);
        fs::set_permissions(directory.path(), everybody).unwrap();
        Host { namespace, directory }
    }

    /// A path in the host's directory.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    /// Writes a file; `DIR` in the text stands for the host's directory.
    pub(crate) fn write(&self, name: &str, text: &str) -> PathBuf {
        let path = self.path(name);
        fs::write(&path, text.replace("DIR", self.directory.path().to_str().unwrap())).unwrap();
        path
    }

    /// Starts a program on the host; `DIR` in an argument stands for the host's directory. What it prints is kept in
    /// a file named after it.
    pub(crate) fn start(&self, program: impl AsRef<Path>, arguments: &[&str]) -> Program {
        let program = program.as_ref();
        let output = self.path(&format!("{}.out", program.file_name().unwrap().to_str().unwrap()));
        let output = fs::File::options().create(true).append(true).open(output).unwrap();
        let mut command = self.command(program, arguments);
        command.stdin(Stdio::null()).stdout(output.try_clone().unwrap()).stderr(output).process_group(0);
        die_with_parent(&mut command);
        Program(command.spawn().unwrap_or_else(|error| panic!("cannot start {}: {error}", program.display())))
    }

    /// Runs a program on the host to its end and answers everything that it printed.
    pub(crate) fn ask(&self, program: &str, arguments: &[&str]) -> String {
        let output = self.command(Path::new(program), arguments).stdin(Stdio::null()).output().unwrap();
        String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned()
    }

    fn command(&self, program: &Path, arguments: &[&str]) -> Command {
        let directory = self.directory.path().to_str().unwrap();
        let mut command = Command::new(program);
        command.args(arguments.iter().map(|argument| argument.replace("DIR", directory)));
        let inside = self.namespace.as_fd().try_clone_to_owned().unwrap();
        start_in(&mut command, Namespaces::new([inside]));
        command
    }
}

/// Lays a cable between two hosts and puts addresses on its ends.
pub(crate) fn join(ends: [(&Host, &str, Addresses); 2]) {
    let [(near, near_name, _), (far, far_name, _)] = ends;
    let here = End { namespace: &near.namespace, name: near_name };
    let there = End { namespace: &far.namespace, name: far_name };
    link::create_veth(&mut near.namespace.netlink().unwrap(), here, there).unwrap();
    for (host, name, addresses) in ends {
        let mut netlink = host.namespace.netlink().unwrap();
        let cable = link::index(&mut netlink, name).unwrap();
        link::set_up(&mut netlink, cable).unwrap();
        for text in [format!("{}/24", addresses.ipv4), format!("{}/64", addresses.ipv6)] {
            address::add(&mut netlink, cable, text.parse().unwrap()).unwrap();
        }
    }
}

/// A running program; killed with everything that it started when it is dropped.
pub(crate) struct Program(Child);

impl Drop for Program {
    fn drop(&mut self) {
        self.signal(ProcessSignal::SIGKILL);
        let _ = self.0.wait();
    }
}

impl Program {
    /// A signal to the program and all that it started.
    pub(crate) fn signal(&self, signal: ProcessSignal) {
        let _ = send_group_signal(self.0.id(), signal);
    }

    /// The memory that the program itself holds, in KiB.
    pub(crate) fn memory(&self) -> u64 {
        let status = fs::read_to_string(format!("/proc/{}/status", self.0.id())).unwrap();
        let row = status.lines().find_map(|row| row.strip_prefix("VmRSS:")).unwrap();
        row.trim().trim_end_matches(" kB").parse().unwrap()
    }

    /// How many descriptors the program has open.
    pub(crate) fn descriptors(&self) -> usize {
        fs::read_dir(format!("/proc/{}/fd", self.0.id())).unwrap().count()
    }

    /// Whether the program is over.
    pub(crate) fn has_ended(&mut self) -> bool {
        self.0.try_wait().unwrap().is_some()
    }
}

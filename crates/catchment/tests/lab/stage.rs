//! A running lab, who started it, and what it could leave behind.

use std::collections::BTreeSet;
use std::fs;
use std::io::{BufRead, BufReader};
use std::os::unix::fs::{PermissionsExt, chown};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStderr, Command, Output, Stdio};
use std::thread;
use std::time::{Duration, Instant};
use tempfile::TempDir;

pub(crate) const PROGRAM: &str = env!("CARGO_BIN_EXE_catchment");
/// Long enough for a busy machine; nothing is asserted about how long things take.
const PATIENCE: Duration = Duration::from_secs(60);
const NOBODY: u32 = 65534;

/// Who runs the program.
pub(crate) enum Caller {
    Root,
    /// A user without privileges, who has a copy of the program within reach, and a runtime directory.
    Nobody(TempDir),
}

impl Caller {
    pub(crate) fn nobody() -> Self {
        let place = TempDir::new().unwrap();
        fs::set_permissions(place.path(), PermissionsExt::from_mode(0o755)).unwrap();
        fs::copy(PROGRAM, place.path().join("catchment")).unwrap();
        fs::create_dir(place.path().join("run")).unwrap();
        chown(place.path().join("run"), Some(NOBODY), Some(NOBODY)).unwrap();
        Caller::Nobody(place)
    }

    /// The program, as this caller starts it.
    pub(crate) fn command(&self) -> Command {
        match self {
            Caller::Root => Command::new(PROGRAM),
            Caller::Nobody(place) => {
                let mut command = Command::new("setpriv");
                command.args(["--reuid", "65534", "--regid", "65534", "--clear-groups"]);
                command.arg(place.path().join("catchment")).env("XDG_RUNTIME_DIR", place.path().join("run"));
                command
            }
        }
    }

    /// Where the sockets of this caller's labs are.
    fn runtime(&self) -> PathBuf {
        match self {
            Caller::Root => PathBuf::from("/run/catchment"),
            Caller::Nobody(place) => place.path().join("run/catchment"),
        }
    }
}

/// A running `catchment lab up`.
pub(crate) struct Lab<'c> {
    caller: &'c Caller,
    name: &'static str,
    pub(crate) process: Child,
    said: BufReader<ChildStderr>,
}

impl<'c> Lab<'c> {
    pub(crate) fn up(caller: &'c Caller, name: &'static str, world: &Path, more: &[&str]) -> Self {
        let mut command = caller.command();
        command.args(["lab", "up", "--name", name, "--listen", "127.0.0.1:0"]).args(more).arg(world);
        let mut process = command.stderr(Stdio::piped()).spawn().unwrap();
        let said = BufReader::new(process.stderr.take().unwrap());
        Lab { caller, name, process, said }
    }

    /// Reads what it says until a line has these words.
    pub(crate) fn wait_for(&mut self, words: &str) -> String {
        let mut all = String::new();
        while self.said.read_line(&mut all).unwrap() > 0 {
            if let Some(line) = all.lines().find(|line| line.contains(words)) {
                return line.to_owned();
            }
        }
        panic!("it never said {words:?}:\n{all}");
    }

    pub(crate) fn lab(&self, command: &str, arguments: &[&str]) -> Output {
        self.command(command, arguments).output().unwrap()
    }

    /// A command of this lab, to be started.
    pub(crate) fn command(&self, command: &str, arguments: &[&str]) -> Command {
        let mut process = self.caller.command();
        process.args(["lab", command, "--name", self.name]).args(arguments);
        process
    }

    pub(crate) fn exec(&self, node: &str, command: &[&str]) -> String {
        let output = self.lab("exec", &[&[node, "--"], command].concat());
        String::from_utf8(output.stdout).unwrap().trim().to_owned()
    }

    /// The lab and everything that descends from it, by number and start time.
    pub(crate) fn family(&self) -> BTreeSet<(u32, String)> {
        family_of(self.process.id())
    }
}

impl Drop for Lab<'_> {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// A process and everything that descends from it, by number and start time.
pub(crate) fn family_of(process: u32) -> BTreeSet<(u32, String)> {
    let all = processes();
    let mut family = BTreeSet::from([process]);
    while let Some((child, ..)) =
        all.iter().find(|(process, parent, _)| family.contains(parent) && !family.contains(process))
    {
        family.insert(*child);
    }
    all.into_iter()
        .filter(|(process, ..)| family.contains(process))
        .map(|(process, _, start)| (process, start))
        .collect()
}

/// Number, parent and start time of every process (proc_pid_stat(5)).
fn processes() -> Vec<(u32, u32, String)> {
    let read = |number: u32| {
        let stat = fs::read_to_string(format!("/proc/{number}/stat")).ok()?;
        // The second field is a name in brackets, which may contain anything.
        let fields: Vec<&str> = stat.rsplit_once(')')?.1.split_whitespace().collect();
        Some((number, fields.get(1)?.parse().ok()?, (*fields.get(19)?).to_owned()))
    };
    numbers().filter_map(read).collect()
}

/// The numbers of all processes.
pub(crate) fn numbers() -> impl Iterator<Item = u32> {
    fs::read_dir("/proc").unwrap().flatten().filter_map(|entry| entry.file_name().to_str()?.parse().ok())
}

/// What a lab could leave behind on this machine, apart from processes.
#[derive(Debug, PartialEq)]
pub(crate) struct Traces {
    pub(crate) links: String,
    pub(crate) mounts: String,
    pub(crate) files: Vec<String>,
}

impl Traces {
    /// Of this caller's labs whose names begin so.
    pub(crate) fn of(caller: &Caller, name: &str) -> Self {
        let links = Command::new("ip").args(["-o", "link"]).output().unwrap();
        let links = String::from_utf8(links.stdout).unwrap();
        let links = links.lines().filter_map(|line| line.split(':').nth(1)).collect::<Vec<_>>().join(",");
        let mounts = fs::read_to_string("/proc/self/mounts").unwrap();
        let sockets = fs::read_dir(caller.runtime()).into_iter().flatten().flatten();
        let sockets = sockets.map(|entry| entry.file_name().to_string_lossy().into_owned());
        let named = Command::new("ip").args(["netns", "list"]).output().unwrap().stdout;
        let files =
            sockets.filter(|file| file.contains(name)).chain([String::from_utf8(named).unwrap()]).collect();
        Traces { links, mounts, files }
    }
}

pub(crate) fn wait_until(what: &str, mut holds: impl FnMut() -> bool) {
    let begun = Instant::now();
    while !holds() {
        assert!(begun.elapsed() < PATIENCE, "still not: {what}");
        thread::sleep(Duration::from_millis(50));
    }
}

pub(crate) fn all_gone(family: &BTreeSet<(u32, String)>) -> bool {
    !processes().into_iter().any(|(process, _, start)| family.contains(&(process, start)))
}

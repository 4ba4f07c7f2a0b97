//! Processes of the world: started inside a node, watched, reaped.
//!
//! The lab is process 1 of its PID namespace, so every orphan ends here. One thread reaps them all. A number is never
//! signalled after it was reaped: reaping waits for signals and starts that are under way, and they for it.

use crate::running::lock;
use linux::process::{self, Namespaces, ProcessSignal};
use linux::{Error, Namespace, Result};
use nix::errno::Errno;
use nix::sys::wait::{Id, WaitPidFlag, WaitStatus, waitid};
use rustix::process::{Pid, Resource, Rlimit, prlimit};
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::{self, Read};
use std::os::fd::AsFd;
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, RwLock};
use std::thread;
use std::time::Duration;

/// A process that the lab started.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct ProcessId(u32);

/// Every process that the lab started and that still lives.
#[derive(Debug, Default)]
pub(crate) struct Processes {
    alive: Mutex<BTreeSet<ProcessId>>,
    gone: Condvar,
    /// Exit codes of the processes that somebody waits for; none while they live.
    codes: Mutex<BTreeMap<ProcessId, Option<i32>>>,
    /// Read while a process is started or signalled, written while one is reaped.
    reaping: RwLock<()>,
}

impl Processes {
    /// Nobody yet, and a thread that reaps for as long as this process lives.
    pub(crate) fn reaped_forever() -> Result<Arc<Self>> {
        let processes = Arc::new(Processes::default());
        let reaper = Arc::clone(&processes);
        let thread = thread::Builder::new().name("reaper".into());
        thread.spawn(move || reaper.reap()).map_err(|error| Error::new("start the reaper", error))?;
        Ok(processes)
    }

    /// Starts a command inside a node, as the leader of a process group of its own. `package` says where the program
    /// comes from, should it be missing.
    pub(crate) fn start(
        &self,
        namespace: &Namespace,
        command: &mut Command,
        package: &str,
    ) -> Result<ProcessId> {
        self.spawn(namespace, command, package, |_| {}).map(|(id, _)| id)
    }

    /// Runs a command inside a node until it ends; everything that it prints, and its exit code, none if a signal
    /// ended it.
    pub(crate) fn run(
        &self,
        namespace: &Namespace,
        command: &mut Command,
        package: &str,
    ) -> Result<(String, Option<i32>)> {
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let wait_for = |id| {
            lock(&self.codes).insert(id, None);
        };
        let (id, child) = self.spawn(namespace, command, package, wait_for)?;
        let mut said = String::new();
        let streams: [Option<Box<dyn Read>>; 2] = [
            child.stderr.map(|stream| Box::new(stream) as _),
            child.stdout.map(|stream| Box::new(stream) as _),
        ];
        for mut stream in streams.into_iter().flatten() {
            stream
                .read_to_string(&mut said)
                .map_err(|error| Error::new("read what a command says", error))?;
        }
        self.wait_gone(id, Duration::MAX);
        Ok((said, lock(&self.codes).remove(&id).flatten()))
    }

    /// `started` is told before the process can have been reaped.
    fn spawn(
        &self,
        namespace: &Namespace,
        command: &mut Command,
        package: &str,
        started: impl FnOnce(ProcessId),
    ) -> Result<(ProcessId, Child)> {
        let what = format!("start {} ({package})", command.get_program().display());
        let inside = namespace.as_fd().try_clone_to_owned().map_err(|error| Error::new(&what, error))?;
        process::start_in(command, Namespaces::new([inside]));
        command.process_group(0);
        let _starting = self.reaping.read().unwrap_or_else(PoisonError::into_inner);
        let child = command.spawn().map_err(|error| Error::new(&what, error))?;
        let id = ProcessId(child.id());
        started(id);
        self.alive().insert(id);
        Ok((id, child))
    }

    /// Sends a signal to it and to everything that it started; one that is gone does not mind.
    pub(crate) fn signal(&self, process: ProcessId, signal: ProcessSignal) -> Result<()> {
        let _signalling = self.reaping.read().unwrap_or_else(PoisonError::into_inner);
        if self.is_alive(process) { process::send_group_signal(process.0, signal) } else { Ok(()) }
    }

    /// Lets it open no more files and sockets, or again as many as its hard limit allows. What is open stays open; one
    /// that is gone does not mind.
    pub(crate) fn starve(&self, process: ProcessId, starve: bool) -> Result<()> {
        let _limiting = self.reaping.read().unwrap_or_else(PoisonError::into_inner);
        let id = i32::try_from(process.0).ok().filter(|_| self.is_alive(process)).and_then(Pid::from_raw);
        let Some(id) = id else { return Ok(()) };
        let limit = || {
            let limits = fs::read_to_string(format!("/proc/{}/limits", process.0))?;
            let hard = hard_limit_of_files(&limits).ok_or(io::ErrorKind::InvalidData)?;
            let soft = if starve { 0 } else { hard };
            let limit = Rlimit { current: Some(soft), maximum: Some(hard) };
            Ok(prlimit(Some(id), Resource::Nofile, limit).map(drop)?)
        };
        limit().map_err(|error: io::Error| Error::new("limit the descriptors of a daemon", error))
    }

    /// Whether it still lives.
    pub(crate) fn is_alive(&self, process: ProcessId) -> bool {
        self.alive().contains(&process)
    }

    /// Waits until it is gone; false if it still lives after `patience`.
    pub(crate) fn wait_gone(&self, process: ProcessId, patience: Duration) -> bool {
        let lives = |alive: &mut BTreeSet<ProcessId>| alive.contains(&process);
        let waited = self.gone.wait_timeout_while(self.alive(), patience, lives);
        !waited.unwrap_or_else(PoisonError::into_inner).0.contains(&process)
    }

    fn reap(&self) {
        /// How long the reaper waits while there are no children at all.
        const NOBODY: Duration = Duration::from_millis(20);
        loop {
            // Only looks: the number stays taken until nobody can be about to signal it.
            match waitid(Id::All, WaitPidFlag::WEXITED | WaitPidFlag::WNOWAIT) {
                Ok(status) => self.reap_one(&status),
                Err(Errno::EINTR) => {}
                Err(_) => thread::sleep(NOBODY),
            }
        }
    }

    fn reap_one(&self, status: &WaitStatus) {
        let Some(pid) = status.pid() else { return };
        let _reaping = self.reaping.write().unwrap_or_else(PoisonError::into_inner);
        let _ = waitid(Id::Pid(pid), WaitPidFlag::WEXITED | WaitPidFlag::WNOHANG);
        let id = ProcessId(pid.as_raw().unsigned_abs());
        if let (WaitStatus::Exited(_, code), Some(slot)) = (status, lock(&self.codes).get_mut(&id)) {
            *slot = Some(*code);
        }
        if self.alive().remove(&id) {
            self.gone.notify_all();
        }
    }

    fn alive(&self) -> MutexGuard<'_, BTreeSet<ProcessId>> {
        lock(&self.alive)
    }
}

/// The hard limit of open files in `/proc/PID/limits` (proc_pid_limits(5)).
fn hard_limit_of_files(limits: &str) -> Option<u64> {
    let row = limits.lines().find_map(|line| line.strip_prefix("Max open files"))?;
    row.split_whitespace().nth(1)?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_hard_limit_is_the_second_number() {
        let limits = "Limit                     Soft Limit           Hard Limit           Units     \n\
                      Max resident set          unlimited            unlimited            bytes     \n\
                      Max open files            1024                 524288               files     \n";
        assert_eq!(hard_limit_of_files(limits), Some(524_288));
        assert_eq!(hard_limit_of_files("Max open files            1024"), None);
    }
}

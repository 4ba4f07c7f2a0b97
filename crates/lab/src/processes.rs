//! Processes of the world: started inside a node, watched, reaped.
//!
//! The lab is process 1 of its PID namespace, so every orphan ends here. One thread reaps them all. A number is never
//! signalled after it was reaped: reaping waits for signals and starts that are under way, and they for it.

use linux::process::{self, Namespaces, ProcessSignal};
use linux::{Error, Namespace, Result};
use nix::errno::Errno;
use nix::sys::wait::{Id, WaitPidFlag, WaitStatus, waitid};
use std::collections::BTreeSet;
use std::os::fd::AsFd;
use std::os::unix::process::CommandExt;
use std::process::Command;
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
        let what = format!("start {} ({package})", command.get_program().display());
        let inside = namespace.as_fd().try_clone_to_owned().map_err(|error| Error::new(&what, error))?;
        process::start_in(command, Namespaces::new([inside]));
        command.process_group(0);
        let _starting = self.reaping.read().unwrap_or_else(PoisonError::into_inner);
        let child = command.spawn().map_err(|error| Error::new(&what, error))?;
        let id = ProcessId(child.id());
        self.alive().insert(id);
        Ok(id)
    }

    /// Sends a signal to it and to everything that it started; one that is gone does not mind.
    pub(crate) fn signal(&self, process: ProcessId, signal: ProcessSignal) -> Result<()> {
        let _signalling = self.reaping.read().unwrap_or_else(PoisonError::into_inner);
        if self.is_alive(process) { process::send_group_signal(process.0, signal) } else { Ok(()) }
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
        if self.alive().remove(&ProcessId(pid.as_raw().unsigned_abs())) {
            self.gone.notify_all();
        }
    }

    fn alive(&self) -> MutexGuard<'_, BTreeSet<ProcessId>> {
        self.alive.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

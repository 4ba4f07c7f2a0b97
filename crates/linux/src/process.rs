//! Processes: in which namespaces they start, and with whom they die.

use crate::error::Attempt;
use crate::{Error, Result};
use nix::sched::{CloneFlags, setns, unshare};
use nix::sys::prctl;
use nix::sys::signal::{self, SigSet, Signal};
use nix::unistd::{Pid, chdir};
use std::ffi::CString;
use std::fs::File;
use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Command};
use std::sync::Arc;

/// The namespaces of a running process, as descriptors that can be entered or passed on.
#[derive(Clone, Debug)]
pub struct Namespaces {
    descriptors: Arc<[OwnedFd]>,
}

impl Namespaces {
    /// Those to enter, in this order. A PID namespace counts for children of the process that enters it.
    pub fn new(descriptors: impl IntoIterator<Item = OwnedFd>) -> Self {
        Namespaces { descriptors: descriptors.into_iter().collect() }
    }

    /// The user, PID and mount namespaces of the calling process.
    pub fn of_this_process() -> Result<[OwnedFd; 3]> {
        let open = |kind: &str| {
            let path = format!("/proc/self/ns/{kind}");
            File::open(&path).map(OwnedFd::from).attempt(|| format!("open {path}"))
        };
        Ok([open("user")?, open("pid")?, open("mnt")?])
    }
}

/// Starts the command inside these namespaces: they are entered after the fork, in the child alone. Signals that the
/// calling thread blocks are not blocked there.
pub fn start_in(command: &mut Command, namespaces: Namespaces) {
    // SAFETY: between fork and exec the closure makes system calls only: no allocation, no lock.
    unsafe {
        command.pre_exec(move || {
            for descriptor in namespaces.descriptors.iter() {
                setns(descriptor, CloneFlags::empty())?;
            }
            Ok(SigSet::empty().thread_set_mask()?)
        });
    }
}

/// Starts the command in this directory, if it is there, after it has entered its namespaces. (A process that enters a
/// mount namespace finds itself at its root.)
pub fn start_at(command: &mut Command, directory: &Path) -> Result<()> {
    let path = CString::new(directory.as_os_str().as_bytes())
        .attempt(|| format!("start in {}", directory.display()))?;
    // SAFETY: between fork and exec the closure makes a system call only: no allocation, no lock.
    unsafe {
        command.pre_exec(move || {
            let _ = chdir(path.as_c_str());
            Ok(())
        });
    }
    Ok(())
}

/// Moves the calling thread into the PID namespace for its children: the next process that it starts lives there.
pub fn enter_pid_namespace_for_children(descriptor: &OwnedFd) -> Result<()> {
    setns(descriptor, CloneFlags::CLONE_NEWPID).attempt(|| "enter a PID namespace")
}

/// Kills the command when the *thread* that starts it ends, however it ends: start it from one that lives long.
pub fn die_with_parent(command: &mut Command) {
    signal_when_parent_ends(command, Signal::SIGKILL);
}

fn signal_when_parent_ends(command: &mut Command, signal: Signal) {
    // SAFETY: between fork and exec the closure makes a system call only: no allocation, no lock.
    unsafe {
        command.pre_exec(move || Ok(prctl::set_pdeathsig(signal)?));
    }
}

/// Signals that wait to be taken by [`HeldSignals::next`] instead of doing what they do.
#[derive(Debug)]
pub struct HeldSignals(SigSet);

impl HeldSignals {
    /// Holds these signals back in the calling thread and in those that it starts. Do it before any other thread runs.
    pub fn hold(signals: &[Signal]) -> Result<Self> {
        let set: SigSet = signals.iter().copied().collect();
        set.thread_block().attempt(|| "hold signals back")?;
        Ok(HeldSignals(set))
    }

    /// Waits for the next one.
    pub fn next(&self) -> Result<Signal> {
        self.0.wait().attempt(|| "wait for a signal")
    }
}

/// Starts the command as process 1 of new PID, mount and network namespaces. When it ends, the kernel kills everything
/// that it started and removes everything that it made. It gets `farewell` when the calling *thread* ends: SIGKILL, or
/// SIGCONT where it notices by other means and only has to be awake for that.
///
/// The calling thread can do this once, and cannot start threads afterwards: its children belong to the new PID
/// namespace, and a thread must be in the same as its process.
pub fn spawn_as_init(command: &mut Command, farewell: Signal) -> Result<Child> {
    signal_when_parent_ends(command, farewell);
    // SAFETY: between fork and exec the closure makes a system call only: no allocation, no lock.
    unsafe {
        command.pre_exec(|| {
            unshare(CloneFlags::CLONE_NEWNS | CloneFlags::CLONE_NEWNET)?;
            Ok(SigSet::empty().thread_set_mask()?)
        });
    }
    unshare(CloneFlags::CLONE_NEWPID).attempt(|| "create a PID namespace")?;
    command.spawn().attempt(|| format!("start {:?} in namespaces of its own", command.get_program()))
}

/// Asks a process to do what a signal means, such as SIGTERM. A process that is gone is no error.
pub fn send_signal(process: u32, signal: Signal) -> Result<()> {
    send(process, signal, |id| signal::kill(id, signal))
}

/// Asks the leader of a process group and everybody in the group to do what a signal means.
pub fn send_group_signal(leader: u32, signal: Signal) -> Result<()> {
    send(leader, signal, |id| signal::killpg(id, signal))
}

fn send(process: u32, signal: Signal, send: impl FnOnce(Pid) -> nix::Result<()>) -> Result<()> {
    let process_id = i32::try_from(process).ok().filter(|&id| id > 0);
    let Some(process_id) = process_id else {
        let source = io::Error::from(io::ErrorKind::InvalidInput);
        return Err(Error::new(format!("send {signal} to process {process}"), source));
    };
    match send(Pid::from_raw(process_id)) {
        Err(nix::errno::Errno::ESRCH) => Ok(()),
        result => result.attempt(|| format!("send {signal} to process {process}")),
    }
}

pub use nix::sys::signal::Signal as ProcessSignal;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Namespace;
    use std::os::fd::AsFd;
    use std::process::Stdio;

    /// Runs a shell as process 1 on a thread of its own, as documented, and returns what it printed.
    fn run_as_init(script: &str) -> String {
        std::thread::scope(|scope| {
            let thread = scope.spawn(|| {
                let mut command = Command::new("sh");
                command.args(["-c", script]).stdout(Stdio::piped());
                let output =
                    spawn_as_init(&mut command, Signal::SIGKILL).unwrap().wait_with_output().unwrap();
                String::from_utf8(output.stdout).unwrap()
            });
            thread.join().unwrap()
        })
    }

    #[test]
    fn process_1_has_a_network_of_its_own() {
        let text = run_as_init(
            "echo $$; mount -t proc proc /proc; tail -n +3 /proc/net/dev | cut -d: -f1; ls -d /proc/[0-9]*",
        );
        let words: Vec<&str> = text.split_whitespace().collect();
        assert_eq!(words[..3], ["1", "lo", "/proc/1"]);
        assert!(std::path::Path::new("/proc/self/mounts").exists(), "the mount stayed inside");
    }

    #[test]
    fn everything_dies_with_the_thread_that_started_process_1() {
        let (reader, writer) = std::io::pipe().unwrap();
        std::thread::scope(|scope| {
            scope.spawn(|| {
                let mut command = Command::new("sh");
                command.args(["-c", "sleep 1000 & sleep 1000"]).stdout(writer);
                drop(spawn_as_init(&mut command, Signal::SIGKILL).unwrap());
            });
        });
        // The pipe ends only when both sleepers are gone.
        assert_eq!(std::io::read_to_string(reader).unwrap(), "");
    }

    #[test]
    fn a_command_starts_inside() {
        let namespace = Namespace::new().unwrap();
        let inside = namespace.as_fd().try_clone_to_owned().unwrap();
        let mut command = Command::new("cat");
        command.arg("/proc/self/net/dev");
        start_in(&mut command, Namespaces::new([inside]));
        let output = command.output().unwrap();
        assert_eq!(String::from_utf8(output.stdout).unwrap().lines().count(), 3);
    }

    #[test]
    fn a_signal_to_nobody_is_no_error_and_to_everybody_is_impossible() {
        let mut child = Command::new("sleep").arg("1000").spawn().unwrap();
        send_signal(child.id(), Signal::SIGTERM).unwrap();
        assert!(!child.wait().unwrap().success());
        send_signal(child.id(), Signal::SIGTERM).unwrap();
        assert!(send_signal(0, Signal::SIGTERM).is_err());
        assert!(send_signal(u32::MAX, Signal::SIGTERM).is_err());
    }
}

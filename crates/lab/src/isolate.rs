//! A process of the lab's own world: process 1 of new PID, mount and network namespaces.
//!
//! ```text
//!  catchment lab up ......... holds the namespaces' only way out: the leash
//!   |  socket pair = stdin of the child: first the mission and the listeners, then nothing; its end means "stop"
//!  catchment lab init ....... process 1: everything that it starts and makes dies with it
//! ```
//! The parent only waits. SIGINT and SIGTERM end the leash, and so does the parent's own end, however it comes: process 1
//! then stops the world in order, which is quicker than having the kernel take it apart, and with process 1 goes
//! everything else. Nothing has a name outside, so nothing can stay behind.

use crate::rootless;
use linux::process::{HeldSignals, ProcessSignal, spawn_as_init};
use linux::{Error, mount, pass};
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::ffi::OsStr;
use std::io::{self, Read, Write};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::Arc;
use std::thread;
use std::time::Duration;

/// Where process 1 has a file system of its own. What the host has there is hidden inside.
pub const PRIVATE: &str = "/run";
/// Size of that file system, MiB: logs and configurations of some hundred routers, and the log of a fleet store, which
/// takes 64 MiB in advance for each of its files.
const PRIVATE_MIB: u32 = 512;

/// Signals that the part that waits takes in order: to be held before other threads run.
pub fn hold_signals() -> linux::Result<HeldSignals> {
    HeldSignals::hold(&[ProcessSignal::SIGINT, ProcessSignal::SIGTERM, ProcessSignal::SIGCHLD])
}

/// Starts this very program again as process 1 of a world, with these arguments, and waits until it ends. The
/// descriptors come out of [`begin`] in the same order; what the world says goes to `said`. To be called once in a
/// thread, which must not start threads afterwards; and before other threads run, because of the signals, unless those
/// are held already.
pub fn run(
    arguments: &[impl AsRef<OsStr>],
    mission: &impl Serialize,
    descriptors: &[BorrowedFd<'_>],
    said: Stdio,
) -> linux::Result<ExitStatus> {
    let signals = hold_signals()?;
    let (leash, theirs) = UnixStream::pair().map_err(|error| Error::new("make a socket pair", error))?;
    let mut command = Command::new("/proc/self/exe");
    command.arg0("catchment").args(arguments).stdin(OwnedFd::from(theirs)).stderr(said).process_group(0);
    command.env("PATH", rootless::search_path());
    // A world that somebody has stopped would not hear that its leash has ended.
    let mut child = spawn_as_init(&mut command, ProcessSignal::SIGCONT)?;
    drop(command); // and with it the parent's copy of the child's stdin
    let text = serde_json::to_vec(mission).map_err(|error| Error::new("write down the mission", error))?;
    hand_over(&leash, &text, descriptors)?;
    let mut leash = Some(leash);
    loop {
        if let Some(status) = ended(&mut child)? {
            return Ok(status);
        }
        match signals.next()? {
            ProcessSignal::SIGCHLD => {}
            _ => leash = None,
        }
        if leash.is_none() {
            return child.wait().map_err(|error| Error::new("wait for the world", error));
        }
    }
}

fn ended(child: &mut Child) -> linux::Result<Option<ExitStatus>> {
    child.try_wait().map_err(|error| Error::new("look after the world", error))
}

/// The mission's length and the descriptors in one message, then the mission, which may be long.
fn hand_over(mut leash: &UnixStream, text: &[u8], descriptors: &[BorrowedFd<'_>]) -> linux::Result<()> {
    pass::send(leash, &(text.len() as u64).to_be_bytes(), descriptors)?;
    leash.write_all(text).map_err(|error| Error::new("hand over the mission", error))
}

/// What process 1 was given.
pub struct Begun<M> {
    /// What to do.
    pub mission: M,
    /// The descriptors that the parent handed over.
    pub descriptors: Vec<OwnedFd>,
    /// Ends when the world is to stop.
    pub leash: Leash,
}

/// The tie to the parent.
#[derive(Clone, Debug)]
pub struct Leash(Arc<UnixStream>);

impl Leash {
    /// Waits until the parent wants the world to stop, or is gone.
    pub fn wait_end(&self) {
        // Nothing is ever sent; an error is an end, too.
        let _ = (&*self.0).read(&mut [0]);
    }
}

/// How long a world may take to stop in order.
const LONGEST_STOP: Duration = Duration::from_secs(10);

/// Longest mission, bytes: a world file, and what is to be done in it.
const LONGEST_MISSION: u64 = 4 << 20;

/// To be called first in process 1: makes its mounts private and takes the mission over.
pub fn begin<M: DeserializeOwned>() -> linux::Result<Begun<M>> {
    if std::process::id() != 1 {
        let reason = io::Error::other("this is an inner part of `catchment lab up`, which starts it");
        return Err(Error::new("begin a world", reason));
    }
    mount::make_private()?;
    mount::tmpfs(Path::new(PRIVATE), PRIVATE_MIB)?;
    mount::proc(Path::new("/proc")).map_err(rootless::no_process_table)?;
    let stdin = io::stdin().as_fd().try_clone_to_owned();
    let mut leash = UnixStream::from(stdin.map_err(|error| Error::new("find the leash", error))?);
    let mut head = [0; 8];
    let (_, descriptors) = pass::receive(&leash, &mut head)?;
    let length = u64::from_be_bytes(head);
    if length > LONGEST_MISSION {
        return Err(Error::new("read the mission", io::Error::other(format!("it has {length} bytes"))));
    }
    let mut text = vec![0; length as usize];
    leash.read_exact(&mut text).map_err(|error| Error::new("read the mission", error))?;
    let mission = serde_json::from_slice(&text).map_err(|error| Error::new("read the mission", error))?;
    let leash = Leash(Arc::new(leash));
    end_at_last(leash.clone())?;
    Ok(Begun { mission, descriptors, leash })
}

/// Ends this process should it not have stopped in order some time after it was told to.
fn end_at_last(leash: Leash) -> linux::Result<()> {
    let thread = thread::Builder::new().name("leash".into()).spawn(move || {
        leash.wait_end();
        thread::sleep(LONGEST_STOP);
        std::process::exit(1);
    });
    thread.map(drop).map_err(|error| Error::new("start the thread that holds the leash", error))
}

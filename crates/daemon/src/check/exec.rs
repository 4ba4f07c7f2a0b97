//! Runs a program.
//!
//! ```text
//!   Free ──started──> Taken ──ended, killed and reaped──────> Free
//!     ^                 └─────killed, but still dying───────> Left
//!     └──────────────reaped before the next run───────────────┘
//! ```
//! No shell is in between, the environment is empty but for a few variables that name the service, standard input is
//! empty, and what it prints is kept up to a bound and otherwise thrown away. The program leads a process group of its
//! own, and however a run ends, everything that is left of the group is killed while its leader, not yet reaped, still
//! holds the group's number. A program that even SIGKILL does not end at once (a dead file system) is never started a
//! second time beside itself.

use check::Finding;
use check::exec::{Exit, Output, judge};
use linux::process::{ProcessSignal, send_group_signal};
use rustix::io::retry_on_intr;
use rustix::process::{Pid, WaitId, WaitIdOptions, waitid};
use std::io;
use std::net::IpAddr;
use std::os::fd::OwnedFd;
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use terms::{Family, ServiceName, Verdict};
use tokio::io::AsyncReadExt;
use tokio::net::unix::pipe::Receiver;
use tokio::time::{Instant, timeout, timeout_at};

/// Where programs find other programs.
const PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
/// Octets that are read at once.
const PIECE: usize = 4096;
/// How long the rest of the output is read after the end.
const LAST_WORDS: Duration = Duration::from_millis(100);

#[derive(Debug)]
pub(crate) struct Asker {
    command: config::Command,
    environment: Vec<(&'static str, String)>,
    place: Arc<Mutex<Place>>,
}

/// Whether the program runs.
#[derive(Debug)]
enum Place {
    Free,
    Taken,
    /// It was killed, and its end was not seen yet.
    Left(Child),
}

impl Asker {
    pub(super) fn new(command: config::Command, service: &ServiceName, address: IpAddr) -> Self {
        let environment = vec![
            ("PATH", PATH.to_owned()),
            ("LANG", "C.UTF-8".to_owned()),
            ("CATCHMENT_SERVICE", service.to_string()),
            ("CATCHMENT_ADDRESS", address.to_string()),
            ("CATCHMENT_FAMILY", Family::of(address).to_string()),
        ];
        Asker { command, environment, place: Arc::new(Mutex::new(Place::Free)) }
    }

    /// One run, which is over at `give_up`.
    pub(super) async fn ask(&self, give_up: Instant) -> io::Result<Finding> {
        let mut output = Output::default();
        Ok(match timeout_at(give_up, self.run(&mut output)).await {
            Ok(Ok(finding)) => finding,
            Ok(Err(error)) => {
                let program = self.command.program.display();
                Verdict::indeterminate(format!("{program} could not run: {error}")).into()
            }
            Err(_) => Finding::new(Verdict::timeout("did not end in time, and was killed"), &output.text()),
        })
    }

    async fn run(&self, output: &mut Output) -> io::Result<Finding> {
        let Some(ticket) = Ticket::take(&self.place) else {
            return Ok(Verdict::timeout("the last run was killed and still does not end").into());
        };
        let (reader, writer) = io::pipe()?;
        let mut command = Command::new(&self.command.program);
        command
            .args(&self.command.arguments)
            .env_clear()
            .envs(self.environment.iter().map(|(name, value)| (name, value)))
            .current_dir("/")
            .stdin(Stdio::null())
            .stdout(writer.try_clone()?)
            .stderr(writer)
            .process_group(0);
        // Starting reads the program's file, which may hang. The command, and with it our end of the pipe, goes there.
        let starting = tokio::task::spawn_blocking(move || Running::start(command, ticket));
        let running = starting.await.map_err(io::Error::other)??;
        let mut printed = Receiver::from_owned_fd(OwnedFd::from(reader))?;
        let id = running.id()?;
        // Seen and not reaped: until its group is killed, the number must remain its own.
        let mut ended = tokio::task::spawn_blocking(move || {
            retry_on_intr(|| waitid(WaitId::Pid(id), WaitIdOptions::EXITED | WaitIdOptions::NOWAIT))
        });
        let mut piece = [0; PIECE];
        let mut is_open = true;
        loop {
            tokio::select! {
                biased;
                end = &mut ended => { end.map_err(io::Error::other)??; break }
                read = printed.read(&mut piece), if is_open => match read? {
                    0 => is_open = false,
                    octets => output.push(&piece[..octets]),
                },
            }
        }
        let status = running.end()?;
        // Everybody in the group is dead, so what is left in the pipe has an end; whoever left the group is not waited for.
        let rest = async {
            while is_open && let Ok(octets @ 1..) = printed.read(&mut piece).await {
                output.push(&piece[..octets]);
            }
        };
        let _ = timeout(LAST_WORDS, rest).await;
        let exit = match (status.code(), status.signal()) {
            (Some(code), _) => Exit::Status(code),
            (None, signal) => Exit::Signal(signal.unwrap_or_default()),
        };
        Ok(judge(exit, output))
    }
}

/// The right to run the program. Dropped, it makes place.
struct Ticket(Arc<Mutex<Place>>);

impl Ticket {
    /// None while the last run has not ended.
    fn take(place: &Arc<Mutex<Place>>) -> Option<Ticket> {
        let mut inside = place.lock().unwrap_or_else(PoisonError::into_inner);
        let is_free = match &mut *inside {
            Place::Free => true,
            Place::Taken => false,
            // A child that cannot be asked about is gone.
            Place::Left(child) => !matches!(child.try_wait(), Ok(None)),
        };
        is_free.then(|| {
            *inside = Place::Taken;
            Ticket(Arc::clone(place))
        })
    }

    fn leave(&self, place: Place) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = place;
    }
}

impl Drop for Ticket {
    fn drop(&mut self) {
        let mut place = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if matches!(*place, Place::Taken) {
            *place = Place::Free;
        }
    }
}

/// A program that was started. Dropped, it is killed with its whole group.
struct Running {
    /// None once it was reaped.
    child: Option<Child>,
    ticket: Ticket,
}

impl Running {
    fn start(mut command: Command, ticket: Ticket) -> io::Result<Running> {
        let child = command.spawn()?;
        Ok(Running { child: Some(child), ticket })
    }

    fn id(&self) -> io::Result<Pid> {
        let id = self.child.as_ref().map(Child::id).and_then(|id| i32::try_from(id).ok());
        Ok(id.and_then(Pid::from_raw).ok_or(io::ErrorKind::NotFound)?)
    }

    /// How it ended, once it has. What it started and left behind is killed.
    fn end(mut self) -> io::Result<ExitStatus> {
        let mut child = self.child.take().ok_or(io::ErrorKind::NotFound)?;
        kill_group(&child);
        child.wait()
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if let Some(mut child) = self.child.take() {
            kill_group(&child);
            if matches!(child.try_wait(), Ok(None)) {
                self.ticket.leave(Place::Left(child));
            }
        }
    }
}

/// Kills everybody in the group that the program leads. It must not have been reaped: until then the number is its.
fn kill_group(leader: &Child) {
    // Everybody may be gone already.
    let _ = send_group_signal(leader.id(), ProcessSignal::SIGKILL);
}

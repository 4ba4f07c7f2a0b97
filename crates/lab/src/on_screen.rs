//! `catchment lab up --tui`: the part that waits for the world shows it meanwhile.
//!
//! ```text
//!  world ─── control socket ─┬─ live ────> thread "live" ───┐
//!    │                       └─ command <─ thread "orders" ─┤
//!    ├─ standard error ──────────────────> thread "said" ───┼─> inputs ─> screen::show, in the first thread
//!    └─ its end ─────────────────────────> thread "world" ──┘                │
//!            ^──────────────────────────── SIGINT <── q ─────────────────────┘
//! ```
//! The world knows nothing of it: the stream is the page's own, and to leave is what Ctrl-C does. Whatever the screen
//! comes to, the terminal is given back first, then the world is waited for.

use crate::command::client;
use crate::isolate::{self, hold_signals};
use crate::mission::Mission;
use crate::runtime::Sockets;
use crate::up::{INIT_ARGUMENTS, UpError};
use api::client::ClientError;
use api::{Command, Done, Refusal, route};
use linux::Error;
use nix::sys::signal::{self, Signal};
use nix::unistd::Pid;
use screen::{Input, ScreenError, View, Wish};
use std::collections::VecDeque;
use std::io::{self, BufRead, BufReader, IsTerminal, PipeReader, Read};
use std::net::SocketAddr;
use std::os::fd::BorrowedFd;
use std::path::{Path, PathBuf};
use std::process::{ExitStatus, Stdio};
use std::sync::mpsc::{self, Receiver, SyncSender};
use std::thread;
use std::time::Duration;

/// Inputs that wait to be taken in.
const INPUTS: usize = 256;
/// Commands that wait for their turn.
const ORDERS: usize = 8;
/// How long a world may take to be built, and a command to be carried out.
const PATIENCE: Duration = Duration::from_secs(300);
/// Longest line of the world that is read in one piece, bytes.
const LONGEST_LINE: u64 = 4096;
/// Lines that are kept until the terminal is free for them.
const MOST_LINES: usize = 200;

/// Brings the world up and shows it until it ends. To be called before this process starts any thread.
pub(crate) fn run(
    world_name: &str,
    page: SocketAddr,
    sockets: &Sockets,
    mission: &Mission,
    descriptors: &[BorrowedFd<'_>],
) -> Result<ExitStatus, UpError> {
    let _held = hold_signals()?;
    let (lines, writer) = io::pipe().map_err(|error| Error::new("make a pipe", error))?;
    let (inputs, taken) = mpsc::sync_channel(INPUTS);
    let (said, ended) = (inputs.clone(), inputs.clone());
    let said = named("said").spawn(move || listen(lines, &said));
    let said = said.map_err(|error| Error::new("start the thread that hears the world", error))?;
    let (shown, status) = thread::scope(|scope| {
        let world = scope.spawn(move || {
            let status = isolate::run(&INIT_ARGUMENTS, mission, descriptors, Stdio::from(writer));
            // Without a screen nobody is told.
            let _ = ended.send(Input::Ended);
            status
        });
        let view = View::new(world_name, format!("http://{page}/"));
        let shown = watch(view, sockets, inputs, taken);
        if shown.is_err() {
            interrupt();
        }
        (shown, world.join())
    });
    // The world is gone and with it the other end of the pipe: there is nothing to wait for.
    said.join().unwrap_or_default().iter().for_each(|line| eprintln!("{line}"));
    shown?;
    let gone = |_| Err(Error::new("wait for the world", io::Error::other("its thread is gone")));
    Ok(status.unwrap_or_else(gone)?)
}

/// Shows it. The threads that are started here end with the world, or with the process.
fn watch(
    view: View,
    sockets: &Sockets,
    inputs: SyncSender<Input>,
    taken: Receiver<Input>,
) -> Result<(), ScreenError> {
    let (socket, live) = (sockets.control.clone(), inputs.clone());
    named("live").spawn(move || follow(&socket, &live))?;
    let (orders, waiting) = mpsc::sync_channel(ORDERS);
    let (socket, answers) = (sockets.control.clone(), inputs.clone());
    named("orders").spawn(move || order(&socket, &waiting, &answers))?;
    screen::show(view, &taken, inputs, |wish| carry_out(wish, &orders))
}

fn named(name: &str) -> thread::Builder {
    thread::Builder::new().name(name.to_owned())
}

fn carry_out(wish: Wish, orders: &SyncSender<Command>) {
    match wish {
        // Whoever presses more keys than the world can follow finds some of them without effect.
        Wish::Strike(command) => _ = orders.try_send(command),
        Wish::Leave => interrupt(),
        Wish::Close => {}
    }
}

/// Tells this process what Ctrl-C would. The thread that waits for the world takes it.
fn interrupt() {
    // A process may always send a signal to itself.
    let _ = signal::kill(Pid::this(), Signal::SIGINT);
}

/// Takes in what the world says. A terminal that is drawn on gets it afterwards; anything else at once.
fn listen(lines: PipeReader, inputs: &SyncSender<Input>) -> VecDeque<String> {
    let must_wait = io::stderr().is_terminal();
    let mut kept = VecDeque::new();
    let mut lines = BufReader::new(lines);
    loop {
        let mut line = Vec::new();
        match lines.by_ref().take(LONGEST_LINE).read_until(b'\n', &mut line) {
            Ok(1..) => {}
            Ok(0) | Err(_) => return kept,
        }
        let line = String::from_utf8_lossy(&line).trim_end().to_owned();
        // Without a screen there is nobody to show it to.
        let _ = inputs.send(Input::Said(line.clone()));
        if !must_wait {
            eprintln!("{line}");
        } else if kept.len() < MOST_LINES {
            kept.push_back(line);
        }
    }
}

/// Follows what the page shows. Where it breaks off, the screen stays as it is until the world ends.
fn follow(socket: &Path, inputs: &SyncSender<Input>) {
    let messages = client(socket.to_owned()).and_then(|client| Ok(client.patient(PATIENCE).live()?));
    match messages {
        Ok(messages) => {
            let understood = messages.map_while(Result::ok);
            let _ = understood.map(Input::Live).try_for_each(|input| inputs.send(input));
        }
        Err(error) => _ = inputs.send(Input::Said(error.to_string())),
    }
}

/// Has the commands carried out, one after the other.
fn order(socket: &Path, orders: &Receiver<Command>, answers: &SyncSender<Input>) {
    for command in orders {
        let answer = ask(socket.to_owned(), &command);
        if answers.send(Input::Answered(command, answer)).is_err() {
            return;
        }
    }
}

fn ask(socket: PathBuf, command: &Command) -> Result<Done, Refusal> {
    let client = client(socket).map_err(|error| Refusal::because(error.to_string()))?;
    client.patient(PATIENCE).post(route::COMMAND, command).map_err(|error| match error {
        ClientError::Refused(refusal) | ClientError::Faulty(refusal) => refusal,
        other => Refusal::because(other.to_string()),
    })
}

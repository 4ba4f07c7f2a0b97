//! `catchment lab up --tui` in a terminal: it shows the world, strikes by key, and gives the terminal back.

use crate::stage::{Caller, PROGRAM, Traces, all_gone, family_of, wait_until};
use pty_process::Size;
use pty_process::blocking::{Command, Pty, open};
use rustix::process::{Pid, Signal, kill_process};
use rustix::termios::{Termios, tcgetattr};
use std::io::{Read, Write};
use std::process::{Child, ExitStatus, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;

const COLUMNS: u16 = 120;
const ROWS: u16 = 36;

/// A terminal, and a lab that draws on it.
struct Terminal {
    pty: Arc<Pty>,
    screen: Arc<Mutex<vt100::Parser>>,
    /// Whether anybody printed a line over what is drawn.
    is_torn: Arc<AtomicBool>,
    modes: String,
    process: Child,
}

/// Everything that a program can have changed about a terminal.
fn modes(pty: &Pty) -> String {
    let Termios { input_modes, output_modes, control_modes, local_modes, special_codes, .. } =
        tcgetattr(pty).unwrap();
    format!("{input_modes:?} {output_modes:?} {control_modes:?} {local_modes:?} {special_codes:?}")
}

impl Terminal {
    fn up(name: &str) -> Self {
        let (pty, inside) = open().unwrap();
        pty.resize(Size::new(ROWS, COLUMNS)).unwrap();
        let before = modes(&pty);
        let command = Command::new(PROGRAM).args([
            "lab",
            "up",
            "tiny",
            "--tui",
            "--listen",
            "127.0.0.1:0",
            "--name",
            name,
        ]);
        let process = command.env("TERM", "xterm-256color").env_remove("NO_COLOR").spawn(inside).unwrap();
        let screen = Arc::new(Mutex::new(vt100::Parser::new(ROWS, COLUMNS, 0)));
        let pty = Arc::new(pty);
        let is_torn = Arc::new(AtomicBool::new(false));
        let (drawn, written, torn) = (Arc::clone(&screen), Arc::clone(&pty), Arc::clone(&is_torn));
        thread::spawn(move || {
            let mut bytes = [0; 4096];
            // A terminal without a program reads as an error.
            while let Ok(length @ 1..) = (&*written).read(&mut bytes) {
                let mut drawn = drawn.lock().unwrap();
                for byte in &bytes[..length] {
                    drawn.process(&[*byte]);
                    // Drawing moves the cursor by its place: only a line that somebody prints ends so.
                    torn.fetch_or(*byte == b'\n' && drawn.screen().alternate_screen(), Ordering::Relaxed);
                }
            }
        });
        Terminal { pty, screen, is_torn, modes: before, process }
    }

    fn text(&self) -> String {
        self.screen.lock().unwrap().screen().contents()
    }

    fn wait_for(&self, words: &str) {
        wait_until(words, || self.text().contains(words));
    }

    fn press(&self, keys: &str) {
        (&*self.pty).write_all(keys.as_bytes()).unwrap();
    }

    /// Waits for the end, and finds the terminal as it was.
    fn end(&mut self) -> (ExitStatus, String) {
        let status = self.process.wait().unwrap();
        wait_until("the terminal is given back", || {
            let screen = self.screen.lock().unwrap();
            !screen.screen().alternate_screen() && !screen.screen().hide_cursor()
        });
        assert_eq!(modes(&self.pty), self.modes);
        assert!(!self.is_torn.load(Ordering::Relaxed), "a line was printed over what is drawn");
        (status, self.text())
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

#[test]
fn a_fault_by_key_is_seen_and_the_terminal_is_given_back() {
    let before = Traces::of(&Caller::Root, "test-screen");
    let mut terminal = Terminal::up("test-screen");
    terminal.wait_for("Everyone is answered.");
    assert!(terminal.screen.lock().unwrap().screen().alternate_screen());
    assert_ne!(modes(&terminal.pty), terminal.modes);
    let family = family_of(terminal.process.id());
    assert!(family.len() > 12, "every router is a process");

    terminal.wait_for("London:  p Power cut");
    terminal.press("p");
    terminal.wait_for("power-cut site london: london has no power");
    terminal.wait_for("1 fault in force");
    terminal.wait_for("Everyone is answered without London.");
    assert!(terminal.text().contains('×'), "silence is seen:\n{}", terminal.text());

    terminal.press("\x1b[B\r");
    terminal.wait_for("catchment lab fault drain site newyork");
    terminal.press("qR");
    terminal.wait_for("restore everything: everything was restored");
    terminal.wait_for("Everyone is answered.");

    terminal.press("q");
    let (status, text) = terminal.end();
    assert!(status.success(), "{status}");
    assert!(text.contains("every client answered after"), "what the lab said is printed afterwards:\n{text}");
    wait_until("every process is gone", || all_gone(&family));
    assert_eq!(Traces::of(&Caller::Root, "test-screen"), before);
}

/// What ends a lab beside `q`.
#[derive(Clone, Copy, Debug, PartialEq)]
enum End {
    /// A signal from elsewhere.
    Terminated,
    /// Ctrl-C in the terminal.
    Interrupted,
    /// The world dies.
    Killed,
}

#[test]
fn the_terminal_is_given_back_however_the_lab_ends() {
    let before = Traces::of(&Caller::Root, "test-ended");
    let of = |process: u32| Pid::from_raw(process.try_into().unwrap()).unwrap();
    for end in [End::Terminated, End::Interrupted, End::Killed] {
        let mut terminal = Terminal::up("test-ended");
        terminal.wait_for("networks, 3 sites");
        let family = family_of(terminal.process.id());
        let lab = terminal.process.id();
        let init = family.iter().map(|(process, _)| *process).find(|process| *process > lab).unwrap();
        match end {
            End::Terminated => kill_process(of(lab), Signal::TERM).unwrap(),
            End::Interrupted => terminal.press("\x03"),
            End::Killed => kill_process(of(init), Signal::KILL).unwrap(),
        }
        let (status, _) = terminal.end();
        assert_eq!(status.success(), end != End::Killed, "{end:?}: {status}");
        wait_until("every process is gone", || all_gone(&family));
    }
    assert_eq!(Traces::of(&Caller::Root, "test-ended"), before);
}

#[test]
fn without_a_terminal_nothing_is_started() {
    let mut command = Caller::Root.command();
    command.args(["lab", "up", "tiny", "--tui", "--name", "test-no-screen"]);
    let output = command.stdin(Stdio::null()).output().unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(
        said,
        "catchment: --tui draws on a terminal, and this is none: leave it out, or start it from a terminal\n"
    );
    assert_eq!(output.status.code(), Some(2));
}

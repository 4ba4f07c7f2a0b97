//! A panic while something is shown: the terminal is given back, and the panic can be read.
#![allow(clippy::unwrap_used, clippy::panic)] // a test says what is wrong by panicking

use pty_process::blocking::{Command, open};
use rustix::termios::tcgetattr;
use screen::{Input, Key, View, show};
use std::io::Read;
use std::sync::mpsc;

/// Set for the child of the test, which runs it again inside of a terminal.
const INSIDE: &str = "CATCHMENT_TEST_INSIDE_A_TERMINAL";

fn panic_while_it_is_shown() {
    let (keys, inputs) = mpsc::sync_channel(8);
    keys.send(Input::Key(Key::Letter('q'))).unwrap();
    let view = View::new("planted", "http://127.0.0.1/");
    show(view, &inputs, keys, |_| panic!("planted")).unwrap();
}

#[test]
fn a_panic_gives_the_terminal_back() {
    if std::env::var_os(INSIDE).is_some() {
        return panic_while_it_is_shown();
    }
    let (mut pty, inside) = open().unwrap();
    pty.resize(pty_process::Size::new(24, 80)).unwrap();
    let modes = tcgetattr(&pty).unwrap().local_modes;
    let this = std::env::current_exe().unwrap();
    let command = Command::new(this).args(["--exact", "a_panic_gives_the_terminal_back", "--nocapture"]);
    // What is to be read fits the screen.
    let command = command.env(INSIDE, "1").env("TERM", "xterm").env("RUST_BACKTRACE", "0");
    let mut child = command.spawn(inside).unwrap();
    let mut screen = vt100::Parser::new(24, 80, 0);
    let (mut bytes, mut was_taken) = ([0; 4096], false);
    // A terminal without a program reads as an error.
    while let Ok(length @ 1..) = pty.read(&mut bytes) {
        for byte in &bytes[..length] {
            screen.process(&[*byte]);
            was_taken |= screen.screen().alternate_screen();
        }
    }
    assert!(!child.wait().unwrap().success());
    assert!(was_taken, "it was shown before");
    let shown = screen.screen();
    assert!(!shown.alternate_screen() && !shown.hide_cursor());
    // Nothing that follows is written over it.
    let expected = ["running 1 test", "panicked at crates/screen/tests/panic.rs", "planted"];
    let place = expected.map(|words| shown.contents().find(words));
    assert!(place.is_sorted() && place[0].is_some(), "{}", shown.contents());
    assert_eq!(tcgetattr(&pty).unwrap().local_modes, modes);
}

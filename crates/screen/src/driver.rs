//! The terminal: taken when a view is shown, and given back however that ends.

use crate::draw::draw;
use crate::key::Key;
use crate::palette::Colours;
use crate::view::{Input, View, Wish};
use ratatui::crossterm::event::{self, Event, KeyCode, KeyEvent, KeyEventKind, KeyModifiers};
use std::env;
use std::io::{self, IsTerminal};
use std::sync::mpsc::{Receiver, SyncSender};
use std::thread;

/// Inputs that are taken in before the next drawing.
const AT_ONCE: usize = 64;

/// Why there is nothing to draw on.
#[derive(Debug, thiserror::Error)]
pub enum ScreenError {
    /// Input or output is a file, a pipe or nothing.
    #[error("--tui draws on a terminal, and this is none: leave it out, or start it from a terminal")]
    NoTerminal,
    /// The terminal can only print lines.
    #[error("--tui cannot draw on a terminal of the kind {0:?}: leave it out, or set TERM to what it is")]
    OnlyLines(String),
    /// The terminal is gone, or refuses.
    #[error("cannot draw on this terminal: {0}")]
    Io(#[from] io::Error),
}

/// Whether this process has a terminal that can be drawn on. Nothing is changed yet.
pub fn check() -> Result<(), ScreenError> {
    if !io::stdin().is_terminal() || !io::stdout().is_terminal() {
        return Err(ScreenError::NoTerminal);
    }
    match env::var("TERM").unwrap_or_default() {
        kind if kind.is_empty() || kind == "dumb" => Err(ScreenError::OnlyLines(kind)),
        _ => Ok(()),
    }
}

/// Shows a view, takes in what comes, and carries out its wishes, until there is nothing left to show. Keys come in
/// through the same channel as everything else, by `keys`.
pub fn show(
    mut view: View,
    inputs: &Receiver<Input>,
    keys: SyncSender<Input>,
    mut carry_out: impl FnMut(Wish),
) -> Result<(), ScreenError> {
    let colours = Colours::of(|name| env::var(name).ok());
    // `try_init` sees to it that a panic gives it back before it is printed.
    let _taken = Taken;
    let mut terminal = ratatui::try_init()?;
    thread::Builder::new().name("keys".into()).spawn(move || read_keys(&keys))?;
    loop {
        terminal.draw(|frame| draw(&view, colours, frame.area(), frame.buffer_mut()))?;
        let Ok(first) = inputs.recv() else { return Ok(()) };
        for input in [first].into_iter().chain(inputs.try_iter().take(AT_ONCE)) {
            match view.handle(input) {
                Some(Wish::Close) => return Ok(()),
                Some(wish) => carry_out(wish),
                None => {}
            }
        }
    }
}

/// The terminal, until it is given back.
struct Taken;

impl Drop for Taken {
    fn drop(&mut self) {
        // Where a panic unwinds it is given back already, and once more would put what the panic says out of sight.
        if !thread::panicking() {
            // A terminal that is gone needs nothing.
            let _ = ratatui::try_restore();
        }
    }
}

/// Passes keys and sizes on until nobody wants them any more. Who has lost the terminal cannot press any key: that is as
/// good as leaving.
fn read_keys(inputs: &SyncSender<Input>) {
    loop {
        let input = match event::read() {
            Ok(Event::Key(event)) if event.kind != KeyEventKind::Release => key(event).map(Input::Key),
            Ok(Event::Resize(..)) => Some(Input::Resized),
            Ok(_) => None,
            Err(_) => {
                let _ = inputs.send(Input::Key(Key::Interrupt));
                return;
            }
        };
        if input.is_some_and(|input| inputs.send(input).is_err()) {
            return;
        }
    }
}

fn key(event: KeyEvent) -> Option<Key> {
    let with_control = event.modifiers.contains(KeyModifiers::CONTROL);
    Some(match event.code {
        KeyCode::Char('c') if with_control => Key::Interrupt,
        KeyCode::Char(_) if with_control || event.modifiers.contains(KeyModifiers::ALT) => return None,
        KeyCode::Char(letter) => Key::Letter(letter),
        KeyCode::Up => Key::Up,
        KeyCode::Down => Key::Down,
        KeyCode::PageUp => Key::PageUp,
        KeyCode::PageDown => Key::PageDown,
        KeyCode::Home => Key::First,
        KeyCode::End => Key::Last,
        KeyCode::Left | KeyCode::BackTab => Key::Previous,
        KeyCode::Right | KeyCode::Tab => Key::Next,
        KeyCode::Enter => Key::Enter,
        KeyCode::Esc => Key::Escape,
        _ => return None,
    })
}

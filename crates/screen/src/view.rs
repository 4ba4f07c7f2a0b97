//! Everything that the screen knows, and what each key and each message does to it. No terminal, no clock: time is
//! what the lab says it is.

use crate::key::Key;
use crate::marks::letters;
use crate::menu::{self, RESTORE_KEY, restore_everything, sentence};
use crate::news::News;
use crate::part::Part;
use crate::selection::{Chosen, Selection};
use api::{Command, Done, LastMinute, Live, Offer, Picture, PictureKind, Refusal};
use std::collections::VecDeque;
use std::sync::Arc;
use terms::{SiteName, WallTime};

/// Lines of the lab that are kept.
const MOST_LINES: usize = 100;
/// How long an answer stays, ms.
const READ_MS: u64 = 8_000;
/// How far a page key goes.
const PAGE: isize = 8;

/// What reaches the screen.
#[derive(Clone, Debug)]
pub enum Input {
    /// Somebody pressed a key.
    Key(Key),
    /// The terminal has another size.
    Resized,
    /// A message of the live stream.
    Live(Live),
    /// A line that the lab says to whoever started it.
    Said(String),
    /// What became of a command.
    Answered(Command, Result<Done, Refusal>),
    /// The world is gone.
    Ended,
}

/// What the screen wants to be done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Wish {
    /// Something is to be done to the world.
    Strike(Command),
    /// The lab is to be taken down.
    Leave,
    /// There is nothing left to show.
    Close,
}

/// How far the world is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stage {
    /// There is no picture of it yet.
    Building,
    /// It runs.
    Live,
    /// It was told to stop.
    Leaving,
}

/// What lies over the rest.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Overlay {
    None,
    /// What keys and signs mean.
    Help,
    /// What can be done to the chosen one; the place in its offers.
    Faults(usize),
}

/// What became of the last command.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Message {
    pub(crate) text: String,
    pub(crate) is_wrong: bool,
    /// When it is read, ms since the start.
    until_ms: u64,
}

/// Everything that the screen knows.
#[derive(Clone, Debug)]
pub struct View {
    /// Where the page is served.
    pub(crate) page: String,
    /// All of it.
    pub(crate) whole: Arc<Picture>,
    /// The service that is shown, by its place in the whole.
    pub(crate) service: usize,
    pub(crate) picture: Arc<Picture>,
    pub(crate) part: Part,
    /// The letter of each site of the picture.
    pub(crate) letters: Vec<char>,
    pub(crate) minute: LastMinute,
    pub(crate) news: News,
    /// What the lab said, oldest first.
    pub(crate) said: VecDeque<String>,
    pub(crate) stage: Stage,
    pub(crate) selection: Selection,
    pub(crate) overlay: Overlay,
    message: Option<Message>,
}

impl View {
    /// Of a world that is about to be built, whose page will be served there.
    pub fn new(world: &str, page: impl Into<String>) -> View {
        let picture = Arc::new(Picture::empty(PictureKind::Lab, world, WallTime(0)));
        View {
            page: page.into(),
            whole: Arc::clone(&picture),
            service: 0,
            part: Part::of(Arc::clone(&picture), 0),
            picture,
            letters: Vec::new(),
            minute: LastMinute::default(),
            news: News::default(),
            said: VecDeque::new(),
            stage: Stage::Building,
            selection: Selection::default(),
            overlay: Overlay::None,
            message: None,
        }
    }

    /// Takes in what happened; what is to be done about it.
    pub fn handle(&mut self, input: Input) -> Option<Wish> {
        match input {
            Input::Key(key) => return self.press(key),
            Input::Resized => {}
            Input::Live(Live::Picture(picture)) => self.show(picture),
            Input::Live(Live::Samples(samples)) => {
                samples.into_iter().for_each(|sample| self.minute.sample(sample));
            }
            Input::Live(Live::Event(event)) => self.news.take(event),
            Input::Said(line) => {
                self.said.push_back(line);
                self.said.drain(..self.said.len().saturating_sub(MOST_LINES));
            }
            Input::Answered(command, Ok(done)) => {
                self.say(format!("{}: {}", sentence(&command), done.said), false);
            }
            Input::Answered(command, Err(refusal)) => {
                self.say(format!("{} was refused: {refusal}", sentence(&command)), true);
            }
            Input::Ended => return Some(Wish::Close),
        }
        None
    }

    /// The moment that is shown, ms since the start.
    pub(crate) fn now_ms(&self) -> u64 {
        self.picture.at_ms.max(self.minute.latest_ms())
    }

    /// What the keys act on; none where there is nothing at all.
    pub(crate) fn chosen(&self) -> Option<Chosen<'_>> {
        self.selection.chosen(&self.picture)
    }

    /// What can be done to it.
    pub(crate) fn offers(&self) -> &[Offer] {
        self.chosen().map_or(&[], Chosen::offers)
    }

    /// What became of the last command, until it is read.
    pub(crate) fn message(&self) -> Option<&Message> {
        self.message.as_ref().filter(|message| self.now_ms() < message.until_ms)
    }

    /// The place of a site in the picture.
    pub(crate) fn site(&self, name: &SiteName) -> Option<usize> {
        self.picture.sites.iter().position(|site| site.name == *name)
    }

    /// The letter of a site, by its place in the picture.
    pub(crate) fn letter(&self, place: usize) -> char {
        self.letters.get(place).copied().unwrap_or(crate::marks::NAMELESS)
    }

    fn press(&mut self, key: Key) -> Option<Wish> {
        match (self.overlay, key) {
            (_, Key::Interrupt) | (Overlay::None, Key::Letter('q')) => return self.leave(),
            (Overlay::None, Key::Letter('?')) => self.overlay = Overlay::Help,
            (Overlay::None | Overlay::Faults(_), Key::Letter(RESTORE_KEY)) => {
                return self.strike(restore_everything());
            }
            (Overlay::None, Key::Letter(digit @ '1'..='9')) => self.turn_to(digit),
            (Overlay::None, Key::Up) => self.step(-1),
            (Overlay::None, Key::Down) => self.step(1),
            (Overlay::None, Key::PageUp) => self.step(-PAGE),
            (Overlay::None, Key::PageDown) => self.step(PAGE),
            (Overlay::None, Key::First) => self.step(isize::MIN),
            (Overlay::None, Key::Last) => self.step(isize::MAX),
            (Overlay::None, Key::Next) => self.selection.turn(&self.picture, true),
            (Overlay::None, Key::Previous) => self.selection.turn(&self.picture, false),
            (Overlay::None, Key::Enter) => self.open(),
            (Overlay::None, Key::Escape) => self.message = None,
            (Overlay::Help, _)
            | (Overlay::Faults(_), Key::Escape | Key::Next | Key::Previous | Key::Letter('q' | '?')) => {
                self.overlay = Overlay::None;
            }
            (Overlay::Faults(place), Key::Up | Key::PageUp) => {
                self.overlay = Overlay::Faults(place.saturating_sub(1));
            }
            (Overlay::Faults(place), Key::Down | Key::PageDown) => self.point(place + 1),
            (Overlay::Faults(_), Key::First) => self.overlay = Overlay::Faults(0),
            (Overlay::Faults(_), Key::Last) => self.point(usize::MAX),
            (Overlay::Faults(place), Key::Enter) => {
                let command = self.offers().get(place)?.command.clone();
                return self.strike(command);
            }
            (Overlay::None | Overlay::Faults(_), Key::Letter(letter)) => {
                let keys = menu::keys(self.offers());
                let meant = keys.into_iter().find(|(key, _)| *key == Some(letter));
                let command = meant?.1.command.clone();
                return self.strike(command);
            }
        }
        None
    }

    /// Shows another one of several services.
    fn turn_to(&mut self, digit: char) {
        let place = digit.to_digit(10).and_then(|digit| usize::try_from(digit).ok()).unwrap_or(0);
        if (1..=self.whole.services.len()).contains(&place) {
            self.service = place - 1;
            self.show(Arc::clone(&self.whole));
        }
    }

    fn step(&mut self, by: isize) {
        self.selection.step(&self.picture, by);
    }

    /// Opens the list of what can be done.
    fn open(&mut self) {
        match self.chosen() {
            Some(Chosen::Client(client)) => {
                let text =
                    format!("Nothing can be done to {}: choose a site or a cable with tab", client.city);
                self.say(text, false);
            }
            Some(_) if !self.offers().is_empty() => self.overlay = Overlay::Faults(0),
            Some(_) | None => {}
        }
    }

    fn point(&mut self, place: usize) {
        self.overlay = Overlay::Faults(place.min(self.offers().len().saturating_sub(1)));
    }

    fn strike(&mut self, command: Command) -> Option<Wish> {
        self.overlay = Overlay::None;
        if self.stage != Stage::Live {
            return None;
        }
        self.say(format!("{} …", sentence(&command)), false);
        Some(Wish::Strike(command))
    }

    fn leave(&mut self) -> Option<Wish> {
        self.overlay = Overlay::None;
        self.stage = Stage::Leaving;
        Some(Wish::Leave)
    }

    fn say(&mut self, text: String, is_wrong: bool) {
        self.message = Some(Message { text, is_wrong, until_ms: self.now_ms().saturating_add(READ_MS) });
    }

    /// The stream begins with a picture in which there is nothing yet.
    fn show(&mut self, picture: Arc<Picture>) {
        if self.stage == Stage::Building && !picture.sites.is_empty() {
            self.stage = Stage::Live;
        }
        self.whole = Arc::clone(&picture);
        self.part = Part::of(picture, self.service);
        let picture = Arc::clone(&self.part.picture);
        self.letters = letters(&picture.sites);
        self.selection.follow(&self.picture, &picture);
        self.picture = picture;
        if let Overlay::Faults(place) = self.overlay {
            match self.offers().is_empty() {
                true => self.overlay = Overlay::None,
                false => self.point(place),
            }
        }
    }
}

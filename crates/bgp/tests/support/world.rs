//! Two sessions and the cables between them, driven step by step: whatever two drivers, two kernels and a network may
//! do to each other, in any order.

#![allow(dead_code, reason = "each test takes what it needs")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use bgp::session::{
    ConnectionId, Direction, Input, KeepReceived, Output, Session, Settings, StateName, StopKind,
};
use bgp::wire::framer::Framer;
use bgp::wire::message::Message;
use bgp::wire::negotiated::Negotiated;
use bgp::wire::update::Verdict;
use proptest::prelude::*;
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::collections::{BTreeSet, VecDeque};
use std::sync::Arc;
use std::time::Duration;
use terms::{Family, Prefix, RouteSet, Timestamp};

/// One TCP connection. What belongs to an end has its number as index.
struct Cable {
    id: ConnectionId,
    opener: usize,
    /// Octets on their way to each end.
    towards: [VecDeque<u8>; 2],
    /// Whether each end was told that it is open.
    known: [bool; 2],
    /// Whether each end has closed it, or was told that it is closed.
    closed: [bool; 2],
    /// Nothing gets through any more.
    broken: bool,
    /// Octets of each end that the kernel has not confirmed.
    unconfirmed: [usize; 2],
    /// What each end heard on it: an independent reader of the same octets.
    heard: [Heard; 2],
}

/// The prefixes that stand announced on a connection.
#[derive(Default)]
struct Heard {
    framer: Framer,
    prefixes: BTreeSet<Prefix>,
}

impl Heard {
    fn read(&mut self, octets: &[u8], negotiated: &Negotiated) {
        self.framer.push(octets);
        while let Ok(Some(message)) = self.framer.next_message() {
            let Ok(Message::Update(body)) = Message::decode(message) else { continue };
            let Verdict::Accept(update) = Verdict::decode(&body, negotiated) else {
                panic!("a session sent a faulty UPDATE");
            };
            for prefix in update.unreachable() {
                self.prefixes.remove(&prefix);
            }
            self.prefixes.extend(update.announced());
        }
    }
}

/// One step; which cable and how much is taken modulo what there is.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Step {
    Start(usize),
    Stop(usize),
    /// An end gets other settings; which of them.
    Reconfigure(usize, usize),
    /// Whoever watches the path says that it is gone.
    PathDown(usize),
    Want(usize, usize),
    ConnectSucceeds(usize),
    ConnectFails(usize),
    /// An end learns that a cable is open.
    Learn(usize, usize),
    /// Some octets arrive.
    Deliver(usize, usize, usize),
    /// The kernel confirms octets.
    Confirm(usize, usize),
    /// The cable breaks; both ends learn it later.
    Break(usize),
    /// The program of an end is killed, and another one begins in its place.
    Crash(usize),
    /// An end has decided everything that its restart has to decide.
    Decide(usize),
    /// Time passes until some timer is due.
    Timer,
}

/// Whatever may happen to two sessions and to what is between them.
pub(crate) fn any_step() -> impl Strategy<Value = Step> {
    let end = 0..2usize;
    let which = 0..4usize;
    prop_oneof![
        2 => end.clone().prop_map(Step::Start),
        1 => end.clone().prop_map(Step::Stop),
        1 => end.clone().prop_map(Step::PathDown),
        1 => (end.clone(), 0..8usize).prop_map(|(end, which)| Step::Reconfigure(end, which)),
        2 => (end.clone(), 0..4usize).prop_map(|(end, set)| Step::Want(end, set)),
        6 => end.clone().prop_map(Step::ConnectSucceeds),
        1 => end.clone().prop_map(Step::ConnectFails),
        8 => (end.clone(), which.clone()).prop_map(|(end, which)| Step::Learn(end, which)),
        12 => (end.clone(), which.clone(), 0..160usize).prop_map(|(e, w, count)| Step::Deliver(e, w, count)),
        4 => (end, which.clone()).prop_map(|(end, which)| Step::Confirm(end, which)),
        1 => which.prop_map(Step::Break),
        4 => Just(Step::Timer),
    ]
}

/// And to the programs that run them.
pub(crate) fn any_step_of_programs() -> impl Strategy<Value = Step> {
    let end = 0..2usize;
    prop_oneof![
        42 => any_step(),
        2 => end.clone().prop_map(Step::Crash),
        2 => end.prop_map(Step::Decide),
    ]
}

pub(crate) struct World {
    pub(crate) ends: [Session; 2],
    pub(crate) now: Timestamp,
    negotiated: Negotiated,
    wanted: Vec<Arc<RouteSet>>,
    /// What each end may be told to become.
    pub(crate) settings: [Vec<Settings>; 2],
    /// Whether each end keeps what it hears.
    pub(crate) keeps: bool,
    connecting: [bool; 2],
    cables: Vec<Cable>,
    /// Every input as it was fed, for replays.
    pub(crate) recording: Vec<(usize, Timestamp, Input)>,
    /// Every output as it came.
    pub(crate) outputs: Vec<(usize, Output)>,
}

impl World {
    pub(crate) fn new(settings: [Settings; 2], negotiated: Negotiated, wanted: Vec<RouteSet>) -> Self {
        let may_become = settings.clone().map(|settings| vec![settings]);
        let [left, right] = settings;
        World {
            ends: [Session::new(left, 1), Session::new(right, 2)],
            now: Timestamp::ZERO,
            negotiated,
            wanted: wanted.into_iter().map(Arc::new).collect(),
            settings: may_become,
            keeps: false,
            connecting: [false; 2],
            cables: Vec::new(),
            recording: Vec::new(),
            outputs: Vec::new(),
        }
    }

    pub(crate) fn step(&mut self, step: Step) {
        match step {
            Step::Start(end) => self.feed(end, Input::Start),
            Step::Stop(end) => self.feed(end, Input::Stop { kind: StopKind::Shutdown, text: None }),
            Step::Reconfigure(end, which) => {
                let settings = self.settings[end][which % self.settings[end].len()].clone();
                self.feed(end, Input::Reconfigured(Box::new(settings)));
            }
            Step::PathDown(end) => self.feed(end, Input::PathDown { reason: "silent".into() }),
            Step::Want(end, which) => {
                let wanted = Arc::clone(&self.wanted[which % self.wanted.len()]);
                self.feed(end, Input::Wanted(wanted));
            }
            Step::ConnectSucceeds(end) => {
                if std::mem::take(&mut self.connecting[end]) {
                    self.cables.push(Cable::new(ConnectionId(self.cables.len() as u64), end));
                }
            }
            Step::ConnectFails(end) => {
                if std::mem::take(&mut self.connecting[end]) {
                    self.feed(end, Input::ConnectFailed { reason: "connection refused".into() });
                }
            }
            Step::Learn(end, which) => self.learn(end, which),
            Step::Deliver(end, which, count) => self.deliver(end, which, count),
            Step::Confirm(end, which) => self.confirm(end, which),
            Step::Break(which) => {
                if let Some(index) = self.pick(which) {
                    self.cables[index].broken = true;
                    self.cables[index].towards = Default::default();
                }
            }
            Step::Crash(end) => self.crash(end),
            Step::Decide(end) => self.feed(end, Input::Decided),
            Step::Timer => {
                if let Some(deadline) = self.ends.iter().filter_map(Session::deadline).min() {
                    self.now = self.now.max(deadline);
                    self.feed(0, Input::Timer);
                    self.feed(1, Input::Timer);
                }
            }
        }
    }

    /// The kernel closes every connection of a program that is gone.
    fn crash(&mut self, end: usize) {
        for cable in &mut self.cables {
            cable.closed[end] = true;
        }
        self.connecting[end] = false;
        self.ends[end] = Session::new(self.settings[end][0].clone(), self.now.as_nanos());
        self.ends[end].keep(self.keeps.then(KeepReceived::default));
        self.restart(end);
    }

    /// The program of an end begins.
    pub(crate) fn restart(&mut self, end: usize) {
        self.feed(end, Input::Restarted { forwarding: Family::ALL.into() });
        self.feed(end, Input::Start);
    }

    /// Has both ends keep what they hear.
    pub(crate) fn keep(&mut self) {
        self.keeps = true;
        self.ends.iter_mut().for_each(|end| end.keep(Some(KeepReceived::default())));
    }

    fn pick(&self, which: usize) -> Option<usize> {
        let alive: Vec<usize> =
            (0..self.cables.len()).filter(|&cable| self.cables[cable].closed != [true; 2]).collect();
        (!alive.is_empty()).then(|| alive[which % alive.len()])
    }

    fn learn(&mut self, end: usize, which: usize) {
        let Some(index) = self.pick(which) else { return };
        let cable = &mut self.cables[index];
        if std::mem::replace(&mut cable.known[end], true) || cable.closed[end] {
            return;
        }
        let direction = if cable.opener == end { Direction::Outbound } else { Direction::Inbound };
        let connection = cable.id;
        self.feed(end, Input::Connected { connection, direction });
    }

    fn deliver(&mut self, end: usize, which: usize, count: usize) {
        let Some(index) = self.pick(which) else { return };
        let cable = &mut self.cables[index];
        if !cable.known[end] || cable.closed[end] {
            return;
        }
        let connection = cable.id;
        let count = (count + 1).min(cable.towards[end].len());
        let bytes: Vec<u8> = cable.towards[end].drain(..count).collect();
        if !bytes.is_empty() {
            cable.heard[end].read(&bytes, &self.negotiated);
            self.feed(end, Input::Bytes { connection, bytes });
        } else if cable.closed[1 - end] || cable.broken {
            cable.closed[end] = true;
            self.feed(end, Input::Closed { connection });
        }
    }

    fn confirm(&mut self, end: usize, which: usize) {
        let Some(index) = self.pick(which) else { return };
        let cable = &mut self.cables[index];
        if cable.broken || cable.closed[end] {
            return;
        }
        let octets = std::mem::take(&mut cable.unconfirmed[end]);
        let connection = cable.id;
        if octets > 0 {
            self.feed(end, Input::Written { connection, octets });
        }
    }

    fn feed(&mut self, end: usize, input: Input) {
        self.recording.push((end, self.now, input.clone()));
        self.ends[end].handle(input, self.now);
        while let Some(output) = self.ends[end].poll_output() {
            self.outputs.push((end, output.clone()));
            match output {
                Output::Connect => self.connecting[end] = true,
                Output::Send { connection, bytes } => {
                    let cable = &mut self.cables[usize::try_from(connection.0).unwrap()];
                    assert!(!cable.closed[end], "sent on a connection that is closed");
                    cable.unconfirmed[end] += bytes.len();
                    if !cable.broken {
                        cable.towards[1 - end].extend(bytes);
                    }
                }
                Output::Close { connection } => {
                    self.cables[usize::try_from(connection.0).unwrap()].closed[end] = true;
                }
                Output::Event(_) => {}
            }
        }
        if let Some(input) = self.ends[end].poll_input() {
            self.feed(end, input);
        }
    }

    /// What two new sessions say to the same inputs, all of which were written down and read back, as were the sessions
    /// themselves before one of them.
    pub(crate) fn replayed(&self, settings: [Settings; 2], saved_before: usize) -> Vec<(usize, Output)> {
        let [left, right] = through_text(&settings);
        let mut again = [Session::new(left, 1), Session::new(right, 2)];
        let mut outputs = Vec::new();
        for (position, (end, now, input)) in through_text(&self.recording).into_iter().enumerate() {
            if position == saved_before {
                again = through_text(&again);
            }
            again[end].handle(input, now);
            outputs.extend(std::iter::from_fn(|| again[end].poll_output()).map(|output| (end, output)));
        }
        outputs
    }

    /// Everything that can happen at once happens: attempts succeed, octets arrive.
    pub(crate) fn hurry(&mut self) {
        let alive = self.cables.len();
        for end in [0, 1] {
            self.step(Step::ConnectSucceeds(end));
        }
        for which in 0..=alive {
            for end in [0, 1] {
                self.step(Step::Learn(end, which));
                self.step(Step::Deliver(end, which, 100_000));
                self.step(Step::Confirm(end, which));
            }
        }
    }

    /// As much as can happen before the news gets through that a cable is broken or closed.
    pub(crate) fn hurry_but_closing(&mut self) {
        for end in [0, 1] {
            self.step(Step::ConnectSucceeds(end));
            for which in 0..self.cables.len() {
                self.step(Step::Learn(end, which));
                if self.has_octets(end, which) {
                    self.step(Step::Deliver(end, which, 100_000));
                }
            }
        }
    }

    fn has_octets(&self, end: usize, which: usize) -> bool {
        self.pick(which).is_some_and(|index| !self.cables[index].towards[end].is_empty())
    }

    /// A time without faults, and with the first settings whatever was tried: the answer is whether both sides came
    /// to an agreement.
    pub(crate) fn settle(&mut self) -> bool {
        self.step(Step::Reconfigure(0, 0));
        self.step(Step::Reconfigure(1, 0));
        self.step(Step::Start(0));
        self.step(Step::Start(1));
        let end = self.now + Duration::from_secs(1000);
        while self.now < end {
            for _ in 0..20 {
                self.hurry();
            }
            if self.agreed() {
                return true;
            }
            self.step(Step::Timer);
        }
        false
    }

    /// Both are up on one and the same cable, and each heard what the other has told.
    fn agreed(&self) -> bool {
        let up = self.ends.iter().all(|session| session.state() == StateName::Established);
        let mut alive = self.cables.iter().filter(|cable| cable.closed == [false; 2] && !cable.broken);
        let (Some(cable), None) = (alive.next(), alive.next()) else { return false };
        let heard = |end: usize| self.ends[1 - end].told().keys().eq(&cable.heard[end].prefixes);
        up && heard(0) && heard(1)
    }
}

impl Cable {
    fn new(id: ConnectionId, opener: usize) -> Self {
        Cable {
            id,
            opener,
            towards: Default::default(),
            known: [false; 2],
            closed: [false; 2],
            broken: false,
            unconfirmed: [0; 2],
            heard: Default::default(),
        }
    }
}

fn through_text<T: Serialize + DeserializeOwned>(it: &T) -> T {
    serde_json::from_str(&serde_json::to_string(it).unwrap()).unwrap()
}

/// What both ends of [`World`] carry.
pub(crate) fn both_families(hold_time: bgp::session::HoldTime) -> Negotiated {
    Negotiated { hold_time, ..Negotiated::plain(bgp::session::PeerKind::External) }
}

//! Two sessions and the link between them, which loses, repeats and reorders.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use crate::bench::name;
use bfd::session::{Input, Output, Session, Settings, StateName};
use bfd::{Interval, Packet};
use std::time::Duration;
use terms::Timestamp;

/// What the link does to packets in one direction.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Link {
    /// Each arrives, within so many milliseconds and in order.
    Good(u64),
    /// Each has one of four fates by turns of the dice: lost, twice, soon, late.
    Bad,
    /// None arrives.
    Cut,
}

pub(crate) struct World {
    pub(crate) ends: [Session; 2],
    pub(crate) links: [Link; 2],
    pub(crate) now: Timestamp,
    /// Until when each end does nothing: what arrives waits, as in the kernel, and timers are late.
    pub(crate) asleep: [Timestamp; 2],
    /// Path lost, by end.
    pub(crate) lost: [u32; 2],
    flight: Vec<(Timestamp, usize, Packet)>,
    dice: u64,
    /// The latest packet of each end that was no answer.
    latest: [Option<(Timestamp, Packet)>; 2],
    /// The slowest pace that each end was asked for by what it heard.
    asked: [Interval; 2],
    /// The shortest interval that the operator of each end ever wanted.
    fastest: [Interval; 2],
}

impl World {
    pub(crate) fn new(settings: [Settings; 2], dice: u64) -> Self {
        let [first, second] = settings;
        World {
            ends: [Session::new(first, name(1), dice), Session::new(second, name(2), !dice)],
            links: [Link::Good(5); 2],
            now: Timestamp::ZERO + Duration::from_secs(1),
            asleep: [Timestamp::ZERO; 2],
            lost: [0; 2],
            flight: Vec::new(),
            dice,
            latest: [None; 2],
            asked: [Interval::ZERO; 2],
            fastest: [first.interval, second.interval],
        }
    }

    fn roll(&mut self) -> u64 {
        self.dice = self.dice.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        self.dice >> 33
    }

    pub(crate) fn feed(&mut self, end: usize, input: Input) {
        match input {
            Input::Packet(packet) => self.asked[end] = packet.required_min_rx,
            Input::Reconfigured(settings) => self.fastest[end] = self.fastest[end].min(settings.interval),
            Input::Start | Input::Stop | Input::Timer | Input::Patience(_) => {}
        }
        if self.roll().is_multiple_of(64) {
            // A session that was written down and read back is the same session.
            let written = serde_json::to_string(&self.ends[end]).unwrap();
            self.ends[end] = serde_json::from_str(&written).unwrap();
        }
        self.ends[end].handle(input, self.now);
        while let Some(output) = self.ends[end].poll_output() {
            match output {
                Output::Send(packet) => self.send(end, packet),
                Output::PathDown { .. } => self.lost[end] += 1,
                Output::PathUp | Output::Event(_) | Output::Gone => {}
            }
        }
        let deadline = self.ends[end].deadline();
        assert!(
            !matches!(input, Input::Timer) || deadline.is_none_or(|at| at > self.now),
            "a timer that has expired"
        );
    }

    fn send(&mut self, from: usize, packet: Packet) {
        assert_eq!(Packet::decode(&packet.encode()), Ok(packet));
        assert!(!(packet.poll && packet.r#final));
        assert!(packet.state == StateName::Up || packet.desired_min_tx >= Interval::SLOW);
        if packet.r#final {
            // An answer may be the first to say what is new.
            self.latest[from] = self.latest[from].filter(|(_, before)| before.state == packet.state);
        } else {
            self.check_pace(from, packet);
        }
        let roll = self.roll();
        let travel = |millis: u64| Duration::from_millis(1 + millis);
        let arrivals = match self.links[from] {
            Link::Cut => vec![],
            Link::Good(most) => vec![travel(roll % most)],
            Link::Bad => match roll % 4 {
                0 => vec![],
                1 => vec![travel(roll % 7), travel(roll % 90)],
                2 => vec![travel(roll % 11)],
                _ => vec![travel(roll % 350)],
            },
        };
        let earlier = self.flight.iter().filter(|(_, to, _)| *to == 1 - from).map(|(at, ..)| *at).max();
        let in_order = match self.links[from] {
            Link::Good(_) => earlier.unwrap_or(self.now),
            Link::Bad | Link::Cut => self.now,
        };
        let arrivals = arrivals.into_iter().map(|travel| (in_order.max(self.now + travel), 1 - from, packet));
        self.flight.extend(arrivals);
    }

    /// RFC 5880 section 6.8.7: packets that say the same have three quarters of the agreed interval between them.
    fn check_pace(&mut self, from: usize, packet: Packet) {
        let content = |packet: Packet| Packet { poll: false, ..packet };
        if let Some((at, _)) = self.latest[from].filter(|(_, before)| content(*before) == content(packet)) {
            let ours = if packet.state == StateName::Up { self.fastest[from] } else { Interval::SLOW };
            let agreed = ours.max(self.asked[from]);
            let least = agreed.duration().mul_f64(0.74);
            assert!(self.now.since(at) >= least, "{:?} after {least:?}: {packet:?}", self.now.since(at));
        }
        self.latest[from] = Some((self.now, packet));
    }

    /// Lets time pass.
    pub(crate) fn run(&mut self, duration: Duration) {
        let end = self.now + duration;
        loop {
            let arrivals = self.flight.iter().enumerate();
            let arrival =
                arrivals.map(|(place, (at, to, _))| ((*at).max(self.asleep[*to]), *at, place)).min();
            let arrival = arrival.map(|(at, _, place)| (at, place));
            let due = |end: usize| Some((self.ends[end].deadline()?.max(self.asleep[end]), end));
            let timer = (0..2).filter_map(due).min();
            match (arrival, timer) {
                (Some((at, place)), timer) if timer.is_none_or(|(timer, _)| at <= timer) && at <= end => {
                    let (_, to, packet) = self.flight.remove(place);
                    self.now = self.now.max(at);
                    self.feed(to, Input::Packet(packet));
                }
                (_, Some((at, which))) if at <= end => {
                    self.now = self.now.max(at);
                    self.feed(which, Input::Timer);
                }
                _ => break,
            }
        }
        self.now = end;
    }

    pub(crate) fn states(&self) -> [StateName; 2] {
        [self.ends[0].state(), self.ends[1].state()]
    }
}

//! One session on a bench: the test is its other end, its driver and its clock.

#![allow(dead_code, reason = "each test takes what it needs")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use bfd::session::{Input, Output, Session, Settings, StateName};
use bfd::{Diagnostic, Discriminator, Interval, Packet};
use std::num::{NonZeroU8, NonZeroU32};
use std::time::Duration;
use terms::Timestamp;

pub(crate) fn name(number: u32) -> Discriminator {
    Discriminator(NonZeroU32::new(number).unwrap())
}

pub(crate) fn millis(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

pub(crate) fn settings(interval: u64, multiplier: u8) -> Settings {
    let multiplier = NonZeroU8::new(multiplier).unwrap();
    Settings { interval: millis(interval).into(), multiplier, passive: false }
}

/// What the other end of a session called 1 says; its own is called 9.
pub(crate) fn says(state: StateName) -> Packet {
    Packet {
        diagnostic: Diagnostic::NONE,
        state,
        poll: false,
        r#final: false,
        control_plane_independent: false,
        demand: false,
        multiplier: NonZeroU8::new(3).unwrap(),
        my_discriminator: name(9),
        your_discriminator: Some(name(1)),
        desired_min_tx: Interval::from_micros(100_000),
        required_min_rx: Interval::from_micros(100_000),
        required_min_echo_rx: Interval::ZERO,
    }
}

pub(crate) struct Bench {
    pub(crate) session: Session,
    pub(crate) now: Timestamp,
}

impl Bench {
    pub(crate) fn new(settings: Settings) -> Self {
        Bench { session: Session::new(settings, name(1), 7), now: Timestamp::ZERO + millis(1) }
    }

    /// A session that has got that far, and has said all it had to.
    pub(crate) fn in_state(state: StateName, settings: Settings) -> Self {
        let mut bench = Bench::new(settings);
        if state != StateName::AdminDown {
            bench.feed(Input::Start);
        }
        match state {
            StateName::AdminDown | StateName::Down => {}
            StateName::Init => drop(bench.hears(StateName::Down)),
            StateName::Up => {
                bench.hears(StateName::Init);
                bench.feed(Input::Packet(Packet { r#final: true, ..says(StateName::Up) }));
            }
        }
        assert_eq!(bench.session.state(), state);
        bench
    }

    pub(crate) fn feed(&mut self, input: Input) -> Vec<Output> {
        self.session.handle(input, self.now);
        std::iter::from_fn(|| self.session.poll_output()).collect()
    }

    pub(crate) fn hears(&mut self, state: StateName) -> Vec<Output> {
        self.feed(Input::Packet(says(state)))
    }

    /// Lets time pass with a driver that is never late.
    pub(crate) fn pass(&mut self, duration: Duration) -> Vec<Output> {
        let end = self.now + duration;
        let mut outputs = Vec::new();
        while let Some(deadline) = self.session.deadline().filter(|deadline| *deadline <= end) {
            self.now = self.now.max(deadline);
            outputs.extend(self.feed(Input::Timer));
        }
        self.now = end;
        outputs
    }

    /// Lets time pass in which the driver sleeps; what the timers led to when it woke.
    pub(crate) fn sleep(&mut self, duration: Duration) -> Vec<Output> {
        self.now = self.now + duration;
        self.feed(Input::Timer)
    }
}

pub(crate) fn sent(outputs: &[Output]) -> Vec<Packet> {
    outputs
        .iter()
        .filter_map(|output| if let Output::Send(packet) = output { Some(*packet) } else { None })
        .collect()
}

pub(crate) fn lost(outputs: &[Output]) -> bool {
    outputs.iter().any(|output| matches!(output, Output::PathDown { .. }))
}

/// One line about what a session wants done.
pub(crate) fn describe(outputs: &[Output]) -> String {
    let words = outputs.iter().map(|output| match output {
        Output::Send(packet) => {
            let bit = |set: bool, word: &'static str| if set { word } else { "" };
            let yours = if packet.your_discriminator.is_some() { "" } else { " to nobody" };
            let (poll, answer) = (bit(packet.poll, " P"), bit(packet.r#final, " F"));
            format!("send {}{poll}{answer}{yours}, diagnostic {}", packet.state, packet.diagnostic.code())
        }
        Output::PathUp => "path up".to_owned(),
        Output::PathDown { .. } => "PATH DOWN".to_owned(),
        Output::Event(event) => format!("\"{event}\""),
        Output::Gone => "gone".to_owned(),
    });
    words.collect::<Vec<_>>().join("; ")
}

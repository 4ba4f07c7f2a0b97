//! A machine, its clock, and a log of everything that it does.

use announce::{
    Action, CheckId, CheckSettings, Condition, Input, Intent, Machine, Memory, Order, Permit, Readback,
    Scope, Settings, Warmth, Wish,
};
use std::num::NonZeroU32;
use std::time::Duration;
use terms::{Event, FailKind, Reason, Timestamp, Verdict};

pub const DNS: CheckId = CheckId(0);
pub const WEB: CheckId = CheckId(1);

/// Whether the fleet answers by itself.
#[derive(Clone, Copy, PartialEq)]
enum Fleet {
    Grants,
    Silent,
}

pub fn local(service: &str, name: &str) -> CheckSettings {
    CheckSettings {
        service: service.parse().unwrap(),
        name: name.to_owned(),
        interval: Duration::from_millis(100),
        fall: NonZeroU32::new(2).unwrap(),
        rise: NonZeroU32::new(3).unwrap(),
        hang_after: Duration::from_secs(1),
        scope: Scope::Local,
    }
}

/// Two services, one check of each.
pub fn settings() -> Settings {
    Settings::new(
        "anycast".parse().unwrap(),
        vec![local("dns", "dns example. SOA"), local("web", "front-page")],
    )
}

pub fn alice(reason: &str) -> Order {
    Order { who: Reason::from("alice"), reason: Reason::from(reason) }
}

/// A machine, its clock and what was heard so far.
#[derive(Clone)]
pub struct Story {
    pub machine: Machine,
    fleet: Fleet,
    pub millis: u64,
    pub log: String,
}

impl Story {
    pub fn begin(memory: Memory) -> Self {
        Story::of(settings(), memory)
    }

    pub fn of(settings: Settings, memory: Memory) -> Self {
        let machine = Machine::new(settings, memory, Timestamp::ZERO);
        Story { machine, fleet: Fleet::Grants, millis: 0, log: String::new() }
    }

    /// A group that is up.
    pub fn up() -> Self {
        Story::up_with(settings())
    }

    /// A group of these settings that is up.
    pub fn up_with(settings: Settings) -> Self {
        let mut story = Story::of(settings, Memory::default());
        story.warm();
        story.rounds(3, &Verdict::Pass, &Verdict::Pass);
        story.log.clear();
        story
    }

    /// Where the fleet does not answer by itself.
    pub fn without_answers(mut self) -> Self {
        self.fleet = Fleet::Silent;
        self
    }

    pub fn now(&self) -> Timestamp {
        Timestamp::ZERO + Duration::from_millis(self.millis)
    }

    pub fn tell(&mut self, input: Input) {
        self.machine.handle(input, self.now());
        while let Some(action) = self.machine.poll_output() {
            let answer = self.answer(&action);
            let line = match action {
                Action::Announce(level) => format!("announce {level}"),
                Action::Permit(Wish::Ask) => "ask for the permit".to_owned(),
                Action::Permit(Wish::Release) => "release the permit".to_owned(),
                Action::Resend => "tell the peers again".to_owned(),
                Action::CheckSoon { check, at } => {
                    format!("check {} again at {} ms", check.0, at.as_nanos() / 1_000_000)
                }
                Action::Remember(Memory { failures, back_off_left }) => {
                    format!("remember {failures} failures, {back_off_left:?} of back-off left")
                }
                Action::Event(event) => format!("{:?} {}: {event}", event.severity(), event.kind()),
            };
            self.log += &format!("{:>6} ms  {line}\n", self.millis);
            if let Some(input) = answer {
                self.machine.handle(input, self.now());
            }
        }
    }

    /// What a kind fleet and good peers say to that.
    fn answer(&self, action: &Action) -> Option<Input> {
        match action {
            Action::Permit(Wish::Ask) => (self.fleet == Fleet::Grants).then_some(Input::Permit(Permit::Held)),
            Action::Permit(Wish::Release) => Some(Input::Permit(Permit::None)),
            Action::Announce(_) => Some(Input::Told(Readback::Agrees)),
            Action::Resend | Action::CheckSoon { .. } | Action::Remember(_) | Action::Event(_) => None,
        }
    }

    pub fn order(&mut self, intent: Intent) {
        self.tell(Input::Intent(intent));
    }

    pub fn check(&mut self, check: CheckId, verdict: &Verdict) {
        self.tell(Input::Check { check, verdict: verdict.clone() });
    }

    pub fn rounds(&mut self, count: usize, dns: &Verdict, web: &Verdict) {
        for _ in 0..count {
            self.millis += 100;
            self.check(DNS, dns);
            self.check(WEB, web);
        }
    }

    /// Lets time pass, with every timer that the machine asks for.
    pub fn wait(&mut self, millis: u64) {
        let end = self.millis + millis;
        let due = |machine: &Machine| machine.deadline().map(|at| at.as_nanos().div_ceil(1_000_000));
        while let Some(at) = due(&self.machine).filter(|&at| at <= end) {
            self.millis = at;
            self.tell(Input::Timer);
            assert_ne!(due(&self.machine), Some(at), "a deadline that was served must go away");
        }
        self.millis = end;
    }

    pub fn warm(&mut self) {
        self.tell(Input::Warmth(Warmth {
            ready: Condition::met("nsd answers"),
            address: Condition::met("198.18.0.53 on lo"),
            self_query: Condition::met("through the listener only"),
        }));
    }

    pub fn explain(&mut self) {
        for row in self.machine.explain(self.now()) {
            self.log += &format!("{:>6} ms  ? {row}\n", self.millis);
        }
    }
}

pub fn refused() -> Verdict {
    Verdict::Fail { kind: FailKind::Definite, reason: Reason::from("connection refused by 198.18.0.53") }
}

pub fn silent() -> Verdict {
    Verdict::Fail { kind: FailKind::Timeout, reason: Reason::from("no answer within 80 ms") }
}

pub fn unknown() -> Verdict {
    Verdict::Indeterminate { reason: Reason::from("no file descriptor left") }
}

//! What the machine says and does in the histories that operators know, to be read like a log.
#![allow(clippy::unwrap_used, reason = "what cannot be made fails the test")]

use announce::{
    Action, Backoff, CheckId, CheckSettings, Condition, Input, Intent, Machine, Memory, Settings, Warmth,
};
use std::num::NonZeroU32;
use std::time::Duration;
use terms::{Event, FailKind, Reason, Timestamp, Verdict};

const DNS: CheckId = CheckId(0);
const WEB: CheckId = CheckId(1);

/// A machine, its clock and what was heard so far.
struct Story {
    machine: Machine,
    millis: u64,
    log: String,
}

impl Story {
    fn begin(memory: Memory) -> Self {
        let check = |service: &str, name: &str| CheckSettings {
            service: service.parse().unwrap(),
            name: name.to_owned(),
            interval: Duration::from_millis(100),
            fall: NonZeroU32::new(2).unwrap(),
            rise: NonZeroU32::new(3).unwrap(),
            hang_after: Duration::from_secs(1),
        };
        let settings = Settings {
            group: "anycast".parse().unwrap(),
            checks: vec![check("dns", "soa"), check("web", "front-page")],
            backoff: Backoff::DEFAULT,
            blind_after: Settings::BLIND_AFTER,
        };
        Story { machine: Machine::new(settings, memory, Timestamp::ZERO), millis: 0, log: String::new() }
    }

    /// A group that is up.
    fn up() -> Self {
        let mut story = Story::begin(Memory::default());
        story.warm();
        story.rounds(3, &Verdict::Pass, &Verdict::Pass);
        story.log.clear();
        story
    }

    fn now(&self) -> Timestamp {
        Timestamp::ZERO + Duration::from_millis(self.millis)
    }

    fn tell(&mut self, input: Input) {
        self.machine.handle(input, self.now());
        while let Some(action) = self.machine.poll_output() {
            let line = match action {
                Action::Announce(level) => format!("announce {level}"),
                Action::CheckSoon { check, at } => {
                    format!("check {} again at {} ms", check.0, at.as_nanos() / 1_000_000)
                }
                Action::Remember(memory) => format!("remember {} failures", memory.failures),
                Action::Event(event) => format!("{:?} {}: {event}", event.severity(), event.kind()),
            };
            self.log += &format!("{:>6} ms  {line}\n", self.millis);
        }
    }

    fn check(&mut self, check: CheckId, verdict: &Verdict) {
        self.tell(Input::Check { check, verdict: verdict.clone() });
    }

    fn rounds(&mut self, count: usize, dns: &Verdict, web: &Verdict) {
        for _ in 0..count {
            self.millis += 100;
            self.check(DNS, dns);
            self.check(WEB, web);
        }
    }

    /// Lets time pass, with every timer that the machine asks for.
    fn wait(&mut self, millis: u64) {
        let end = self.millis + millis;
        let due = |machine: &Machine| machine.deadline().map(|at| at.as_nanos().div_ceil(1_000_000));
        while let Some(at) = due(&self.machine).filter(|&at| at <= end) {
            self.millis = at;
            self.tell(Input::Timer);
            assert_ne!(due(&self.machine), Some(at), "a deadline that was served must go away");
        }
        self.millis = end;
    }

    fn warm(&mut self) {
        self.tell(Input::Warmth(Warmth {
            ready: Condition::met("nsd answers"),
            address: Condition::met("198.18.0.53 on lo"),
            self_query: Condition::met("through the listener only"),
        }));
    }

    fn explain(&mut self) {
        for row in self.machine.explain(self.now()) {
            self.log += &format!("{:>6} ms  ? {row}\n", self.millis);
        }
    }
}

fn refused() -> Verdict {
    Verdict::Fail { kind: FailKind::Definite, reason: Reason::from("connection refused by 198.18.0.53") }
}

fn silent() -> Verdict {
    Verdict::Fail { kind: FailKind::Timeout, reason: Reason::from("no answer within 80 ms") }
}

fn unknown() -> Verdict {
    Verdict::Indeterminate { reason: Reason::from("no file descriptor left") }
}

#[test]
fn a_site_starts() {
    let mut story = Story::begin(Memory::default());
    story.rounds(1, &silent(), &Verdict::Pass);
    story.explain();
    story.rounds(2, &Verdict::Pass, &Verdict::Pass);
    story.warm();
    story.explain();
    story.rounds(1, &Verdict::Pass, &Verdict::Pass);
    story.explain();
    insta::assert_snapshot!(story.log);
}

#[test]
fn a_service_is_killed_and_comes_back() {
    let mut story = Story::up();
    story.rounds(1, &refused(), &Verdict::Pass);
    story.millis += 50;
    story.check(DNS, &refused());
    story.rounds(1, &refused(), &Verdict::Pass);
    story.explain();
    story.rounds(3, &Verdict::Pass, &Verdict::Pass);
    story.explain();
    story.wait(4_700);
    story.explain();
    story.rounds(1, &refused(), &refused());
    story.rounds(1, &refused(), &refused());
    story.rounds(100, &Verdict::Pass, &Verdict::Pass);
    story.wait(600_000);
    insta::assert_snapshot!(story.log);
}

#[test]
fn a_service_hangs() {
    let mut story = Story::up();
    story.rounds(9, &silent(), &Verdict::Pass);
    story.rounds(1, &Verdict::Pass, &Verdict::Pass);
    story.rounds(11, &silent(), &Verdict::Pass);
    insta::assert_snapshot!(story.log);
}

#[test]
fn a_virtual_machine_is_paused() {
    let mut story = Story::up();
    story.rounds(2, &silent(), &silent());
    story.millis += 60_000;
    story.check(DNS, &silent());
    story.explain();
    story.check(WEB, &silent());
    story.rounds(1, &Verdict::Pass, &Verdict::Pass);
    insta::assert_snapshot!(story.log);
}

#[test]
fn silence_that_nobody_could_hear_does_not_count() {
    let mut story = Story::up();
    for _ in 0..20 {
        story.rounds(1, &silent(), &Verdict::Pass);
        story.rounds(1, &unknown(), &Verdict::Pass);
    }
    story.explain();
    insta::assert_snapshot!(story.log);
}

#[test]
fn nobody_watches() {
    let mut story = Story::up();
    story.rounds(29, &unknown(), &Verdict::Pass);
    story.wait(100);
    story.explain();
    story.rounds(1, &Verdict::Pass, &Verdict::Pass);
    story.wait(5_000);
    story.rounds(1, &Verdict::Pass, &Verdict::Pass);
    insta::assert_snapshot!(story.log);
}

#[test]
fn an_operator_withdraws_and_resumes() {
    let mut story = Story::up();
    let (who, reason) = (Reason::from("alice"), Reason::from("new line card"));
    story.tell(Input::Intent(Intent::Withdraw { who, reason }));
    story.explain();
    story.rounds(3, &Verdict::Pass, &Verdict::Pass);
    story.tell(Input::Intent(Intent::Normal));
    insta::assert_snapshot!(story.log);
}

#[test]
fn a_restart_remembers_what_failed_and_announces_nothing() {
    let mut story = Story::begin(Memory { failures: 3 });
    story.warm();
    story.rounds(3, &Verdict::Pass, &Verdict::Pass);
    story.explain();
    story.rounds(2, &refused(), &Verdict::Pass);
    insta::assert_snapshot!(story.log);
}

#[test]
fn a_result_of_a_check_that_nobody_knows_changes_nothing() {
    let mut story = Story::up();
    let before = story.machine.clone();
    story.check(CheckId(99), &refused());
    assert_eq!((story.log.as_str(), story.machine), ("", before));
}

#[test]
fn a_time_before_an_earlier_one_is_taken_for_that_one() {
    let mut story = Story::up();
    let (mut late, now) = (story.machine.clone(), story.now());
    late.handle(Input::Check { check: DNS, verdict: refused() }, Timestamp::ZERO);
    story.machine.handle(Input::Check { check: DNS, verdict: refused() }, now);
    assert_eq!(late, story.machine);
}

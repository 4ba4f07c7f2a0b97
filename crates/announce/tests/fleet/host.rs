//! One host: the group's real machine, the real permit machine, and the driver that connects them.

use announce::permit::{self, Pace, Speaker, Ticket, Turn};
use announce::{
    Action, Backoff, CheckId, CheckSettings, Condition, Drain, Input, Intent, Level, Memory, Permit,
    Readback, Scope, Settings, Warmth, Wish,
};
use std::collections::BTreeSet;
use std::num::NonZeroU32;
use std::time::Duration;
use terms::{FailKind, Reason, Timestamp, Verdict};

/// How often the check runs.
pub const INTERVAL: Duration = Duration::from_millis(500);
/// So many passes in a row.
pub const RISE: u32 = 3;
/// What a failure costs at most.
pub const LONGEST_BACKOFF: Duration = Duration::from_secs(8);

pub struct Host {
    pub speaker: Speaker,
    pub min_sites: Option<NonZeroU32>,
    /// The process, while there is one.
    pub process: Option<Process>,
    /// How many processes there were.
    pub lives: u32,
    pub healthy: bool,
    pub intent: Intent,
    /// It announces nothing because it decided so. Survives the process: nobody else decided it.
    pub by_choice: bool,
    /// When it was last known to announce.
    pub announced_at: Option<Timestamp>,
}

pub struct Process {
    pub decision: announce::Machine,
    pub permit: permit::Machine,
    pub since: Timestamp,
    pub turn: Turn,
    /// Checks still to be run before nothing changes any more.
    pub checks_left: u32,
    /// Which store it is connected to.
    pub store_life: Option<u32>,
    /// What is asked of the store: whether it is a change, and what it expects.
    pub asked: Option<(Ticket, Option<permit::Revision>, bool)>,
    pub lapsed: BTreeSet<Speaker>,
    pub decision_timer: Option<Timestamp>,
    pub permit_timer: Option<Timestamp>,
    /// Messages between the two machines keep their order.
    pub to_permit_at: Timestamp,
    pub to_decision_at: Timestamp,
}

impl Host {
    pub fn new(speaker: Speaker, min_sites: Option<NonZeroU32>) -> Self {
        Host {
            speaker,
            min_sites,
            process: None,
            lives: 0,
            healthy: true,
            intent: Intent::Normal,
            by_choice: false,
            announced_at: None,
        }
    }

    pub fn level(&self) -> Level {
        self.process.as_ref().map_or(Level::None, |process| process.decision.level())
    }

    pub fn announces(&self) -> bool {
        self.level() > Level::None
    }

    pub fn announced_within(&self, lag: Duration, now: Timestamp) -> bool {
        self.announces() || self.announced_at.is_some_and(|at| now.since(at) < lag)
    }

    pub fn holds(&self) -> bool {
        self.process.as_ref().is_some_and(|process| process.permit.permit() == Permit::Held)
    }

    pub fn start(&mut self, seed: u64, now: Timestamp) {
        self.lives += 1;
        let settings = permit::Settings {
            group: "dns".parse().unwrap(),
            speaker: self.speaker.clone(),
            min_sites: self.min_sites,
            pace: Pace { poll: Duration::from_secs(4), ..Pace::default() },
        };
        self.process = Some(Process {
            decision: announce::Machine::new(decision_settings(), Memory::default(), now),
            permit: permit::Machine::new(settings, seed, now),
            since: now,
            turn: Turn::default(),
            checks_left: 0,
            store_life: None,
            asked: None,
            lapsed: BTreeSet::new(),
            decision_timer: None,
            permit_timer: None,
            to_permit_at: now,
            to_decision_at: now,
        });
    }

    pub fn verdict(&self) -> Verdict {
        if self.healthy {
            return Verdict::Pass;
        }
        Verdict::Fail { kind: FailKind::Definite, reason: Reason::from("connection refused") }
    }
}

fn decision_settings() -> Settings {
    let check = CheckSettings {
        service: "dns".parse().unwrap(),
        name: "soa".to_owned(),
        interval: INTERVAL,
        fall: NonZeroU32::new(2).unwrap(),
        rise: NonZeroU32::new(RISE).unwrap(),
        hang_after: Duration::from_secs(1),
        scope: Scope::Local,
    };
    Settings {
        backoff: Backoff { base: Duration::from_secs(2), cap: LONGEST_BACKOFF, ..Backoff::DEFAULT },
        // Results are only simulated while they change something; nobody is blind between them.
        blind_after: Duration::from_secs(100_000),
        drain: Drain {
            at_least: Duration::from_secs(3),
            convergence: Duration::from_secs(1),
            connections: 0,
        },
        ..Settings::new("dns".parse().unwrap(), vec![check])
    }
}

/// What the driver makes of the actions of the group's machine.
pub enum Deed {
    /// It announces now, or it does not any more.
    Announced(bool),
    /// Its level changed: the peers will be asked what they know.
    Changed,
    Wish(Wish),
    CheckSoon(Timestamp),
}

pub fn deeds(machine: &mut announce::Machine) -> Vec<Deed> {
    let mut deeds = Vec::new();
    while let Some(action) = machine.poll_output() {
        match action {
            Action::Announce(level) => deeds.extend([Deed::Announced(level > Level::None), Deed::Changed]),
            Action::Permit(wish) => deeds.push(Deed::Wish(wish)),
            Action::CheckSoon { at, .. } => deeds.push(Deed::CheckSoon(at)),
            Action::Resend => deeds.push(Deed::Changed),
            Action::Remember(_) | Action::Event(_) => {}
        }
    }
    deeds
}

pub fn warm() -> Input {
    let met = || Condition::met("as planned");
    Input::Warmth(Warmth { ready: met(), address: met(), self_query: met() })
}

pub fn checked(verdict: Verdict) -> Input {
    Input::Check { check: CheckId(0), verdict }
}

pub fn told() -> Input {
    Input::Told(Readback::Agrees)
}

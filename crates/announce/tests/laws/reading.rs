//! What a careful reader makes of the inputs alone: an opinion of its own, against which the machine is judged.

use announce::{
    Action, Backoff, CheckId, CheckSettings, Fold, Input, Intent, Level, Permit, Readback, Scope, Wish,
};
use std::collections::BTreeMap;
use std::time::Duration;
use terms::{FailKind, ServiceName, Timestamp, Verdict};

use crate::subject::{Step, Subject, Trace};

/// What holds after a step.
#[derive(Clone, Debug)]
pub struct Reading {
    /// So many services failed that the group has.
    pub failed: bool,
    /// So many services have passed often enough, and lately, that the group may be announced.
    pub proven: bool,
    /// The passes in a row suffice, however long they are ago.
    pub risen: bool,
    /// A dependency failed, and has not passed often enough since.
    pub dependency_lost: bool,
    /// No local check has said anything lately.
    pub unwatched: bool,
    pub warm: bool,
    pub intent: Intent,
    /// The fleet permits what was asked for.
    pub permitted: bool,
    /// In this step the permit was asked for while the answer to an earlier request could still be on its way.
    pub asked_too_soon: bool,
    pub connections: Option<u32>,
    /// Since when the peers know something else than the present level, as far as was said.
    pub differs_since: Option<Timestamp>,
    /// Failed withdrawals in a row.
    pub failures: u64,
    /// The failure that this step withdrew for is the last of them.
    pub charged: bool,
    /// Before this the group is not to return.
    pub not_before: Timestamp,
}

impl Reading {
    /// The operator lets the checks decide.
    pub fn is_normal(&self) -> bool {
        self.intent == Intent::Normal
    }

    pub fn is_frozen(&self) -> bool {
        matches!(self.intent, Intent::Freeze(_))
    }

    pub fn is_forced(&self) -> bool {
        matches!(self.intent, Intent::ForceAnnounce(_))
    }

    /// The operator ordered it off, and it may be.
    pub fn is_withdrawn(&self, settings: &announce::Settings) -> bool {
        let may = self.permitted && !settings.never_withdraw;
        matches!(self.intent, Intent::Withdraw { override_guard, .. } if override_guard || may)
    }
}

/// Every step with what holds after it.
pub fn read<'a>(subject: &Subject, trace: &'a Trace) -> Vec<(&'a Step, Reading)> {
    let mut reader = Reader::new(subject);
    trace.steps.iter().map(|step| (step, reader.read(step))).collect()
}

struct Reader<'a> {
    settings: &'a announce::Settings,
    /// What each check found since it last passed, and how often it passed in a row.
    since_pass: Vec<Vec<(Timestamp, Verdict)>>,
    passes: Vec<usize>,
    lost: Vec<bool>,
    seen_at: Vec<Timestamp>,
    warm: bool,
    intent: Intent,
    asked: bool,
    permit: Permit,
    /// The permit was given back, and the fleet has not said that it is gone.
    fading: bool,
    overload: bool,
    connections: Option<u32>,
    differs_since: Option<Timestamp>,
    failures: u64,
    not_before: Timestamp,
    up_since: Timestamp,
}

impl<'a> Reader<'a> {
    fn new(subject: &'a Subject) -> Self {
        let Subject { settings, memory, .. } = subject;
        let checks = settings.checks.len();
        Reader {
            settings,
            since_pass: vec![Vec::new(); checks],
            passes: vec![0; checks],
            lost: vec![false; checks],
            seen_at: vec![Timestamp::ZERO; checks],
            warm: false,
            intent: Intent::Normal,
            asked: false,
            permit: Permit::None,
            fading: false,
            overload: false,
            connections: None,
            differs_since: None,
            failures: u64::from(memory.failures),
            not_before: Timestamp::ZERO + memory.back_off_left.min(settings.backoff.cap),
            up_since: Timestamp::ZERO,
        }
    }

    fn read(&mut self, step: &Step) -> Reading {
        match &step.input {
            Input::Check { check, verdict } => self.found(*check, verdict, step.at),
            Input::Warmth(warmth) => {
                self.warm = warmth.ready.met && warmth.address.met && warmth.self_query.met;
            }
            Input::Intent(intent) => self.intent = intent.clone(),
            Input::Permit(permit) => {
                self.permit = *permit;
                self.fading &= *permit != Permit::None;
            }
            Input::Overload(overload) => self.overload = *overload,
            Input::Connections(connections) => self.connections = Some(*connections),
            Input::Told(Readback::Agrees) => self.differs_since = None,
            Input::Told(Readback::Differs { .. }) => {
                self.differs_since = self.differs_since.or(Some(step.at))
            }
            Input::Timer => {}
        }
        let mut asked_too_soon = false;
        for action in &step.actions {
            match action {
                Action::Permit(Wish::Ask) => {
                    asked_too_soon = self.fading;
                    self.asked = true;
                }
                Action::Permit(Wish::Release) => {
                    self.fading = self.permit != Permit::None;
                    self.asked = false;
                }
                Action::Announce(_) => self.differs_since = None,
                Action::Resend | Action::CheckSoon { .. } | Action::Remember(_) | Action::Event(_) => {}
            }
        }
        let has_failed = |id: usize, check: &CheckSettings| failed_for_good(check, &self.since_pass[id]);
        let has_risen = |id: usize, check: &CheckSettings| self.passes[id] >= check.rise.get() as usize;
        let is_blind = |id: usize, check: &CheckSettings| {
            step.at.since(self.seen_at[id]) >= self.settings.blind_after.max(check.interval * 2)
        };
        let local: Vec<bool> = self.checks(Scope::Local).map(|(id, check)| is_blind(id, check)).collect();
        let mut reading = Reading {
            failed: !self.suffices(|id, check| !has_failed(id, check)),
            risen: self.suffices(has_risen),
            proven: self.suffices(|id, check| has_risen(id, check) && !is_blind(id, check)),
            dependency_lost: self.checks(Scope::Dependency).any(|(id, _)| self.lost[id]),
            unwatched: !local.is_empty() && local.iter().all(|blind| *blind),
            warm: self.warm,
            intent: self.intent.clone(),
            permitted: self.asked && self.permit == Permit::Held,
            asked_too_soon,
            connections: self.connections,
            differs_since: self.differs_since,
            failures: self.failures,
            charged: false,
            not_before: self.not_before,
        };
        self.charge(step, &mut reading);
        reading
    }

    /// Counts the failures that withdrew the group, and what they cost.
    fn charge(&mut self, step: &Step, reading: &mut Reading) {
        let Backoff { base, cap, forgiven_after } = self.settings.backoff;
        let is_up = |level: Level| level >= Level::Depref;
        if is_up(step.level_before) && step.at.since(self.up_since) >= forgiven_after {
            self.failures = 0;
        }
        if is_up(step.level) && !is_up(step.level_before) {
            self.up_since = step.at;
        }
        let is_withdrawn = step.level == Level::None && step.level_before > Level::None;
        let leaves = reading.is_withdrawn(self.settings);
        if is_withdrawn && reading.failed && !leaves && !reading.is_frozen() && !reading.is_forced() {
            self.failures += 1;
            let doublings = u32::try_from(self.failures - 1).unwrap_or(u32::MAX).min(31);
            self.not_before = step.at + base.saturating_mul(1 << doublings).min(cap);
            reading.charged = true;
        }
        (reading.failures, reading.not_before) = (self.failures, self.not_before);
    }

    fn checks(&self, scope: Scope) -> impl Iterator<Item = (usize, &CheckSettings)> {
        self.settings.checks.iter().enumerate().filter(move |(_, check)| check.scope == scope)
    }

    /// Whether so many services are well as there must be, where a service is as well as all its local checks.
    fn suffices(&self, is_well: impl Fn(usize, &CheckSettings) -> bool) -> bool {
        let mut services: BTreeMap<&ServiceName, bool> = BTreeMap::new();
        for (id, check) in self.checks(Scope::Local) {
            *services.entry(&check.service).or_insert(true) &= is_well(id, check);
        }
        let needed = match self.settings.fold {
            Fold::All => services.len(),
            Fold::Any => services.len().min(1),
            Fold::AtLeast(count) => services.len().min(count.get() as usize),
        };
        services.values().filter(|well| **well).count() >= needed
    }

    fn found(&mut self, CheckId(id): CheckId, verdict: &Verdict, at: Timestamp) {
        let check = &self.settings.checks[id];
        let heard = match verdict {
            Verdict::Fail { kind: FailKind::Timeout, reason } if self.overload => {
                Verdict::Indeterminate { reason: reason.clone() }
            }
            other => other.clone(),
        };
        match &heard {
            Verdict::Pass => {
                self.since_pass[id].clear();
                self.passes[id] += 1;
            }
            Verdict::Fail { .. } | Verdict::Indeterminate { .. } => {
                self.since_pass[id].push((at, heard.clone()));
                self.passes[id] = 0;
            }
        }
        if !matches!(heard, Verdict::Indeterminate { .. }) {
            self.seen_at[id] = at;
        }
        if failed_for_good(check, &self.since_pass[id]) {
            self.lost[id] = true;
        }
        if self.passes[id] >= check.rise.get() as usize {
            self.lost[id] = false;
        }
    }
}

/// Whether the results since the last pass are a failure for good: `fall` definite fails, each half an interval
/// after the one before that counts, or silence that was watched for `hang_after`.
fn failed_for_good(check: &CheckSettings, since_pass: &[(Timestamp, Verdict)]) -> bool {
    let (mut definite, mut counted) = (0, None::<Timestamp>);
    let (mut timed_out, mut silence, mut before) = (false, Duration::ZERO, None::<Timestamp>);
    for &(at, ref verdict) in since_pass {
        let silent_since = before.take();
        match verdict {
            Verdict::Fail { kind: FailKind::Definite, .. } => {
                if counted.is_none_or(|counted| at.since(counted) >= check.interval / 2) {
                    (definite, counted) = (definite + 1, Some(at));
                }
            }
            Verdict::Fail { kind: FailKind::Timeout, .. } => {
                silence += silent_since.map_or(Duration::ZERO, |since| at.since(since).min(check.interval));
                (timed_out, before) = (true, Some(at));
            }
            Verdict::Pass | Verdict::Indeterminate { .. } => {}
        }
    }
    definite >= check.fall.get() || (timed_out && silence >= check.hang_after)
}

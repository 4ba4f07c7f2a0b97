//! The machine: facts come in, the table of [`State`] is walked until nothing moves, actions come out.

use serde::{Deserialize, Serialize};
use std::collections::{BTreeSet, VecDeque};
use terms::{FailKind, Reason, Timestamp, Verdict};

use crate::damping::Damping;
use crate::explain::explain;
use crate::health::Health;
use crate::leave::Leave;
use crate::reconcile::Reconciliation;
use crate::state::{Cause, output};
use crate::tally::Standing;
use crate::{
    Action, Alarm, CheckId, CheckSettings, Event, Input, Intent, Level, Memory, Settings, State, Warmth,
    Wish, words,
};

/// The decision of one announcement group at this site. It does nothing by itself: a driver hands it every
/// [`Input`] with the time, then carries out every [`Action`], and hands in [`Input::Timer`] when
/// [`deadline`](Machine::deadline) has come.
///
/// A clone is a machine of its own: given an order, it says what that order would do.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Machine {
    pub(crate) settings: Settings,
    pub(crate) health: Health,
    pub(crate) warmth: Warmth,
    pub(crate) intent: Intent,
    pub(crate) leave: Leave,
    pub(crate) overload: bool,
    pub(crate) connections: Option<u32>,
    pub(crate) peers: Reconciliation,
    pub(crate) damping: Damping,
    pub(crate) state: State,
    pub(crate) level: Level,
    pub(crate) since: Timestamp,
    pub(crate) latest: Timestamp,
    reason: Reason,
    alarms: BTreeSet<Alarm>,
    actions: VecDeque<Action>,
}

/// How one check stands, for people and the API.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CheckStatus<'a> {
    /// The check.
    pub settings: &'a CheckSettings,
    /// What its last run found; nothing before the first.
    pub last: Option<&'a Verdict>,
    /// Passes in a row, or fails since the last pass.
    pub run: u32,
    /// Whether the alarm stands that it has said nothing for too long.
    pub blind: bool,
}

impl Machine {
    /// A group at its start: not announced, whatever was so before.
    pub fn new(settings: Settings, memory: Memory, now: Timestamp) -> Self {
        Machine {
            health: Health::new(&settings, now),
            warmth: Warmth::unknown(),
            intent: Intent::Normal,
            leave: Leave::default(),
            overload: false,
            connections: None,
            peers: Reconciliation::Unknown,
            damping: Damping::new(memory, &settings.backoff, now),
            state: State::Boot,
            level: Level::None,
            since: now,
            latest: now,
            reason: Reason::from("just started"),
            alarms: BTreeSet::new(),
            actions: VecDeque::new(),
            settings,
        }
    }

    /// Takes one fact in and decides. A `now` before an earlier one is taken for that earlier one.
    pub fn handle(&mut self, input: Input, now: Timestamp) {
        let now = now.max(self.latest);
        let doubted = self.take(input, now);
        self.step(Vec::new(), now);
        if let Some(check) = doubted {
            self.look_again(check, now);
        }
    }

    /// Takes other settings, of a file that was read again. A check of the same service and name keeps what it has
    /// found; a new one has found nothing yet, which withdraws nothing. Equal settings change nothing.
    pub fn reconfigure(&mut self, settings: Settings, now: Timestamp) {
        if settings == self.settings {
            return;
        }
        let now = now.max(self.latest);
        let places = places(&self.settings.checks, &settings.checks);
        let mut events = Vec::new();
        for alarm in std::mem::take(&mut self.alarms) {
            match alarm.moved(&places) {
                Some(alarm) => _ = self.alarms.insert(alarm),
                None => events.push(Event::Cleared { alarm, reason: Reason::from("the check is gone") }),
            }
        }
        self.health = std::mem::take(&mut self.health).carried(&places, &settings, now);
        self.settings = settings;
        self.step(events, now);
    }

    /// The next thing for the driver to do.
    pub fn poll_output(&mut self) -> Option<Action> {
        self.actions.pop_front()
    }

    /// When the machine wants [`Input::Timer`], if nothing else happens before.
    pub fn deadline(&self) -> Option<Timestamp> {
        let blind_after = self.settings.blind_after;
        let sighted = self.health.each(&self.settings).filter(|(_, _, tally)| !tally.blind);
        let blind = sighted.map(|(_, check, tally)| tally.blind_at(check.interval, blind_after)).min();
        let decided = match self.cause(self.latest) {
            Cause::Waiting => Some(self.damping.not_before()),
            Cause::Draining => self.drained_at(),
            _ => None,
        };
        let forgiven = self.damping.forgiven_at(&self.settings.backoff);
        [blind, decided, forgiven, self.peers.resend_at()].into_iter().flatten().min()
    }

    /// Where the group is.
    pub fn state(&self) -> State {
        self.state
    }

    /// How strongly it is announced.
    pub fn level(&self) -> Level {
        self.level
    }

    /// Since when it is in this state.
    pub fn since(&self) -> Timestamp {
        self.since
    }

    /// Why it is in this state.
    pub fn reason(&self) -> &Reason {
        &self.reason
    }

    /// What the operator decided about it.
    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    /// Every check and how it stands, in the order of [`Settings::checks`].
    pub fn checks(&self) -> impl Iterator<Item = CheckStatus<'_>> {
        self.health.each(&self.settings).map(|(_, settings, tally)| CheckStatus {
            settings,
            last: tally.last.as_ref(),
            run: match tally.standing {
                Standing::Passing { run } => run,
                Standing::Failing(fails) => fails.run,
            },
            blind: tally.blind,
        })
    }

    /// The alarms that stand, one sentence each.
    pub fn alarms(&self, now: Timestamp) -> Vec<Reason> {
        self.alarms.iter().map(|&alarm| words::alarm(self, alarm, now)).collect()
    }

    /// The same alarms, in the same order, without their sentences.
    pub fn standing_alarms(&self) -> impl Iterator<Item = Alarm> {
        self.alarms.iter().copied()
    }

    /// The rows of "why": the state and its reason, what is missing for it to be announced, and every check.
    pub fn explain(&self, now: Timestamp) -> Vec<String> {
        explain(self, now.max(self.latest))
    }

    /// Takes one fact in. Says which check has failed for the first time since it passed.
    fn take(&mut self, input: Input, now: Timestamp) -> Option<CheckId> {
        match input {
            Input::Check { check, verdict } => {
                let verdict = if self.overload { without_silence(verdict) } else { verdict };
                return self.health.note(check, &self.settings, verdict, now).then_some(check);
            }
            Input::Warmth(warmth) => self.warmth = warmth,
            Input::Intent(intent) => self.intent = intent,
            Input::Permit(permit) => self.leave.told(permit),
            Input::Overload(overload) => self.overload = overload,
            Input::Connections(connections) => self.connections = Some(connections),
            Input::Told(readback) => self.peers.note(readback, &self.settings.reconcile, now),
            Input::Timer => {}
        }
        None
    }

    /// Decides anew. What changes the network comes first, then what is wanted, then what people are told.
    fn step(&mut self, mut events: Vec<Event>, now: Timestamp) {
        self.latest = now;
        self.health.watch(&self.settings, now);
        let forgiven = self.damping.forgive(&self.settings.backoff, now);
        let mut is_charged = self.settle(now, &mut events);
        let wish = self.wish().and_then(|wish| self.leave.want(wish, self.is_confirmed()));
        if wish == Some(Wish::Ask) && self.leave.is_held() {
            // It was still held from before.
            is_charged |= self.settle(now, &mut events);
        }

        let level = output(self.state, self.modifiers());
        if level != self.level {
            self.level = level;
            self.peers = Reconciliation::Unknown;
            self.actions.push_back(Action::Announce(level));
        }
        self.actions.extend(wish.map(Action::Permit));
        if self.peers.resend(&self.settings.reconcile, now) {
            self.actions.push_back(Action::Resend);
        }
        if forgiven.is_some() || is_charged {
            self.actions.push_back(Action::Remember(self.damping.memory(now)));
        }
        events.extend(forgiven.map(|failures| Event::Forgiven { failures }));
        self.watch(now, &mut events);
        self.actions.extend(events.into_iter().map(Action::Event));
    }

    /// Whether the peers are known to know what they are to know from now on.
    fn is_confirmed(&self) -> bool {
        self.peers == Reconciliation::Agree && output(self.state, self.modifiers()) == self.level
    }

    /// Walks the table until the state stays. No cause leads in a circle (a test says so), so this ends. Says whether
    /// a failure was charged.
    fn settle(&mut self, now: Timestamp, events: &mut Vec<Event>) -> bool {
        let mut is_charged = false;
        loop {
            let cause = self.cause(now);
            let next = self.state.next(cause);
            if next == self.state {
                return is_charged;
            }
            is_charged |= matches!((next, cause), (State::Down, Cause::Failed(_)));
            events.push(self.enter(next, cause, now));
        }
    }

    fn enter(&mut self, next: State, cause: Cause, now: Timestamp) -> Event {
        let (from, lasted) = (self.state, now.since(self.since));
        (self.state, self.since) = (next, now);
        self.damping.entered(next, now);
        if let (State::Down, Cause::Failed(_)) = (next, cause) {
            self.damping.charge(&self.settings.backoff, now);
        }
        self.reason = words::reason(self, from, lasted, cause, now);
        Event::Moved { from, to: next, reason: self.reason.clone() }
    }

    /// Raises and clears alarms.
    fn watch(&mut self, now: Timestamp, events: &mut Vec<Event>) {
        let news = self.reasons_for_alarm().filter(|(alarm, stands)| self.alarms.contains(alarm) != *stands);
        for (alarm, stands) in news.collect::<Vec<_>>() {
            if stands {
                self.alarms.insert(alarm);
                events.push(Event::Raised { alarm, reason: words::alarm(self, alarm, now) });
            } else {
                self.alarms.remove(&alarm);
                events.push(Event::Cleared { alarm, reason: words::cleared(self, alarm) });
            }
        }
    }

    /// A check has failed for the first time: while the group is announced, a whole interval is long to wait.
    fn look_again(&mut self, check: CheckId, now: Timestamp) {
        if let (true, Some(settings)) = (self.level > Level::None, self.settings.checks.get(check.0)) {
            self.actions.push_back(Action::CheckSoon { check, at: now + settings.interval / 2 });
        }
    }
}

/// Under overload silence says nothing about the service: it does not hear the question.
fn without_silence(verdict: Verdict) -> Verdict {
    match verdict {
        Verdict::Fail { kind: FailKind::Timeout, reason } => {
            Verdict::Indeterminate { reason: Reason::from(format!("overloaded: {reason}")) }
        }
        Verdict::Pass | Verdict::Fail { kind: FailKind::Definite, .. } | Verdict::Indeterminate { .. } => {
            verdict
        }
    }
}

/// Where each of these checks stands among those; none for one that is gone.
fn places(before: &[CheckSettings], after: &[CheckSettings]) -> Vec<Option<CheckId>> {
    let mut free: Vec<(CheckId, &CheckSettings)> = (0..).map(CheckId).zip(after).collect();
    let place = |check: &CheckSettings| {
        let is_same = |other: &CheckSettings| (&other.service, &other.name) == (&check.service, &check.name);
        let found = free.iter().position(|(_, other)| is_same(other))?;
        Some(free.remove(found).0)
    };
    before.iter().map(place).collect()
}

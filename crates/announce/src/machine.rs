//! The machine: facts come in, the table of [`State`] is walked until nothing moves, actions come out.

use serde::{Deserialize, Serialize};
use std::collections::VecDeque;
use terms::{Reason, Timestamp, Verdict};

use crate::damping::Damping;
use crate::health::{Fold, Health};
use crate::state::Cause;
use crate::tally::Standing;
use crate::{
    Action, CheckId, CheckSettings, Event, Input, Intent, Level, Memory, Settings, State, Warmth, words,
};

/// The decision of one announcement group at this site. It does nothing by itself: a driver hands it every
/// [`Input`] with the time, then carries out every [`Action`], and hands in [`Input::Timer`] when
/// [`deadline`](Machine::deadline) has come.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Machine {
    pub(crate) settings: Settings,
    pub(crate) health: Health,
    pub(crate) warmth: Warmth,
    pub(crate) intent: Intent,
    pub(crate) damping: Damping,
    state: State,
    since: Timestamp,
    reason: Reason,
    latest: Timestamp,
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
            settings,
            warmth: Warmth::unknown(),
            intent: Intent::Normal,
            damping: Damping::new(memory, now),
            state: State::Boot,
            since: now,
            reason: Reason::from("just started"),
            latest: now,
            actions: VecDeque::new(),
        }
    }

    /// Takes one fact in and decides. A `now` before an earlier one is taken for that earlier one.
    pub fn handle(&mut self, input: Input, now: Timestamp) {
        let now = now.max(self.latest);
        self.latest = now;
        let doubted = match input {
            Input::Check { check, verdict } => {
                self.health.note(check, &self.settings, verdict, now).then_some(check)
            }
            Input::Warmth(warmth) => {
                self.warmth = warmth;
                None
            }
            Input::Intent(intent) => {
                self.intent = intent;
                None
            }
            Input::Timer => None,
        };
        self.watch(now);
        self.forgive(now);
        self.settle(now);
        if let Some(check) = doubted {
            self.look_again(check, now);
        }
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
        let waiting = (self.cause(self.latest) == Cause::Waiting).then(|| self.damping.not_before());
        let forgiven = self.damping.forgiven_at(&self.settings.backoff);
        [blind, waiting, forgiven].into_iter().flatten().min()
    }

    /// Where the group is.
    pub fn state(&self) -> State {
        self.state
    }

    /// How strongly it is announced.
    pub fn level(&self) -> Level {
        self.state.level()
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
        let blind = self.health.each(&self.settings).filter(|(_, _, tally)| tally.blind);
        blind.map(|(_, check, tally)| words::blind(check, tally, now)).collect()
    }

    /// The rows of "why": the state and its reason, what is missing for it to be announced, and every check.
    pub fn explain(&self, now: Timestamp) -> Vec<String> {
        words::explain(self, now.max(self.latest))
    }

    /// What holds now: the first of [`Cause`] that does.
    pub(crate) fn cause(&self, now: Timestamp) -> Cause {
        match (&self.intent, self.health.fold(&self.settings)) {
            (Intent::Withdraw { .. }, _) => Cause::Withdrawn,
            (Intent::Normal, Fold::Failed(check)) => Cause::Failed(check),
            (Intent::Normal, Fold::Doubtful(check)) => Cause::Doubtful(check),
            (Intent::Normal, Fold::Rising(_) | Fold::Proven) if !self.warmth.is_warm() => Cause::Cold,
            (Intent::Normal, Fold::Rising(check)) => Cause::Rising(check),
            (Intent::Normal, Fold::Proven) if now < self.damping.not_before() => Cause::Waiting,
            (Intent::Normal, Fold::Proven) => Cause::Proven,
        }
    }

    /// A check has failed for the first time: while the group is announced, a whole interval is long to wait.
    fn look_again(&mut self, check: CheckId, now: Timestamp) {
        if let (Level::Normal, Some(settings)) = (self.level(), self.settings.checks.get(check.0)) {
            self.actions.push_back(Action::CheckSoon { check, at: now + settings.interval / 2 });
        }
    }

    /// Raises and clears the alarm of each check that says nothing.
    fn watch(&mut self, now: Timestamp) {
        for (id, check, tally) in self.health.each_mut(&self.settings) {
            let is_blind = now >= tally.blind_at(check.interval, self.settings.blind_after);
            if is_blind == tally.blind {
                continue;
            }
            tally.blind = is_blind;
            let event = if is_blind {
                Event::Blind { check: id, reason: words::blind(check, tally, now) }
            } else {
                Event::Sighted { check: id, reason: Reason::from(format!("{check} reports again")) }
            };
            self.actions.push_back(Action::Event(event));
        }
    }

    fn forgive(&mut self, now: Timestamp) {
        if let Some(failures) = self.damping.forgive(&self.settings.backoff, now) {
            self.actions.push_back(Action::Remember(self.damping.memory()));
            self.actions.push_back(Action::Event(Event::Forgiven { failures }));
        }
    }

    /// Walks the table until the state stays. No cause leads in a circle (a test says so), so this ends.
    fn settle(&mut self, now: Timestamp) {
        loop {
            let cause = self.cause(now);
            let next = self.state.next(cause);
            if next == self.state {
                return;
            }
            self.enter(next, cause, now);
        }
    }

    fn enter(&mut self, next: State, cause: Cause, now: Timestamp) {
        let (from, level) = (self.state, self.level());
        self.state = next;
        self.since = now;
        if next.level() != level {
            self.actions.push_back(Action::Announce(next.level()));
            self.damping.announced(next.level(), now);
        }
        if next == State::Down {
            self.damping.charge(&self.settings.backoff, now);
            self.actions.push_back(Action::Remember(self.damping.memory()));
        }
        self.reason = words::reason(self, from, cause, now);
        self.actions.push_back(Action::Event(Event::Moved { from, to: next, reason: self.reason.clone() }));
    }
}

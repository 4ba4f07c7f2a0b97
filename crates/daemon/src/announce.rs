//! The decision loop: the driver of every announcement group's machine.
//!
//! ```text
//!   check tasks ──what they found──> ┌───────────────┐ ──decision (latest value)──> peer tasks
//!   address keeper ──presence──────> │ decision loop │ ──run this one sooner──────> check tasks
//!   stop ──order────────────────────>│  a Machine    │ ──what to remember─────────> memory keeper
//!   the machines' earliest deadline ─│  per group    │ ──view, samples────────────> API, page
//!                                    └───────────────┘ ──beats────────────────────> watchdog
//! ```
//! One task for all groups: there are few, and a decision is then one value that holds the whole. It never waits for
//! anybody: every way out is a latest value, a queue that is dropped when full, or a counter.

use crate::address::Presence;
use crate::check::Found;
use crate::clock::Clock;
use crate::event::Source;
use crate::events::Bus;
use crate::export::{Decision, GroupLevel};
use crate::memory::{Kept, Memories};
use crate::metrics::Metrics;
use crate::watchdog::{BEAT_EVERY, Heart};
use announce::{Action, CheckId, Condition, Input, Intent, Level, Machine, Order, Permit, Warmth, Wish};
use recording::Track;
use std::collections::{BTreeSet, VecDeque};
use std::net::IpAddr;
use std::sync::Arc;
use terms::{GroupName, Prefix, Reason, ServiceName, Timestamp, Verdict, WallTime};
use tokio::sync::{mpsc, oneshot, watch};
use tokio::time::{MissedTickBehavior, interval};

/// One announcement group: its machine, and what the machine does not need to know.
#[derive(Debug)]
pub(crate) struct Group {
    pub(crate) machine: Machine,
    /// Where everything that the machine is told is noted.
    pub(crate) track: Track<Machine>,
    pub(crate) services: Vec<ServiceName>,
    pub(crate) prefixes: Arc<[Prefix]>,
    pub(crate) addresses: BTreeSet<IpAddr>,
    /// How the services say that they are ready.
    pub(crate) ready: Condition,
    /// How to have each check run sooner, by [`CheckId`].
    pub(crate) sooner: Vec<mpsc::Sender<Timestamp>>,
    /// The place of its first check when the checks of all groups are counted through.
    pub(crate) first_check: usize,
}

/// What an operator or the end of the daemon wants.
#[derive(Debug)]
pub(crate) struct Withdraw {
    /// Who wants it.
    pub(crate) who: Reason,
    /// Why.
    pub(crate) reason: Reason,
    /// Answered when it is decided: until when something was announced; none if nothing ever was.
    pub(crate) decided: oneshot::Sender<Option<Timestamp>>,
}

/// Where the decision loop hears of the world.
#[derive(Debug)]
pub(crate) struct Ears {
    pub(crate) found: mpsc::Receiver<(usize, Found)>,
    pub(crate) presence: watch::Receiver<Presence>,
    pub(crate) orders: mpsc::Receiver<Withdraw>,
}

/// Where the decision loop tells of itself.
#[derive(Debug)]
pub(crate) struct Mouth {
    pub(crate) clock: Clock,
    pub(crate) bus: Bus,
    pub(crate) metrics: Metrics,
    pub(crate) heart: Heart,
    pub(crate) decision: watch::Sender<Arc<Decision>>,
    pub(crate) memories: watch::Sender<Memories>,
    pub(crate) views: watch::Sender<Vec<api::Group>>,
    pub(crate) samples: mpsc::Sender<api::Sample>,
}

/// What is kept about a group beside its machine.
#[derive(Debug)]
struct Beside {
    /// Checks that have passed since the start.
    passed: BTreeSet<CheckId>,
    warmth: Warmth,
    since: (Timestamp, WallTime),
}

/// The decision loop.
#[derive(Debug)]
pub(crate) struct Decider {
    groups: Vec<(Group, Beside)>,
    mouth: Mouth,
    /// When something was announced last.
    announced: Option<Timestamp>,
}

impl Decider {
    /// A loop over groups at their start: nothing is announced.
    pub(crate) fn new(groups: Vec<Group>, mouth: Mouth) -> Self {
        let beside = |group: &Group| Beside {
            passed: BTreeSet::new(),
            warmth: Warmth::unknown(),
            since: (group.machine.since(), mouth.clock.wall_at(group.machine.since())),
        };
        let with_beside = |group| {
            let beside = beside(&group);
            (group, beside)
        };
        let groups = groups.into_iter().map(with_beside).collect();
        let decider = Decider { groups, mouth, announced: None };
        decider.publish(None);
        decider.show();
        decider
    }

    /// Decides for as long as anybody listens.
    pub(crate) async fn run(mut self, mut ears: Ears) {
        let clock = self.mouth.clock;
        let mut beats = interval(BEAT_EVERY);
        beats.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            let deadline = self.groups.iter().filter_map(|(group, _)| group.machine.deadline()).min();
            tokio::select! {
                biased;
                Some((group, found)) = ears.found.recv() => {
                    let presence = ears.presence.borrow().clone();
                    self.found(group, found, &presence).await;
                }
                Some(order) = ears.orders.recv() => self.withdraw(order).await,
                Ok(()) = ears.presence.changed() => {
                    let presence = ears.presence.borrow_and_update().clone();
                    self.decide_all(|group, beside| warmed(group, beside, &presence)).await;
                }
                () = clock.until(deadline) => self.decide_all(|_, _| Some(Input::Timer)).await,
                _ = beats.tick() => self.mouth.heart.beat(),
            }
        }
    }

    /// A check has run.
    async fn found(&mut self, index: usize, found: Found, presence: &Presence) {
        let Some((group, beside)) = self.groups.get_mut(index) else { return };
        if found.verdict == Verdict::Pass {
            beside.passed.insert(found.check);
        }
        let warmth = warmed(group, beside, presence);
        let check = Input::Check { check: found.check, verdict: found.verdict.clone() };
        let inputs = [Some(check), warmth].into_iter().flatten().map(|input| (index, input));
        self.decide(inputs, Some(found.known)).await;
        self.note(index, &found);
    }

    /// Nothing is to be announced any more.
    async fn withdraw(&mut self, order: Withdraw) {
        let Withdraw { who, reason, decided } = order;
        self.decide_all(|_, _| {
            let order = Order { who: who.clone(), reason: reason.clone() };
            Some(Input::Intent(Intent::Withdraw { order, override_guard: false }))
        })
        .await;
        // Whoever ordered it may not care any more.
        let _ = decided.send(self.announced);
    }

    async fn decide_all(&mut self, mut input: impl FnMut(&Group, &mut Beside) -> Option<Input>) {
        let inputs = self.groups.iter_mut().enumerate();
        let inputs: Vec<_> =
            inputs.filter_map(|(index, (group, beside))| Some((index, input(group, beside)?))).collect();
        self.decide(inputs, None).await;
    }

    /// Hands inputs to the machines and carries out what they want: first the one decision that all of them lead to,
    /// then everything that people are told.
    async fn decide(&mut self, inputs: impl IntoIterator<Item = (usize, Input)>, verdict: Option<Timestamp>) {
        let now = self.mouth.clock.now();
        let before = self.announces();
        let (mut changed, mut events) = (false, Vec::new());
        let mut inputs: VecDeque<_> = inputs.into_iter().collect();
        while let Some((index, input)) = inputs.pop_front() {
            let Some((group, _)) = self.groups.get_mut(index) else { continue };
            group.track.note(&group.machine, &input, now);
            group.machine.handle(input, now);
            while let Some(action) = group.machine.poll_output() {
                match action {
                    Action::Announce(_) | Action::Resend => changed = true,
                    // Without a fleet there is nobody to ask.
                    Action::Permit(Wish::Ask) => inputs.push_back((index, Input::Permit(Permit::Held))),
                    Action::Permit(Wish::Release) => inputs.push_back((index, Input::Permit(Permit::None))),
                    Action::CheckSoon { check, at } => group.run_sooner(check, at),
                    Action::Remember(memory) => self.mouth.memories.send_modify(|memories| {
                        let kept = Kept::new(memory, self.mouth.clock.wall_at(now));
                        memories.insert(group.machine.settings().group.clone(), kept);
                    }),
                    Action::Event(event) => events.push((index, event)),
                }
            }
        }
        if before {
            self.announced = Some(now);
        }
        if changed {
            self.publish(verdict);
            // The peers' tasks write now, before anything is told to people.
            tokio::task::yield_now().await;
        }
        for (index, event) in events {
            if let Some((group, _)) = self.groups.get(index) {
                self.mouth.bus.tell(&event, Source::Group(group.name()));
            }
        }
        self.date();
        self.show();
    }

    fn announces(&self) -> bool {
        self.groups.iter().any(|(group, _)| group.machine.level() > Level::None)
    }

    fn publish(&self, verdict: Option<Timestamp>) {
        let level = |(group, _): &(Group, Beside)| GroupLevel {
            level: group.machine.level(),
            prefixes: group.prefixes.clone(),
        };
        let decision = Decision { groups: self.groups.iter().map(level).collect(), verdict };
        self.mouth.decision.send_replace(Arc::new(decision));
    }

    /// Counts a run of a check and draws it.
    fn note(&self, index: usize, found: &Found) {
        let Some((group, _)) = self.groups.get(index) else { return };
        let Some(check) = group.machine.settings().checks.get(found.check.0) else { return };
        let result = result_of(&found.verdict);
        self.mouth.metrics.count_check(check.service.as_str(), &check.name, result);
        let outcome = match result {
            api::CheckResult::Pass => {
                let rtt_ms = found.known.since(found.asked).as_secs_f32() * 1000.0;
                api::Outcome::Answered { site: 0, rtt_ms }
            }
            api::CheckResult::Fail => api::Outcome::Silent,
            api::CheckResult::Indeterminate => return,
        };
        let ribbon = u16::try_from(group.first_check + found.check.0).unwrap_or(u16::MAX);
        let at_ms = found.asked.as_nanos() / 1_000_000;
        let sample = api::Sample { ribbon, at_ms, outcome, family: Some(found.family) };
        // Nobody may be looking, or not fast enough.
        let _ = self.mouth.samples.try_send(sample);
    }

    /// Dates the states that have just begun.
    fn date(&mut self) {
        let clock = self.mouth.clock;
        for (group, beside) in &mut self.groups {
            let since = group.machine.since();
            if since != beside.since.0 {
                beside.since = (since, clock.wall_at(since));
            }
        }
    }

    fn show(&self) {
        let now = self.mouth.clock.now();
        let views = self.groups.iter().map(|(group, beside)| group.view(beside, now)).collect();
        self.mouth.views.send_replace(views);
    }
}

impl Group {
    fn name(&self) -> &GroupName {
        &self.machine.settings().group
    }

    fn run_sooner(&self, check: CheckId, at: Timestamp) {
        if let Some(task) = self.sooner.get(check.0) {
            // A full queue means that the check has been told already.
            let _ = task.try_send(at);
        }
    }

    /// What the API shows of the group. What each peer was told is for the peers to fill in.
    fn view(&self, beside: &Beside, now: Timestamp) -> api::Group {
        let machine = &self.machine;
        let prefix = |&prefix: &Prefix| api::PrefixStatus { prefix, peers: Vec::new() };
        api::Group {
            name: self.name().clone(),
            services: self.services.clone(),
            state: match machine.state() {
                announce::State::Boot => api::GroupState::Boot,
                announce::State::Warm => api::GroupState::Warm,
                announce::State::Up => api::GroupState::Up,
                announce::State::Suspect => api::GroupState::Suspect,
                announce::State::Held => api::GroupState::Held,
                announce::State::Drain => api::GroupState::Drain,
                announce::State::Down => api::GroupState::Down,
                announce::State::Off => api::GroupState::Off,
            },
            output: match machine.level() {
                Level::None => api::Output::None,
                Level::Gshut => api::Output::Gshut,
                Level::Depref => api::Output::Depref,
                Level::Normal => api::Output::Normal,
            },
            since: beside.since.1,
            reason: machine.reason().clone(),
            alarms: machine.alarms(now),
            prefixes: self.prefixes.iter().map(prefix).collect(),
            checks: machine
                .checks()
                .map(|check| api::Check {
                    service: check.settings.service.clone(),
                    name: check.settings.name.clone(),
                    last: check.last.map(result_of),
                    run: check.run,
                })
                .collect(),
        }
    }
}

fn result_of(verdict: &Verdict) -> api::CheckResult {
    match verdict {
        Verdict::Pass => api::CheckResult::Pass,
        Verdict::Fail { .. } => api::CheckResult::Fail,
        Verdict::Indeterminate { .. } => api::CheckResult::Indeterminate,
    }
}

/// The start-up gate as it stands, if it has moved.
fn warmed(group: &Group, beside: &mut Beside, presence: &Presence) -> Option<Input> {
    let missing = group.addresses.iter().find_map(|&at| presence.missing(at).map(|reason| (at, reason)));
    let checks = &group.machine.settings().checks;
    let silent = (0..checks.len()).map(CheckId).find(|check| !beside.passed.contains(check));
    let warmth = Warmth {
        ready: group.ready.clone(),
        address: match missing {
            None => Condition::met("on lo"),
            Some((address, reason)) => Condition::missing(format!("{address}: {reason}")),
        },
        self_query: match silent.and_then(|check| checks.get(check.0)) {
            None => Condition::met("answered through the listener"),
            Some(check) => Condition::missing(format!("{check} was not answered yet")),
        },
    };
    if warmth == beside.warmth {
        return None;
    }
    beside.warmth = warmth.clone();
    Some(Input::Warmth(warmth))
}

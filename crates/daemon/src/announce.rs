//! The decision loop: the driver of every announcement group's machine.
//!
//! ```text
//!   check tasks ──what they found──> ┌───────────────┐ ──decision (latest value)──> peer tasks
//!   address keeper ──presence──────> │ decision loop │ ──run this one sooner──────> check tasks
//!   clerk, stop ──commands─────────> │  a Machine    │ ──what to remember─────────> memory keeper
//!   reload ──other groups──────────> │  per group    │ ──wishes (latest)──────────> fleet
//!   fleet ──permits (latest)───────> │               │ ──views, samples───────────> API, page, clerk, fleet
//!   peer tasks ──what they told────> │               │ ──whom to count (latest)───> traffic
//!   traffic ──connections (latest)─> │               │ ──beats────────────────────> watchdog
//!   load ──loads (latest)──────────> │               │
//!   the machines' earliest deadline ─└───────────────┘
//! ```
//! One task for all groups: there are few, and a decision is then one value that holds the whole. It never waits for
//! anybody: every way out is a latest value, a queue that is dropped when full, or a counter.

mod blackhole;
mod command;
mod group;
mod kept;
mod permits;
mod readback;
mod regroup;
#[cfg(test)]
mod stage;
mod view;

pub(crate) use command::{Command, Leave};
pub(crate) use group::{Group, Seen, Slot};
pub(crate) use kept::Kept;
pub(crate) use permits::{Grants, Permits, Wishes};
pub(crate) use regroup::{Member, Regroup};
#[cfg(test)]
pub(crate) use stage::Stage;
pub(crate) use view::{output, state};

use crate::address::Presence;
use crate::check::Found;
use crate::clock::Clock;
use crate::event::Source;
use crate::events::Bus;
use crate::export::blackhole::Blackhole;
use crate::export::{Decision, GroupLevel};
use crate::load::Loads;
use crate::memory::{self, Memories};
use crate::metrics::Metrics;
use crate::status::Shown;
use crate::traffic::{Connections, Counted};
use crate::watchdog::{BEAT_EVERY, Heart};
use announce::{Action, Event, Input, Intent, Level, Readback, Reconciliation, State};
use group::Beside;
use std::collections::{BTreeMap, VecDeque};
use std::net::IpAddr;
use std::sync::Arc;
use terms::{GroupName, PeerName, Prefix, Reason, Timestamp, Verdict};
use tokio::sync::{mpsc, watch};
use tokio::time::{MissedTickBehavior, interval};

/// Where the decision loop hears of the world.
#[derive(Debug)]
pub(crate) struct Ears {
    pub(crate) found: mpsc::Receiver<(Slot, Found)>,
    pub(crate) presence: watch::Receiver<Presence>,
    pub(crate) commands: mpsc::Receiver<Command>,
    pub(crate) regroups: mpsc::Receiver<Regroup>,
    /// How many connections are open at the addresses that are being drained.
    pub(crate) connections: watch::Receiver<Connections>,
    /// How much each service has to do.
    pub(crate) loads: watch::Receiver<Loads>,
    /// The peers, and what each was told.
    pub(crate) shown: watch::Receiver<Shown>,
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
    /// Whose connections matter.
    pub(crate) counted: watch::Sender<Counted>,
}

/// The decision loop.
#[derive(Debug)]
pub(crate) struct Decider {
    groups: Vec<(Group, Beside)>,
    covers: Arc<[Prefix]>,
    /// Where the services are asked.
    addresses: Arc<[IpAddr]>,
    /// What peers are to drop.
    blackholes: Arc<[Blackhole]>,
    /// What the peers know of covers and blackholes, which are no group's.
    aside: Reconciliation,
    mouth: Mouth,
    permits: Permits,
    /// What operators have ordered.
    intents: BTreeMap<GroupName, Intent>,
    /// When something was announced last.
    announced: Option<Timestamp>,
    /// Whether the daemon is stopping.
    leaving: bool,
    /// How often each peer was to be told again.
    again: BTreeMap<PeerName, u64>,
    /// Whether every group has decided since the start.
    settled: bool,
}

impl Decider {
    /// A loop over groups at their start: nothing is announced.
    pub(crate) fn new(groups: Vec<Group>, covers: Arc<[Prefix]>, permits: Permits, mouth: Mouth) -> Self {
        let mut decider = Decider {
            groups: Vec::new(),
            covers,
            addresses: Arc::default(),
            blackholes: Arc::default(),
            aside: Reconciliation::default(),
            mouth,
            permits,
            intents: BTreeMap::new(),
            announced: None,
            leaving: false,
            again: BTreeMap::new(),
            settled: false,
        };
        decider.groups = groups.into_iter().map(|group| decider.with_beside(group)).collect();
        decider.addresses = decider.addresses();
        decider.publish(None);
        decider.show();
        decider
    }

    fn with_beside(&self, group: Group) -> (Group, Beside) {
        let since = group.machine.since();
        let beside = Beside::new((since, self.mouth.clock.wall_at(since)));
        (group, beside)
    }

    /// Decides for as long as anybody listens. `orders` stand from before the start.
    pub(crate) async fn run(mut self, mut ears: Ears, orders: BTreeMap<GroupName, Intent>) {
        let clock = self.mouth.clock;
        let mut beats = interval(BEAT_EVERY);
        beats.set_missed_tick_behavior(MissedTickBehavior::Delay);
        self.intend(&orders).await;
        loop {
            let deadlines = self.groups.iter().filter_map(|(group, _)| group.machine.deadline());
            let deadline = deadlines.chain(self.aside.resend_at()).min();
            tokio::select! {
                biased;
                Some((slot, found)) = ears.found.recv() => {
                    let presence = ears.presence.borrow().clone();
                    self.found(slot, found, &presence).await;
                }
                Some(command) = ears.commands.recv() => self.obey(command).await,
                Some(regroup) = ears.regroups.recv() => self.regroup(regroup).await,
                () = self.permits.news() => self.permitted().await,
                Ok(()) = ears.presence.changed() => {
                    let presence = ears.presence.borrow_and_update().clone();
                    self.decide_all(|group, beside| group.warmed(beside, &presence)).await;
                }
                Ok(()) = ears.connections.changed() => {
                    let connections = ears.connections.borrow_and_update().clone();
                    self.decide_all(|group, _| connected(group, &connections)).await;
                }
                Ok(()) = ears.loads.changed() => {
                    let loads = ears.loads.borrow_and_update().clone();
                    self.decide_all(|group, beside| group.loaded(beside, &loads)).await;
                }
                () = clock.until(deadline) => {
                    self.decide_all(|_, _| Some(Input::Timer)).await;
                    self.reconcile_aside(None);
                }
                _ = beats.tick() => {
                    self.mouth.heart.beat();
                    let peers = ears.shown.borrow().peers.clone();
                    self.read_back(&peers).await;
                }
            }
        }
    }

    /// A check has run. One of a group that is not looked after any more says nothing.
    async fn found(&mut self, slot: Slot, found: Found, presence: &Presence) {
        let Some(index) = self.groups.iter().position(|(group, _)| group.slot == slot) else { return };
        let Some((group, beside)) = self.groups.get_mut(index) else { return };
        if found.verdict == Verdict::Pass {
            beside.passed.insert(found.check);
        }
        match &found.seen {
            Some(seen) => beside.seen.insert(found.check, seen.clone()),
            None => beside.seen.remove(&found.check),
        };
        let warmth = group.warmed(beside, presence);
        let check = Input::Check { check: found.check, verdict: found.verdict.clone() };
        let inputs = [Some(check), warmth].into_iter().flatten().map(|input| (index, input));
        self.decide(inputs, Some(found.known)).await;
        self.note(index, &found);
    }

    /// Somebody asks. Whoever asked may not care for the answer any more.
    async fn obey(&mut self, command: Command) {
        match command {
            Command::Look { seen } => {
                let _ = seen.send(self.look());
            }
            Command::Intend { intents, told } if !self.leaving => {
                self.intend(&intents).await;
                let _ = told.send(());
            }
            Command::Intend { .. } => {}
            Command::Blackhole { blackholes, told } => {
                self.drop_traffic(blackholes);
                let _ = told.send(());
            }
            Command::Leave { leave, who, decided } => {
                self.leave(leave, &who).await;
                let _ = decided.send(self.announced);
            }
            Command::StandStill(asked) => asked.stand(self.keep()).await,
        }
    }

    async fn intend(&mut self, intents: &BTreeMap<GroupName, Intent>) {
        self.intents.extend(intents.clone());
        self.decide_all(|group, _| Some(Input::Intent(intents.get(group.name())?.clone()))).await;
    }

    async fn leave(&mut self, leave: Leave, who: &Reason) {
        let order = announce::Order { who: who.clone(), reason: Reason::from("the daemon stops") };
        let intent = match leave {
            Leave::InOrder => Intent::Drain(order),
            Leave::AtOnce => Intent::Withdraw { order, override_guard: true },
        };
        self.leaving = true;
        // A group that has gone by an operator's order is not called back to be drained.
        let concerns = |group: &Group| leave == Leave::AtOnce || group.machine.state() != State::Off;
        self.decide_all(|group, _| concerns(group).then(|| Input::Intent(intent.clone()))).await;
        self.publish(None);
        self.show();
    }

    fn look(&self) -> Vec<Seen> {
        let now = self.mouth.clock.now();
        let seen = |(group, _): &(Group, Beside)| Seen {
            machine: group.machine.clone(),
            services: group.services.clone(),
            prefixes: group.shown(),
            level: self.level(group),
            now,
        };
        self.groups.iter().map(seen).collect()
    }

    /// The fleet has said something; whether it is news is for the machines to judge.
    async fn permitted(&mut self) {
        let said = |(group, _): &(Group, Beside)| self.permits.answer(group.name()).map(Input::Permit);
        let said: Vec<_> = self.groups.iter().map(said).enumerate().collect();
        self.decide(said.into_iter().filter_map(|(index, input)| Some((index, input?))), None).await;
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
        let mut inputs: VecDeque<_> = inputs.into_iter().collect();
        if inputs.is_empty() {
            return;
        }
        let (mut changed, mut events) = (false, Vec::new());
        while let Some((index, input)) = inputs.pop_front() {
            let Some((group, beside)) = self.groups.get_mut(index) else { continue };
            group.track.note(&group.machine, &input, now);
            group.machine.handle(input, now);
            while let Some(action) = group.machine.poll_output() {
                match action {
                    Action::Announce(_) => {
                        beside.told = None;
                        changed = true;
                    }
                    Action::Permit(wish) => {
                        let answer = self.permits.wish(group.name(), wish);
                        inputs.extend(answer.map(|permit| (index, Input::Permit(permit))));
                    }
                    Action::Resend => {
                        if let Some(Readback::Differs { peers }) = &beside.told {
                            count_again(&mut self.again, peers);
                        }
                        changed = true;
                    }
                    Action::CheckSoon { check, at } => group.run_sooner(check, at),
                    Action::Remember(remembered) => self.mouth.memories.send_modify(|memories| {
                        let kept = memory::Kept::new(remembered, self.mouth.clock.wall_at(now));
                        memories.insert(group.machine.settings().group.clone(), kept);
                    }),
                    Action::Event(event) => events.push((index, event)),
                }
            }
        }
        if before {
            self.announced = Some(now);
        }
        if self.release() | self.settle() || changed {
            self.publish(verdict);
            // The peers' tasks write now, before anything is told to people.
            tokio::task::yield_now().await;
        }
        self.tell(events);
        self.date();
        self.count();
        self.show();
    }

    /// Notes when every group has decided for the first time. Answers whether that is news.
    fn settle(&mut self) -> bool {
        let before = self.settled;
        self.settled |= !self.groups.iter().any(|(group, _)| group.machine.is_starting());
        self.settled != before
    }

    fn tell(&self, events: Vec<(usize, Event)>) {
        let now = self.mouth.clock.now();
        for (index, event) in events {
            let Some((group, _)) = self.groups.get(index) else { continue };
            self.mouth.bus.tell(&event, Source::Group(group.name()));
            if let Event::Raised { .. } | Event::Cleared { .. } = event {
                self.mouth.bus.stand(group.name(), group.alarms(now));
            }
        }
    }

    /// How strongly a group is announced: as its machine says, but as the last resort at most while the daemon stops.
    fn level(&self, group: &Group) -> Level {
        let most = if self.leaving { Level::Gshut } else { Level::Normal };
        group.machine.level().min(most)
    }

    fn announces(&self) -> bool {
        self.groups.iter().any(|(group, _)| group.machine.level() > Level::None)
    }

    fn group_level(&self, group: &Group) -> GroupLevel {
        GroupLevel { level: self.level(group), prefixes: group.shown() }
    }

    fn publish(&self, verdict: Option<Timestamp>) {
        self.mouth.decision.send_replace(Arc::new(self.decision(verdict)));
    }

    fn decision(&self, verdict: Option<Timestamp>) -> Decision {
        Decision {
            groups: self.groups.iter().map(|(group, _)| self.group_level(group)).collect(),
            covers: Arc::clone(&self.covers),
            addresses: Arc::clone(&self.addresses),
            blackholes: Arc::clone(&self.blackholes),
            again: self.again.clone(),
            settled: self.settled,
            verdict,
        }
    }

    /// Counts a run of a check and draws it.
    fn note(&self, index: usize, found: &Found) {
        let Some((group, _)) = self.groups.get(index) else { return };
        let Some(check) = group.machine.settings().checks.get(found.check.0) else { return };
        let result = view::result(&found.verdict);
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
        let sample = api::Sample { ribbon, at_ms, outcome, family: found.family };
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

    /// Has the connections counted of those groups that are being drained.
    fn count(&self) {
        let draining = self.groups.iter().filter(|(group, _)| group.machine.state() == State::Drain);
        let counted: Counted = draining.flat_map(|(group, _)| group.addresses.iter().copied()).collect();
        self.mouth.counted.send_if_modified(|before| {
            let changes = *before != counted;
            *before = counted;
            changes
        });
    }

    fn show(&self) {
        let now = self.mouth.clock.now();
        let view = |(group, beside): &(Group, Beside)| view::group(group, beside, self.level(group), now);
        self.mouth.views.send_replace(self.groups.iter().map(view).collect());
    }
}

/// From now on these peers are to be told everything once more.
fn count_again(again: &mut BTreeMap<PeerName, u64>, peers: &[PeerName]) {
    peers.iter().for_each(|peer| *again.entry(peer.clone()).or_default() += 1);
}

/// How many connections a group that is being drained still has.
fn connected(group: &Group, connections: &Connections) -> Option<Input> {
    if group.machine.state() != State::Drain {
        return None;
    }
    let of_ours = group.addresses.iter().map(|address| connections.get(address));
    let count =
        of_ours.collect::<Option<Vec<_>>>()?.into_iter().fold(0, |sum: u32, more| sum.saturating_add(*more));
    Some(Input::Connections(count))
}

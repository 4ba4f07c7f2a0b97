//! On duty, for as long as the site file wants connections looked after.

use super::connections;
use super::event::Event;
use super::explain::{Asked, Unexplained, Witness};
use super::joining::none;
use super::keys::Keys;
use super::knowledge::{Knowledge, Shared, Standing, is_held};
use super::others::{LeftOut, Seen, relay};
use super::programs::Programs;
use super::said::Said;
use super::survey::{Hosts, Survey, Surveyed, Surveys};
use super::{Question, Wanted, Wires, view};
use crate::event::Source;
use crate::fleet::{ears::listen, presence};
use ::continuity::SiteNumber;
use ::fleet::{Key, Store};
use announce::permit::Speaker;
use api::{ContinuityState, FlowExplanation};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;
use terms::{Reason, Timestamp};
use tokio::sync::{mpsc, watch};
use tokio::task::JoinSet;
use tokio::time::{MissedTickBehavior, interval};

/// How often this host's connections are looked at.
const BEAT: Duration = Duration::from_secs(1);

/// What is heard of others is told to the programs at most so often.
const PAUSE: Duration = Duration::from_millis(100);

/// From one attempt at the programs or the keys to the next.
const RETRY: Duration = Duration::from_secs(5);

/// News of the store that wait.
const HEARD: usize = 64;

/// Nobody else's keys can be used, and none can be put in their place.
const STRANGE_KEYS: &str = "this version does not understand the keys in the fleet's store: \
                            bring all hosts to one version, or delete `continuity/v1/keys` there";

/// The decision loop is gone, and the daemon with it.
pub(super) struct Over;

/// On duty.
pub(super) struct Duty<'a, S> {
    store: &'a S,
    wires: &'a mut Wires,
    programs: &'a mut Programs,
}

impl<'a, S: Store> Duty<'a, S> {
    pub(super) fn new(store: &'a S, wires: &'a mut Wires, programs: &'a mut Programs) -> Self {
        Duty { store, wires, programs }
    }

    /// Until the site file does not want it any more.
    pub(super) async fn run(mut self, wanted: Wanted, speaker: Speaker, lease: Duration) -> Result<(), Over> {
        let (heard, mut ears) = mpsc::channel(HEARD);
        // Dropped, they take the lease along only when it lapses: a daemon that is back in time was never missed.
        let mut tasks = JoinSet::new();
        tasks.spawn(listen(self.store.clone(), Key::continuity(), heard));
        let mut saying: Option<watch::Sender<Said>> = None;
        let mut known = Knowledge::new(wanted, &speaker, lease, self.wires.clock.wall());
        let mut beats = interval(BEAT);
        beats.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut surveys = Surveys::default();
        let mut settle_at = None;
        loop {
            tokio::select! {
                _ = beats.tick() => {
                    self.look(&mut known);
                    self.step(&mut known, &mut tasks);
                    self.survey(&mut known, &mut surveys);
                    settle_at = Some(self.wires.clock.now());
                }
                Some(heard) = ears.recv() => {
                    known.hear(heard, self.wires.clock.now());
                    settle_at.get_or_insert(self.wires.clock.now() + PAUSE);
                }
                () = self.wires.clock.until(settle_at) => {
                    settle_at = None;
                    self.settle(&mut known);
                    let said = known.to_say(&self.wires.groups.borrow());
                    if let (None, Some(first)) = (&saying, &said) {
                        let (say, said) = watch::channel(first.clone());
                        let key = Key::continuity_host(&speaker);
                        tasks.spawn(presence::keep(self.store.clone(), key, lease, said, Said::encode));
                        saying = Some(say);
                    }
                    if let Some(say) = &saying {
                        say.send_if_modified(|last| last.follow(said));
                    }
                }
                Some(surveyed) = surveys.end() => self.surveyed(&mut known, &mut surveys, surveyed),
                Some(question) = self.wires.asked.recv() => match question {
                    Question::Flows(answer) => {
                        surveys.wait(answer);
                        self.survey(&mut known, &mut surveys);
                    }
                    Question::Explain(asked, answer) => {
                        // Whoever asked may have gone.
                        drop(answer.send(self.explain(&known, &speaker, asked)));
                    }
                },
                changed = self.wires.groups.changed() => {
                    changed.map_err(|_| Over)?;
                    settle_at.get_or_insert(self.wires.clock.now() + PAUSE);
                }
                changed = self.wires.wanted.changed() => {
                    changed.map_err(|_| Over)?;
                    let wanted = self.wires.wanted.borrow_and_update().clone();
                    let Some(wanted) = wanted else {
                        self.end(&mut known);
                        return Ok(());
                    };
                    known.follow(wanted);
                    beats.reset_immediately();
                }
                Some(_) = tasks.join_next() => {}
            }
        }
    }

    /// Looks at this host's own connections.
    fn look(&self, known: &mut Knowledge) {
        let Some(shared) = &known.keys else { return };
        let Wanted { section, services, .. } = &known.wanted;
        match connections::look(services, &shared.keys.filter, section.connections) {
            Ok(owned) => known.owned = Some(owned),
            Err(error) => {
                known.trouble = Some((Reason::from(error.to_string()), self.wires.clock.now() + RETRY));
            }
        }
    }

    /// Asks the store for the next step of the keys where one is due. What comes of it is heard.
    fn step(&self, known: &mut Knowledge, tasks: &mut JoinSet<()>) {
        let now = self.wires.clock.now();
        if !known.is_heard || now < known.step_at {
            return;
        }
        known.step_at = now + RETRY;
        let (expected, keys) = match &known.keys {
            None => (None, Keys::fresh()),
            Some(Shared { keys, revision: None }) => (None, keys.clone()),
            Some(Shared { keys, revision }) => (*revision, keys.advance()),
        };
        let store = self.store.clone();
        tasks.spawn(async move {
            // Somebody else may have been faster, which is as good.
            let _ = store.replace(&Key::continuity_keys(), expected, keys.encode()).await;
        });
    }

    /// Tells the programs what is known, and people how it stands.
    fn settle(&mut self, known: &mut Knowledge) {
        let now = self.wires.clock.now();
        for host in known.others.pass(now) {
            let seen = known.others.seen_by(&known.own);
            let connections =
                seen.iter().find(|seen| seen.speaker == host).map_or(0, |seen| seen.connections);
            self.wires.bus.tell(&Event::Dead { host, connections }, Source::Process);
        }
        // Tables that are pinned may be smaller than the site file would have them.
        known.own.room = known.own.room.min(self.programs.room().unwrap_or(usize::MAX));
        let seen = known.others.seen_by(&known.own);
        let is_held = is_held(&self.wires.groups.borrow());
        // Who is held is known without the fleet, and the programs may have been told of a relay long ago.
        if !is_held && let Err(error) = self.programs.end_relay() {
            known.trouble = Some((Reason::from(error.to_string()), now + RETRY));
        }
        let relay = is_held.then(|| relay(&seen, &known.own)).flatten();
        let standing = self.stand(known, &seen, relay, now);
        let relay = relay.filter(|_| standing == Standing::On);
        self.tell_of_others(known, &seen, relay);
        self.tell_of_keys(known);
        if known.standing != standing {
            let event = match &standing {
                Standing::Off(reason) => Some(Event::Off { reason: reason.clone() }),
                Standing::On => {
                    let owners = seen.iter().filter(|seen| seen.site.is_ok()).count();
                    Some(Event::On { interfaces: Reason::from(self.interfaces()), owners })
                }
                Standing::Waiting => None,
            };
            if let Some(event) = event {
                self.wires.bus.tell(&event, Source::Process);
            }
            (known.standing, known.since) = (standing, self.wires.clock.wall());
        }
        let situation = known.situation(&seen, &self.wires.groups.borrow());
        self.wires.situation.send_if_modified(|last| {
            let changes = *last != situation;
            *last = situation;
            changes
        });
        let shown = self.shown(known, &seen);
        self.wires.shown.send_if_modified(|last| last.replace(shown.clone()) != Some(shown));
    }

    /// Brings the programs to where they should be, as far as that is known.
    fn stand(
        &mut self,
        known: &mut Knowledge,
        seen: &[Seen],
        relay: Option<SiteNumber>,
        now: Timestamp,
    ) -> Standing {
        if let Some((reason, again)) = &known.trouble
            && now < *again
        {
            return Standing::Off(reason.clone());
        }
        let first = known.others.first_with_number(&known.own).cloned();
        let done =
            self.programs.make_ready(&known.wanted.section).and_then(|()| match (&first, &known.keys) {
                // Two sites with one number would each take what is for the other.
                (Some(_), _) => self.programs.let_pass(),
                (None, Some(shared)) if known.is_heard => {
                    self.programs.tell(&known.settings(&shared.keys, seen, relay))
                }
                (None, _) => Ok(()),
            });
        known.trouble = done.err().map(|error| (Reason::from(error.to_string()), now + RETRY));
        match (&known.trouble, first) {
            (Some((reason, _)), _) => Standing::Off(reason.clone()),
            (None, Some(Speaker { site, host })) => {
                let number = known.own.number;
                let words = format!(
                    "number {number} is that of host {host} of site {site}, which comes first by name: \
                     give this host another `number` in [continuity]"
                );
                Standing::Off(Reason::from(words))
            }
            (None, None) if known.is_heard && known.keys.is_some() => Standing::On,
            (None, None) if known.are_keys_strange => Standing::Off(Reason::from(STRANGE_KEYS)),
            (None, None) => Standing::Waiting,
        }
    }

    /// Tells what has changed about the others.
    fn tell_of_others(&self, known: &mut Knowledge, seen: &[Seen], relay: Option<SiteNumber>) {
        let tell = |event: Event| self.wires.bus.tell(&event, Source::Process);
        let out = seen.iter().filter_map(|seen| Some((seen.speaker.clone(), seen.site.as_ref().err()?)));
        let out: BTreeMap<Speaker, &LeftOut> = out.collect();
        for (host, why) in &out {
            if known.left_out.get(host) != Some(*why) {
                tell(Event::LeftOut { host: host.clone(), reason: Reason::from(why.to_string()) });
            }
        }
        for host in known.left_out.keys().filter(|host| !out.contains_key(*host)) {
            tell(Event::TakenIn { host: host.clone() });
        }
        known.left_out = out.into_iter().map(|(host, why)| (host, why.clone())).collect();
        let relay = relay
            .and_then(|number| seen.iter().find(|seen| seen.number == number && seen.site.is_ok()).cloned());
        let to = |relay: &Option<Seen>| relay.as_ref().map(|seen| seen.speaker.clone());
        match (to(&known.relay), to(&relay)) {
            (before, Some(now)) if before.as_ref() != Some(&now) => tell(Event::Relayed { to: now }),
            (Some(_), None) => tell(Event::RelayEnded),
            _ => {}
        }
        known.relay = relay;
    }

    /// Tells whether keys lie in the store that are none, while this host goes on with others. Without any it is off, which
    /// is told anyway.
    fn tell_of_keys(&self, known: &mut Knowledge) {
        let is_strange = known.are_keys_strange && known.keys.is_some();
        if is_strange != known.is_strangeness_told {
            let event = if is_strange { Event::StrangeKeys } else { Event::StrangeKeysGone };
            self.wires.bus.tell(&event, Source::Process);
        }
        known.is_strangeness_told = is_strange;
    }

    /// Nothing of what was told stands any longer.
    fn end(&self, known: &mut Knowledge) {
        known.are_keys_strange = false;
        self.tell_of_others(known, &[], None);
        self.tell_of_keys(known);
    }

    fn interfaces(&self) -> String {
        let words = self.programs.modes().map(|mode| {
            let interface = view::interface(mode);
            format!("{} ({})", interface.name, interface.mode)
        });
        words.collect::<Vec<_>>().join(", ")
    }

    fn shown(&self, known: &Knowledge, seen: &[Seen]) -> api::Continuity {
        let (state, reason) = match &known.standing {
            Standing::Off(reason) => (ContinuityState::Off, Some(reason.clone())),
            Standing::Waiting => (ContinuityState::Waiting, None),
            Standing::On => (ContinuityState::On, None),
        };
        api::Continuity {
            state,
            since: known.since,
            reason,
            number: known.own.number.get(),
            interfaces: self.programs.modes().map(view::interface).collect(),
            owned: known.owned.as_ref().map_or(0, |owned| owned.connections),
            relay: known.relay.as_ref().map(|seen| seen.speaker.site.clone()),
            forwarded: known.moved.forwarded.totals.clone(),
            received: known.moved.received.totals.clone(),
            owners: seen.iter().map(view::owner).collect(),
            // Programs that cannot be read have counted nothing that is known.
            packets: view::packets(&self.programs.counts().unwrap_or_default()),
            handed_over: view::handed_over(&self.wires.tally.numbers()),
            services: self.wires.services.all(),
        }
    }

    /// Where a connection goes.
    fn explain(
        &self,
        known: &Knowledge,
        speaker: &Speaker,
        asked: Asked,
    ) -> Result<FlowExplanation, Unexplained> {
        let seen = &known.others.seen_by(&known.own);
        Witness { site: &speaker.site, clock: self.wires.clock, programs: self.programs, known, seen }
            .explain(asked)
    }

    /// Looks at the connections that have moved, aside, where that is due.
    fn survey(&self, known: &mut Knowledge, surveys: &mut Surveys) {
        let now = self.wires.clock.now();
        if !surveys.is_due(now) {
            return;
        }
        match (self.programs.passages(), &known.keys) {
            (Ok(Some(tables)), Some(shared)) => {
                let hosts = Hosts {
                    others: known.others.seen_by(&known.own),
                    own: known.owned.as_ref().map(|owned| Arc::clone(&owned.filter)),
                    key: shared.keys.filter,
                };
                surveys.begin(Survey { tables, hosts, clock: self.wires.clock }, now);
            }
            // Without tables or keys nothing is known to have moved.
            _ => self.surveyed(known, surveys, Surveyed::default()),
        }
    }

    /// That has come of it: whoever has waited is told.
    fn surveyed(&self, known: &mut Knowledge, surveys: &mut Surveys, surveyed: Surveyed) {
        known.moved = surveyed;
        for answer in surveys.rest(self.wires.clock.now()) {
            // Whoever asked may have gone.
            drop(answer.send(self.flows(known)));
        }
    }

    /// The connections that have moved.
    fn flows(&self, known: &Knowledge) -> api::Flows {
        let seen = known.others.seen_by(&known.own);
        let Surveyed { forwarded, received } = &known.moved;
        api::Flows {
            forwarded: forwarded.latest.clone(),
            received: received.latest.clone(),
            more: forwarded.more + received.more,
            ..none(known.own.speaker.site.clone(), Some(self.shown(known, &seen)))
        }
    }
}

//! The fleet in one thread: virtual time, one queue of events, and chance from the seed.

mod asking;
mod blows;
mod machines;

use announce::permit::{self, Input, Output, Record, Speaker, Stored, Ticket, Turn};
use announce::{Intent, Level, Order, Permit, State, Wish};
use std::collections::BTreeMap;
use std::time::Duration;
use terms::{Reason, SiteName, Timestamp};

use crate::dice::Dice;
use crate::fault::Seams;
use crate::host::{Deed, Host, INTERVAL, checked, deeds, told, warm};
use crate::law::{Judge, Violation};
use crate::plan::{Blow, CALM, HostId, Plan, STORM};
use crate::store::{Answer, Down, Request, Store};

/// The driver gives a request up after so long.
const PATIENCE: Duration = Duration::from_secs(1);
/// The driver renews its lease and looks at those of others so often.
const TICK: Duration = Duration::from_secs(1);
/// So many results of a check change everything that they can.
const CHECKS: u32 = 8;

/// Everything that can happen.
enum Event {
    Blow(Blow),
    End(Blow),
    Start(HostId),
    Tick(HostId),
    /// Something within the process of a host; nothing when that process is gone.
    In(HostId, u32, Inner),
    /// A request reaches the store over a connection to that store.
    Arrives {
        from: HostId,
        life: u32,
        store: u32,
        ticket: Ticket,
        request: Request,
    },
}

enum Inner {
    Check,
    DecisionTimer(Timestamp),
    PermitTimer(Timestamp),
    ToPermit(Input),
    ToDecision(Permit, Turn),
    Told,
    Answer { store: u32, ticket: Ticket, answer: Answer },
    Notice { store: u32, stored: Stored },
    GiveUp(Ticket),
}

/// What a run came to.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Summary {
    pub events: u64,
    pub grants: u64,
    pub refusals: u64,
    pub changes: u64,
    pub ambiguous: u64,
    pub restored: u64,
    pub withdrawals: u64,
}

impl Summary {
    pub fn add(&mut self, other: Summary) {
        self.events += other.events;
        self.grants += other.grants;
        self.refusals += other.refusals;
        self.changes += other.changes;
        self.ambiguous += other.ambiguous;
        self.restored += other.restored;
        self.withdrawals += other.withdrawals;
    }
}

pub struct World {
    plan: Plan,
    seams: Seams,
    dice: Dice,
    now: Timestamp,
    queue: BTreeMap<(Timestamp, u64), Event>,
    queued: u64,
    hosts: Vec<Host>,
    store: Store,
    cut_until: BTreeMap<SiteName, Timestamp>,
    loss: usize,
    is_stormy: bool,
    judge: Judge,
    summary: Summary,
    violation: Option<Violation>,
}

impl World {
    pub fn new(plan: Plan, seams: Seams, seed: u64) -> Self {
        let hosts = plan.hosts.iter().zip(&plan.min_sites);
        let hosts = hosts.map(|(speaker, min_sites)| Host::new(speaker.clone(), *min_sites)).collect();
        let mut world = World {
            store: Store::new(seams.compares),
            loss: plan.loss,
            is_stormy: true,
            plan,
            seams,
            dice: Dice::new(!seed),
            now: Timestamp::ZERO,
            queue: BTreeMap::new(),
            queued: 0,
            hosts,
            cut_until: BTreeMap::new(),
            judge: Judge::default(),
            summary: Summary::default(),
            violation: None,
        };
        for host in 0..world.hosts.len() {
            let at = world.now + world.dice.millis(0, 1_500);
            world.at(at, Event::Start(host));
            world.at(at, Event::Tick(host));
        }
        for (at, blow) in world.plan.blows.clone() {
            world.at(at, Event::Blow(blow));
        }
        world
    }

    /// A whole storm, and the calm after it.
    pub fn run(mut self) -> Result<Summary, Violation> {
        self.run_until(Timestamp::ZERO + STORM + CALM)?;
        self.is_well()?;
        Ok(self.summary)
    }

    pub fn run_until(&mut self, end: Timestamp) -> Result<(), Violation> {
        while let Some(entry) = self.queue.first_entry().filter(|entry| entry.key().0 < end) {
            let ((at, _), event) = entry.remove_entry();
            self.now = at;
            self.summary.events += 1;
            let is_fact = matches!(&event, Event::Blow(_) | Event::End(_) | Event::Start(_));
            let before = self.store.record().cloned();
            self.happen(event);
            if is_fact {
                self.judge.allow(&self.hosts, &self.store);
            }
            let judged = self.judge.after_event(&self.hosts, &self.store);
            if let Some(violation) = self.violation.take().or(judged.err()) {
                let seconds = at.since(Timestamp::ZERO).as_secs_f64();
                return Err(format!("at {seconds:.3} s: {violation}\n{}", self.scene(before.as_ref())));
            }
        }
        self.now = end;
        Ok(())
    }

    /// What there is to see where the law was broken.
    fn scene(&self, before: Option<&Record>) -> String {
        let octets = |record: Option<&Record>| record.map(Record::encode).unwrap_or_default();
        let written = |record| String::from_utf8_lossy(&octets(record)).into_owned();
        let mut scene = format!("before {}\nafter {}", written(before), written(self.store.record()));
        for host in &self.hosts {
            let level = host.level();
            let permit =
                host.process.as_ref().map(|process| (process.permit.permit(), process.permit.phase()));
            scene += &format!("\n{}: {level}, by choice: {}, {permit:?}", host.speaker, host.by_choice);
        }
        scene
    }

    /// After the storm: everybody announces, everybody is counted on, and no slot is lost.
    pub fn is_well(&self) -> Result<(), Violation> {
        let record = self.store.record().ok_or("no record")?;
        for host in &self.hosts {
            let Speaker { site, host: name } = &host.speaker;
            let process = host.process.as_ref().ok_or_else(|| format!("{} does not run", host.speaker))?;
            let (state, permit) = (process.decision.state(), process.permit.permit());
            if state != State::Up || permit != Permit::None || !record.stands(site, name) {
                let stands = record.stands(site, name);
                return Err(format!(
                    "after the storm {} is {state}, its permit is {permit:?}, it stands: {stands}; {:?}; {:?}",
                    host.speaker,
                    process.permit.contact(),
                    process.permit.refusal(),
                ));
            }
        }
        let lost = record.away().count();
        if lost > 0 || record.taken() > 0 || record.debt() > 0 {
            return Err(format!("after the storm {lost} sites are still away in the record"));
        }
        if let Some((site, host)) = record.unconfirmed(record.youngest_doubt()).next() {
            return Err(format!("after the storm {site}/{host} has still not confirmed"));
        }
        Ok(())
    }

    pub fn now(&self) -> Timestamp {
        self.now
    }

    /// The levels of all hosts.
    pub fn levels(&self) -> Vec<Level> {
        self.hosts.iter().map(Host::level).collect()
    }

    /// What lies in the store.
    pub fn record(&self) -> Option<&Record> {
        self.store.record()
    }

    fn at(&mut self, at: Timestamp, event: Event) {
        self.queued += 1;
        self.queue.insert((at, self.queued), event);
    }

    fn inside(&mut self, host: HostId, at: Timestamp, inner: Inner) {
        let life = self.hosts[host].lives;
        self.at(at, Event::In(host, life, inner));
    }

    fn happen(&mut self, event: Event) {
        match event {
            Event::Blow(blow) => self.strike(blow),
            Event::End(blow) => self.mend(blow),
            Event::Start(host) => self.start(host),
            Event::Tick(host) => self.tick(host),
            Event::In(host, life, inner) => {
                let is_there = self.hosts[host].lives == life && self.hosts[host].process.is_some();
                if is_there {
                    self.inner(host, inner);
                }
            }
            Event::Arrives { from, life, store, ticket, request } => {
                self.arrives(from, life, store, ticket, request);
            }
        }
    }

    fn inner(&mut self, host: HostId, inner: Inner) {
        let now = self.now;
        let Some(process) = self.hosts[host].process.as_mut() else { return };
        match inner {
            Inner::Check => {
                process.checks_left = process.checks_left.saturating_sub(1);
                if process.checks_left > 0 {
                    self.inside(host, now + INTERVAL, Inner::Check);
                }
                let verdict = self.hosts[host].verdict();
                self.decide(host, checked(verdict));
            }
            Inner::DecisionTimer(at) => {
                if process.decision_timer.take_if(|timer| *timer == at).is_some() {
                    self.decide(host, announce::Input::Timer);
                }
            }
            Inner::PermitTimer(at) => {
                if process.permit_timer.take_if(|timer| *timer == at).is_some() {
                    self.permit(host, Input::Timer);
                }
            }
            Inner::ToPermit(input) => self.permit(host, input),
            Inner::ToDecision(permit, turn) => {
                if turn == process.turn {
                    self.decide(host, announce::Input::Permit(permit));
                }
            }
            Inner::Told => self.decide(host, told()),
            Inner::Answer { store, ticket, answer } => {
                let is_connected = process.store_life == Some(store) && self.store.life == store;
                if is_connected && !self.is_cut(host) {
                    self.answer(host, ticket, answer);
                }
            }
            Inner::Notice { store, stored } => {
                if process.store_life == Some(store) && self.store.life == store && !self.is_cut(host) {
                    self.permit(host, Input::Watched(stored));
                }
            }
            Inner::GiveUp(ticket) => {
                if let Some((_, _, is_change)) = process.asked.filter(|(asked, _, _)| *asked == ticket) {
                    self.answer(
                        host,
                        ticket,
                        if is_change { Answer::Ambiguous } else { Answer::Unavailable },
                    );
                }
            }
        }
    }

    /// The driver renews the lease of its host and looks at those of the others.
    fn tick(&mut self, id: HostId) {
        let now = self.now;
        self.at(now + TICK, Event::Tick(id));
        if self.is_cut(id) || self.store.down.is_some() {
            return;
        }
        let speaker = self.hosts[id].speaker.clone();
        let Some(process) = self.hosts[id].process.as_mut() else { return };
        if process.store_life != Some(self.store.life) {
            return;
        }
        self.store.renew(&speaker, now);
        let (mut gone, mut back) = (Vec::new(), Vec::new());
        for (site, member) in process.permit.record().members() {
            for (name, line) in member.hosts() {
                let other = Speaker { site: site.clone(), host: name.clone() };
                let has_lapsed = self.store.has_lapsed(&other, process.since, now);
                if has_lapsed && line.stands {
                    gone.push(other);
                } else if !has_lapsed && process.lapsed.contains(&other) {
                    back.push(other);
                }
            }
        }
        process.lapsed.extend(gone.iter().cloned());
        back.iter().for_each(|other| _ = process.lapsed.remove(other));
        self.expire_permits(id);
        for input in gone.into_iter().map(Input::Lapsed).chain(back.into_iter().map(Input::Present)) {
            self.permit(id, input);
        }
    }

    /// What nobody may do: free the permits of those whose lease lapsed.
    fn expire_permits(&mut self, id: HostId) {
        if !self.seams.expires {
            return;
        }
        let Some(record) = self.store.record().cloned() else { return };
        let Some(process) = self.hosts[id].process.as_ref() else { return };
        let has_lapsed = |site: &SiteName| {
            let hosts = self.hosts.iter().filter(|host| host.speaker.site == *site);
            hosts.into_iter().all(|host| self.store.has_lapsed(&host.speaker, process.since, self.now))
        };
        let expired = record.holders().map(|(site, _)| site.clone()).find(has_lapsed);
        if let Some(next) = expired.and_then(|site| record.release(&site, &Reason::from("expired")).ok()) {
            let writer = self.hosts[id].speaker.clone();
            self.store.put(next);
            let judged = self.judge.changed(&self.hosts, &writer, &record, &self.store, self.now);
            self.violation = self.violation.take().or(judged.err());
        }
    }

    fn start(&mut self, id: HostId) {
        if self.hosts[id].process.is_some() {
            return;
        }
        let seed = self.dice.number();
        self.hosts[id].start(seed, self.now);
        self.permit(id, Input::Timer);
        self.decide(id, warm());
        let intent = self.hosts[id].intent.clone();
        self.decide(id, announce::Input::Intent(intent));
        self.check(id);
    }

    /// The check runs until its results change nothing any more.
    fn check(&mut self, id: HostId) {
        let at = self.now + self.dice.millis(0, 500);
        let Some(process) = self.hosts[id].process.as_mut() else { return };
        if process.checks_left == 0 {
            self.inside(id, at, Inner::Check);
        }
        if let Some(process) = self.hosts[id].process.as_mut() {
            process.checks_left = CHECKS;
        }
    }

    fn stop(&mut self, id: HostId) {
        let host = &mut self.hosts[id];
        if host.announces() {
            host.announced_at = Some(self.now);
        }
        host.process = None;
    }

    fn is_cut(&self, id: HostId) -> bool {
        self.cut_until.get(&self.hosts[id].speaker.site).is_some_and(|until| *until > self.now)
    }

    fn site(&self, number: usize) -> SiteName {
        format!("s{number}").parse().unwrap()
    }

    fn hosts_of(&self, number: usize) -> Vec<HostId> {
        let site = self.site(number);
        (0..self.hosts.len()).filter(|&id| self.hosts[id].speaker.site == site).collect()
    }
}

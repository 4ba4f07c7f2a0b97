//! The fleet's driver: one permit machine per group, this host's presence, and what it sees of the other sites.
//!
//! ```text
//!   decision loop ──wishes, views (latest)──> ┌────────────────┐ ──reads, replaces──> Store (etcd)
//!   decision loop <──grants (latest)───────── │ driver         │ <──answers─────────────┘  │
//!   ears ──listing, changes (queue)─────────> │ a permit       │                           │
//!     ^                                       │ machine per    │ ──view (latest)──> API, page, metrics
//!     └──watch── Store                        │ group          │ ──what to say (latest)──> presence ──lease──> Store
//!   control socket ──release, retire────────> │                │
//!   clerk, office ──token, please───────────> └────────────────┘
//! ```
//! It runs with the attendants, and the decision loop never waits for it: wishes and grants are latest values. A store
//! that is slow or gone therefore changes nothing that is announced; it only means that no new permit comes.

mod desk;
mod ears;
mod joining;
mod metrics;
mod operator;
mod picture;
mod presence;
mod registry;
#[cfg(test)]
mod tests;
mod token;
mod view;

pub(crate) use desk::routes;
#[cfg(test)]
pub(crate) use joining::connect;
pub(crate) use joining::{Fleet, join};
pub(crate) use metrics::register;
pub(crate) use picture::other_sites;
pub(crate) use token::NoToken;

use crate::announce::{Grants, Wishes};
use crate::clock::Clock;
use crate::event::Source;
use crate::events::Bus;
use ::fleet::{Connection, Entry, Key, ReplaceError, Store};
use announce::permit::{Input, Machine, Output, Pace, Record, Revision, Settings, Speaker, Stored, Ticket};
use ears::Heard;
use operator::Request;
use registry::{Registry, Said};
use std::collections::BTreeMap;
use std::convert::Infallible;
use std::num::NonZeroU32;
use std::time::Duration;
use terms::{GroupName, Reason, SiteName, Timestamp};
use token::{Errand, Runner};
use tokio::sync::{mpsc, watch};
use tokio::task::JoinSet;

/// News of the store that wait for the driver; it takes each within microseconds.
const HEARD: usize = 64;

/// Orders of operators that wait. Each is answered within seconds.
const ORDERS: usize = 4;

/// Who this host is to the fleet.
#[derive(Clone, Debug)]
pub(crate) struct Identity {
    pub(crate) speaker: Speaker,
    pub(crate) min_sites: Option<NonZeroU32>,
    /// How long others count on this host without hearing of it.
    pub(crate) lease: Duration,
    /// What is said of the host itself; its groups are added.
    pub(crate) said: Said,
}

/// How the driver is connected with the rest of the daemon.
#[derive(Debug)]
pub(crate) struct Wires {
    pub(crate) clock: Clock,
    pub(crate) bus: Bus,
    /// Which groups ask for the permit.
    pub(crate) wishes: watch::Receiver<Wishes>,
    /// What the fleet says.
    pub(crate) grants: watch::Sender<Grants>,
    /// What each group announces.
    pub(crate) views: watch::Receiver<Vec<api::Group>>,
    /// What is shown of the fleet.
    pub(crate) shown: watch::Sender<api::FleetStatus>,
    /// What operators order about other sites.
    pub(crate) orders: mpsc::Receiver<Request>,
    /// What is to be done about operators' tokens.
    pub(crate) errands: mpsc::Receiver<Errand>,
}

/// The driver.
#[derive(Debug)]
pub(crate) struct Driver<S> {
    store: S,
    identity: Identity,
    wires: Wires,
    machines: BTreeMap<GroupName, Machine>,
    registry: Registry,
    /// The connection that was heard over last. A newer one may lead to a store that has forgotten.
    over: Option<Connection>,
    answers: JoinSet<(GroupName, Option<Connection>, Input)>,
    /// What our own presence task says.
    saying: watch::Sender<Said>,
}

impl<S: Store> Driver<S> {
    pub(crate) fn new(store: S, identity: Identity, wires: Wires) -> Self {
        let saying = watch::Sender::new(identity.said.clone());
        let registry = Registry::new(identity.lease);
        Driver {
            store,
            identity,
            wires,
            machines: BTreeMap::new(),
            registry,
            over: None,
            answers: JoinSet::new(),
            saying,
        }
    }

    /// Drives for as long as the thread lives. Dropped, it takes its tasks along.
    pub(crate) async fn run(mut self) -> Infallible {
        let (heard, mut ears) = mpsc::channel(HEARD);
        let mut helpers = JoinSet::new();
        helpers.spawn(ears::listen(self.store.clone(), heard));
        let key = Key::host(&self.identity.speaker);
        helpers.spawn(presence::keep(self.store.clone(), key, self.identity.lease, self.saying.subscribe()));
        self.look_at_groups();
        loop {
            self.carry_out();
            let deadline = self.deadline();
            tokio::select! {
                // News of the connection come before answers over it.
                biased;
                Some(heard) = ears.recv() => self.hear(heard),
                Some(answer) = self.answers.join_next() => {
                    // A call that panicked would have ended the process.
                    if let Ok((group, over, input)) = answer {
                        self.answered(&group, over, input);
                    }
                }
                Ok(()) = self.wires.views.changed() => {
                    if !self.look_at_groups() {
                        continue;
                    }
                }
                Ok(()) = self.wires.wishes.changed() => self.pass_wishes(),
                Some(request) = self.wires.orders.recv() => {
                    let bus = self.wires.bus.clone();
                    helpers.spawn(operator::carry_out(self.store.clone(), bus, request));
                }
                Some(errand) = self.wires.errands.recv() => {
                    let (store, site) = (self.store.clone(), self.identity.speaker.site.clone());
                    helpers.spawn(Runner { store, site, clock: self.wires.clock }.run(errand));
                }
                () = self.wires.clock.until(Some(deadline)) => self.time_passes(),
                Some(_) = helpers.join_next() => {}
            }
        }
    }

    fn now(&self) -> Timestamp {
        self.wires.clock.now()
    }

    fn deadline(&self) -> Timestamp {
        let machines = self.machines.values().map(Machine::deadline);
        let next = machines.chain(self.registry.deadline()).min();
        next.unwrap_or_else(|| self.now() + self.identity.lease)
    }

    /// Follows what the groups announce: one machine for each is told, and our own presence tells the others. Whether
    /// there was anything new: most views differ in the counts of checks alone.
    fn look_at_groups(&mut self) -> bool {
        let said = self.identity.said.with_groups(&self.wires.views.borrow_and_update());
        if *self.saying.borrow() == said {
            return false;
        }
        let now = self.now();
        for group in &said.groups {
            let settings = || Settings {
                group: group.name.clone(),
                speaker: self.identity.speaker.clone(),
                min_sites: self.identity.min_sites,
                pace: Pace::default(),
            };
            let machine = self.machines.entry(group.name.clone());
            let machine = machine.or_insert_with(|| Machine::new(settings(), rand::random(), now));
            machine.handle(Input::Announced(group.output != api::Output::None), now);
        }
        self.dismiss(&said, now);
        self.saying.send_replace(said);
        self.pass_wishes();
        true
    }

    /// A group that a reload took away is not announced, and its record must not say so for ever.
    fn dismiss(&mut self, said: &Said, now: Timestamp) {
        let Speaker { site, host } = &self.identity.speaker;
        self.machines.retain(|name, machine| {
            if said.groups.iter().any(|group| group.name == *name) {
                return true;
            }
            machine.handle(Input::Announced(false), now);
            machine.record().stands(site, host)
        });
    }

    fn pass_wishes(&mut self) {
        let (now, wishes) = (self.now(), self.wires.wishes.borrow_and_update().clone());
        for (group, (wish, turn)) in wishes {
            if let Some(machine) = self.machines.get_mut(&group) {
                machine.handle(Input::Wish { wish, turn }, now);
            }
        }
    }

    fn time_passes(&mut self) {
        let now = self.now();
        let said = self.saying.borrow().clone();
        self.dismiss(&said, now);
        for machine in self.machines.values_mut() {
            machine.handle(Input::Timer, now);
        }
        self.look_for_the_absent();
    }

    /// Tells the machines of hosts that nobody hears of any more, and of those that are back.
    fn look_for_the_absent(&mut self) {
        let now = self.now();
        let standing = self.machines.values().flat_map(|machine| hosts_that_stand(machine.record()));
        let (lapsed, back) = self.registry.absent(standing.collect(), now);
        for machine in self.machines.values_mut() {
            lapsed.iter().for_each(|gone| machine.handle(Input::Lapsed(gone.clone()), now));
            back.iter().for_each(|host| machine.handle(Input::Present(host.clone()), now));
        }
    }

    fn hear(&mut self, heard: Heard) {
        match heard {
            Heard::Everything(listing) => {
                if !self.is_current(Some(listing.over)) {
                    return;
                }
                self.registry.begin();
                listing.entries.iter().for_each(|entry| self.hear_entry(entry));
            }
            Heard::Put(entry) => self.hear_entry(&entry),
            Heard::Gone(key) => {
                if let Some(host) = key.as_host() {
                    self.registry.gone(&host);
                }
            }
            Heard::Nothing(why) => {
                self.registry.lose(why.clone());
                self.disconnect(&why);
            }
        }
        self.look_for_the_absent();
    }

    fn hear_entry(&mut self, entry: &Entry) {
        if let Some(host) = entry.key.as_host() {
            self.registry.hear(host, &entry.value);
        } else if let Some(group) = entry.key.as_group()
            && let (now, Some(machine)) = (self.wires.clock.now(), self.machines.get_mut(&group))
            && let Ok(stored) = decode(entry)
        {
            machine.handle(Input::Watched(stored), now);
        }
    }

    /// Whether what came over this connection may be believed. A newer one than before may lead to a store that was
    /// restored from a backup: everybody is told first. An older one is history.
    fn is_current(&mut self, over: Option<Connection>) -> bool {
        let Some(over) = over else { return true };
        let known = self.over.replace(over.max(self.over.unwrap_or(over)));
        if known.is_some_and(|known| over > known) {
            self.disconnect(&Reason::from("the store was connected to anew"));
        }
        known.is_none_or(|known| over >= known)
    }

    fn disconnect(&mut self, why: &Reason) {
        let now = self.now();
        for machine in self.machines.values_mut() {
            machine.handle(Input::Disconnected { why: why.clone() }, now);
        }
    }

    fn answered(&mut self, group: &GroupName, over: Option<Connection>, input: Input) {
        let is_current = self.is_current(over);
        let now = self.now();
        if let Some(machine) = self.machines.get_mut(group)
            && is_current
        {
            machine.handle(input, now);
        }
        self.look_for_the_absent();
    }

    /// Does what the machines want, and shows how everything stands.
    fn carry_out(&mut self) {
        let mut grants = None;
        for (group, machine) in &mut self.machines {
            while let Some(output) = machine.poll_output() {
                match output {
                    Output::Read { ticket } => {
                        let (store, group) = (self.store.clone(), group.clone());
                        self.answers.spawn(async move {
                            let (over, input) = read(&store, &Key::group(&group), ticket).await;
                            (group, over, input)
                        });
                    }
                    Output::Replace { ticket, expected, record } => {
                        let (store, group) = (self.store.clone(), group.clone());
                        self.answers.spawn(async move {
                            let (over, input) =
                                replace(&store, &Key::group(&group), ticket, expected, &record).await;
                            (group, over, input)
                        });
                    }
                    Output::Permit { permit, turn } => {
                        let grants: &mut Grants =
                            grants.get_or_insert_with(|| self.wires.grants.borrow().clone());
                        grants.insert(group.clone(), (permit, turn));
                    }
                    Output::Event(event) => self.wires.bus.tell(&event, Source::Group(group)),
                }
            }
        }
        if let Some(grants) = grants {
            self.wires.grants.send_replace(grants);
        }
        let status = view::status(&self.identity.speaker, &self.registry, &self.machines);
        self.wires.shown.send_if_modified(|shown| {
            let changes = *shown != status;
            *shown = status;
            changes
        });
    }
}

fn hosts_that_stand(record: &Record) -> impl Iterator<Item = Speaker> {
    let speakers = |site: &SiteName, member: &announce::permit::Member| {
        let hosts = member.hosts().iter().filter(|(_, host)| host.stands);
        hosts.map(|(host, _)| Speaker { site: site.clone(), host: host.clone() }).collect::<Vec<_>>()
    };
    record.members().iter().flat_map(move |(site, member)| speakers(site, member))
}

fn decode(entry: &Entry) -> Result<Stored, Reason> {
    let record = Record::decode(&entry.value).map_err(|error| Reason::from(error.to_string()))?;
    Ok(Stored { revision: Revision(entry.revision.0), record })
}

async fn read(store: &impl Store, key: &Key, ticket: Ticket) -> (Option<Connection>, Input) {
    match store.read(key).await {
        Err(error) => (None, Input::Unavailable { ticket, why: error.0 }),
        Ok(reading) => {
            let found = reading.entry.as_ref().map(decode).transpose();
            let input = match found {
                Ok(found) => Input::Stored { ticket, found },
                Err(why) => Input::Garbled { ticket, why },
            };
            (Some(reading.over), input)
        }
    }
}

async fn replace(
    store: &impl Store,
    key: &Key,
    ticket: Ticket,
    expected: Option<Revision>,
    record: &Record,
) -> (Option<Connection>, Input) {
    let expected = expected.map(|revision| ::fleet::Revision(revision.0));
    match store.replace(key, expected, record.encode()).await {
        Ok(written) => {
            (Some(written.over), Input::Replaced { ticket, revision: Revision(written.revision.0) })
        }
        Err(ReplaceError::Conflict) => (None, Input::Conflict { ticket }),
        Err(ReplaceError::Ambiguous(_)) => (None, Input::Ambiguous { ticket }),
        Err(ReplaceError::Unavailable(error)) => (None, Input::Unavailable { ticket, why: error.0 }),
    }
}

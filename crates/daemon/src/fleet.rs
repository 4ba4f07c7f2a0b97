//! The fleet's driver: one permit machine per group, this host's presence, and what it sees of the other sites.
//!
//! ```text
//!   decision loop ──wishes, views (latest)──> ┌────────────────┐ ──reads, replaces──> Store (etcd)
//!   load ──loads (latest)───────────────────> │                │                        │  │
//!   decision loop <──grants (latest)───────── │ driver         │ <──answers─────────────┘  │
//!   ears ──listing, changes (queue)─────────> │ a permit       │                           │
//!     ^                                       │ machine per    │ ──view (latest)──> API, page, metrics
//!     └──watch── Store                        │ group          │ ──what to say (latest)──> presence ──lease──> Store
//!   control socket ──release, retire────────> │                │
//!   clerk, office ──token, please───────────> └────────────────┘
//! ```
//! It runs with the attendants, and the decision loop never waits for it: wishes and grants are latest values. A store
//! that is slow or gone therefore changes nothing that is announced; it only means that no new permit comes.

mod asking;
mod desk;
mod dns;
pub(crate) mod ears;
mod joining;
mod load;
mod metrics;
mod operator;
mod picture;
pub(crate) mod presence;
mod registry;
#[cfg(test)]
mod tests;
mod token;
mod view;

pub(crate) use desk::routes;
pub(crate) use dns::DnsSaid;
pub(crate) use ears::{Heard, listen};
#[cfg(test)]
pub(crate) use joining::connect;
pub(crate) use joining::{Fleet, join, store_settings};
pub(crate) use metrics::register;
pub(crate) use picture::other_sites;
pub(crate) use registry::Said;
pub(crate) use token::NoToken;

use crate::announce::{Grants, Wishes};
use crate::clock::Clock;
use crate::event::Source;
use crate::events::Bus;
use crate::load::Loads;
use crate::succession::StandStill;
use ::fleet::{Connection, Entry, Key, Store};
use announce::permit::{Input, Machine, Output, Pace, Phase, Record, Settings, Speaker};
use asking::{decode, read, replace};
use load::Steady;
use operator::Request;
use registry::Registry;
use std::collections::BTreeMap;
use std::num::NonZeroU32;
use std::time::Duration;
use terms::{GroupName, Reason, SiteName, Timestamp};
use token::{Errand, Runner};
use tokio::sync::{mpsc, oneshot, watch};
use tokio::task::{JoinError, JoinSet};
use tokio::time::timeout;

/// News of the store that wait for the driver; it takes each within microseconds.
const HEARD: usize = 64;

/// Orders of operators that wait. Each is answered within seconds.
const ORDERS: usize = 4;

/// How long a daemon that stops in order takes leave of the fleet at most.
const FAREWELL: Duration = Duration::from_secs(1);

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
    /// How much each service has to do.
    pub(crate) loads: watch::Receiver<Loads>,
    /// What is said of DNS.
    pub(crate) dns: DnsSaid,
    /// What is shown of the fleet.
    pub(crate) shown: watch::Sender<api::FleetStatus>,
    /// What operators order about other sites.
    pub(crate) orders: mpsc::Receiver<Request>,
    /// What is to be done about operators' tokens.
    pub(crate) errands: mpsc::Receiver<Errand>,
    /// Another program is about to take over.
    pub(crate) still: mpsc::Receiver<StandStill<Kept>>,
}

/// What the driver hands to the program that takes over.
pub(crate) type Kept = BTreeMap<GroupName, Machine>;

/// What the store said to one machine, and over which connection.
type Answer = (GroupName, Option<Connection>, Input);

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
    answers: JoinSet<Answer>,
    steady: Steady,
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
            steady: Steady::default(),
            saying,
        }
    }

    /// The store that the sites share.
    pub(crate) fn store(&self) -> S {
        self.store.clone()
    }

    /// Goes on where the program before stood: what it held is held, and the store is asked anew.
    pub(crate) fn going_on(mut self, kept: Kept, grants: Grants) -> Self {
        let now = self.now();
        self.machines = kept;
        for machine in self.machines.values_mut() {
            machine.handle(Input::Configured { min_sites: self.identity.min_sites }, now);
            machine.handle(Input::Disconnected { why: Reason::from("another program took over") }, now);
        }
        self.wires.grants.send_replace(grants);
        self
    }

    /// Drives until `stopped` comes, and then takes leave. Dropped, it takes its tasks along.
    pub(crate) async fn run(mut self, mut stopped: oneshot::Receiver<()>) {
        let (heard, mut ears) = mpsc::channel(HEARD);
        let mut helpers = JoinSet::new();
        helpers.spawn(ears::listen(self.store.clone(), Key::root(), heard));
        let key = Key::host(&self.identity.speaker);
        let mut presence = JoinSet::new();
        let said = self.saying.subscribe();
        presence.spawn(presence::keep(self.store.clone(), key, self.identity.lease, said, Said::encode));
        self.look_at_groups();
        loop {
            self.carry_out();
            let deadline = self.deadline();
            tokio::select! {
                // News of the connection come before answers over it.
                biased;
                Some(heard) = ears.recv() => self.hear(heard),
                Some(answer) = self.answers.join_next() => self.answered(answer),
                _ = &mut stopped => {
                    // Where that takes too long, the lease lapses.
                    let _ = timeout(FAREWELL, self.take_leave(presence)).await;
                    return;
                }
                Ok(()) = self.wires.views.changed() => {
                    if !self.look_at_groups() {
                        continue;
                    }
                }
                Ok(()) = self.wires.loads.changed() => {
                    if !self.look_at_groups() {
                        continue;
                    }
                }
                () = self.wires.dns.changed() => {
                    if !self.look_at_groups() {
                        continue;
                    }
                }
                Ok(()) = self.wires.wishes.changed() => self.pass_wishes(),
                Some(asked) = self.wires.still.recv() => asked.stand(self.machines.clone()).await,
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

    /// Tells the records that nothing is announced here any more, then lets go of the lease: so the others find out
    /// why this host is away before they find that it is.
    async fn take_leave(mut self, mut presence: JoinSet<()>) {
        self.look_at_groups();
        self.carry_out();
        // A machine whose change came too late for the record tries again after a pause.
        while self.is_counted_on() || !self.answers.is_empty() {
            let deadline = self.deadline();
            tokio::select! {
                Some(answer) = self.answers.join_next() => self.answered(answer),
                () = self.wires.clock.until(Some(deadline)) => self.time_passes(),
            }
            self.carry_out();
        }
        drop(self.saying);
        presence.join_next().await;
    }

    /// Whether a record says of a group that it is announced here, and it is not.
    fn is_counted_on(&self) -> bool {
        let Speaker { site, host } = &self.identity.speaker;
        let mut machines = self.machines.values();
        machines.any(|machine| machine.phase() == Phase::Absent && machine.record().stands(site, host))
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
        let now = self.now();
        let said = {
            let (views, loads) = (self.wires.views.borrow_and_update(), self.wires.loads.borrow_and_update());
            self.steady.follow(&views, &loads, now);
            let said = self.identity.said.with_groups(&views, |group| self.steady.of(&group.name));
            self.wires.dns.of(said)
        };
        if *self.saying.borrow() == said {
            return false;
        }
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

    fn answered(&mut self, answer: Result<Answer, JoinError>) {
        // A call that panicked would have ended the process.
        let Ok((group, over, input)) = answer else { return };
        let is_current = self.is_current(over);
        let now = self.now();
        if let Some(machine) = self.machines.get_mut(&group)
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

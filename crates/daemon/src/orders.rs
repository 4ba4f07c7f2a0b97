//! The clerk: sees operators' orders about groups through, one at a time.
//!
//! ```text
//!   desk ──────────────order──> ┌───────┐ ──intents (command)──> decision loop ──wish──> fleet
//!                               │ clerk │ <──views (latest)───────────┘  └────<─permit──────┘
//!                               └───────┘ ──> store of this machine: what stands, for the next start
//!                                   └─what stands (latest)──> status
//! ```
//! An order that takes something away needs a token of the fleet, because operators may act on few sites at a time,
//! and then the fleet's permit. The group's machine asks for that one; the clerk waits for both, not for long, and
//! puts everything back where one does not come: then nothing has changed. A withdrawal of
//! several groups asks for all permits first, by draining, so that a refusal leaves no group in the dark.
//!
//! An order ends by the clock that only goes forward, so that setting the clock on the wall ends none early. After a
//! restart that clock is a new one, and the time of day that is on disk decides.

mod book;
mod plan;
mod request;

pub(crate) use book::{Orders, recall};
pub(crate) use request::Asked;

use crate::announce::{Command, Seen};
use crate::caller::Caller;
use crate::clock::Clock;
use crate::desk::{self, Duty, Ends, Refused};
use crate::event::{Event, ORDERS_NOT_KEPT, Source};
use crate::events::Bus;
use crate::memory;
use crate::status::Board;
use ::fleet::Embedded;
use announce::Intent;
use api::{Ordered, Refusal, Schema};
use book::Standing;
use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::time::Duration;
use terms::{GroupName, Reason, Timestamp, WallTime};
use tokio::sync::{mpsc, oneshot, watch};

/// How long an order waits for the fleet's permit.
pub(crate) const PERMIT_PATIENCE: Duration = Duration::from_secs(5);

/// An order about groups on its way.
pub(crate) type Request = desk::Request<api::Order, Ordered>;

/// What stands ordered, for everybody who asks.
pub(crate) type Shown = BTreeMap<GroupName, api::Intent>;

/// Carries out orders.
#[derive(Debug)]
pub(crate) struct Clerk {
    clock: Clock,
    bus: Bus,
    /// Where the orders are kept; none where it cannot be opened.
    store: Option<Embedded>,
    /// What is announced now, and what each peer was told of it.
    board: Board,
    decisions: mpsc::Sender<Command>,
    orders: Orders,
    /// When the orders end that do.
    ends: Ends<GroupName>,
    shown: watch::Sender<Shown>,
}

impl Clerk {
    /// A clerk who knows the orders that still stand. The decision loop knows them already.
    pub(crate) fn new(
        board: Board,
        store: Option<Embedded>,
        orders: Orders,
        decisions: mpsc::Sender<Command>,
        shown: watch::Sender<Shown>,
    ) -> Self {
        let (clock, bus) = (board.clock, board.bus.clone());
        let (now, wall) = (clock.now(), clock.wall());
        let end =
            |(group, standing): (&GroupName, &Standing)| Some((group.clone(), now + standing.left(wall)?));
        let ends = orders.iter().filter_map(end).collect();
        let clerk = Clerk { clock, bus, store, board, decisions, orders, ends, shown };
        clerk.show();
        clerk
    }

    async fn carry_out(&mut self, asked: &Asked) -> Result<Ordered, Refused> {
        let seen = asked.choose(self.look().await?)?;
        let standing = self.standing(asked);
        if asked.dry_run {
            return Ok(self.rehearse(asked, standing.as_ref(), &seen).await);
        }
        if let Err(because) = self.obey(asked, &seen).await {
            for one in &seen {
                let (order, because) = (asked.words(), Reason::from(&because.error));
                self.bus.tell(&Event::OrderRefused { order, because }, Source::Group(one.name()));
            }
            return Err(Refused::No(because));
        }
        let trouble = self.keep(asked, standing.as_ref(), &seen).await;
        let changes = plan::compare(&seen, &self.look().await?, &asked.intent, &self.board);
        Ok(self.answer(asked, standing.as_ref(), changes, trouble))
    }

    /// What would come of it, with what the fleet says to another action of an operator.
    async fn rehearse(&self, asked: &Asked, standing: Option<&Standing>, seen: &[Seen]) -> Ordered {
        let changes = plan::rehearse(seen, &asked.intent, &self.board);
        let (tokens, going) = (self.board.fleet.tokens(), asked.going(seen));
        if !tokens.are_needed() || going.is_empty() {
            return self.answer(asked, standing, changes, Vec::new());
        }
        match tokens.look(going).await {
            Ok(()) => {
                let remark = Reason::from("the fleet has an operator token for this site");
                self.answer(asked, standing, changes, vec![remark])
            }
            Err(no) => {
                let refused = self.answer(asked, standing, changes, vec![Reason::from(no.to_string())]);
                Ordered { accepted: false, ..refused }
            }
        }
    }

    fn answer(
        &self,
        asked: &Asked,
        standing: Option<&Standing>,
        mut groups: Vec<api::GroupChange>,
        trouble: Vec<Reason>,
    ) -> Ordered {
        let intent = standing.map(Standing::shown).unwrap_or_default();
        groups.iter_mut().for_each(|group| group.intent = intent.clone());
        Ordered {
            schema: Schema,
            site: self.board.site.clone(),
            kind: asked.kind,
            dry_run: asked.dry_run,
            accepted: plan::is_permitted(&groups),
            remarks: asked.remarks(&groups).into_iter().chain(trouble).collect(),
            groups,
        }
    }

    /// Has the machines obey, or puts everything back.
    async fn obey(&mut self, asked: &Asked, seen: &[Seen]) -> Result<(), Refusal> {
        let names: BTreeSet<GroupName> = seen.iter().map(|one| one.name().clone()).collect();
        if !asked.needs_permit() {
            return self.intend(&names, &asked.intent).await;
        }
        if let Some(never) = seen.iter().find(|one| one.machine.settings().never_withdraw) {
            return Err(request::never_withdrawn(never.name(), asked.kind));
        }
        let (tokens, begun) = (self.board.fleet.tokens(), self.clock.now());
        let taken = tokens.take(asked.going(seen), asked.words()).await;
        let taken = taken.map_err(|no| request::no_token(&no, asked.kind))?;
        // The token and the permit are waited for no longer than one of them.
        let patience = PERMIT_PATIENCE.saturating_sub(self.clock.now().since(begun));
        let outcome = self.leave(asked, &names, patience).await;
        if outcome.is_err() {
            tokens.give_back(taken);
        }
        outcome
    }

    /// Has the machines leave in order, once the fleet permits it.
    async fn leave(
        &self,
        asked: &Asked,
        names: &BTreeSet<GroupName>,
        patience: Duration,
    ) -> Result<(), Refusal> {
        self.intend(names, &asked.draining()).await?;
        if !self.come_true(names, patience, is_leaving).await {
            self.put_back(names).await?;
            return Err(request::not_permitted(names, asked.kind));
        }
        if !matches!(asked.intent, Intent::Withdraw { .. }) {
            return Ok(());
        }
        self.intend(names, &asked.intent).await?;
        let is_gone = |group: &api::Group| group.output == api::Output::None;
        if !self.come_true(names, PERMIT_PATIENCE, is_gone).await {
            self.put_back(names).await?;
            return Err(request::not_permitted(names, asked.kind));
        }
        Ok(())
    }

    /// Whether it becomes so for all of these groups, within the patience.
    async fn come_true(
        &self,
        names: &BTreeSet<GroupName>,
        patience: Duration,
        is_so: impl Fn(&api::Group) -> bool,
    ) -> bool {
        let mut views = self.board.groups.clone();
        let all =
            views.wait_for(|groups| groups.iter().all(|group| !names.contains(&group.name) || is_so(group)));
        matches!(tokio::time::timeout(patience, all).await, Ok(Ok(_)))
    }

    /// Lets the machines do what they were ordered before.
    async fn put_back(&self, names: &BTreeSet<GroupName>) -> Result<(), Refusal> {
        let before = |name: &GroupName| {
            let intent = self.orders.get(name).map_or(Intent::Normal, |standing| standing.intent.clone());
            (name.clone(), intent)
        };
        self.tell(names.iter().map(before).collect()).await
    }

    async fn intend(&self, names: &BTreeSet<GroupName>, intent: &Intent) -> Result<(), Refusal> {
        self.tell(names.iter().map(|name| (name.clone(), intent.clone())).collect()).await
    }

    async fn tell(&self, intents: BTreeMap<GroupName, Intent>) -> Result<(), Refusal> {
        let (told, answer) = oneshot::channel();
        self.decisions.send(Command::Intend { intents, told }).await.map_err(|_| request::stopping())?;
        answer.await.map_err(|_| request::stopping())
    }

    async fn look(&self) -> Result<Vec<Seen>, Refusal> {
        let (seen, answer) = oneshot::channel();
        self.decisions.send(Command::Look { seen }).await.map_err(|_| request::stopping())?;
        answer.await.map_err(|_| request::stopping())
    }

    /// What is to stand from now on; none where nothing is.
    fn standing(&self, asked: &Asked) -> Option<Standing> {
        let when = self.clock.wall();
        let until = asked.lasting.map(|lasting| {
            WallTime(when.0.saturating_add(u64::try_from(lasting.as_millis()).unwrap_or(u64::MAX)))
        });
        let stands = asked.intent != Intent::Normal;
        stands.then(|| Standing { intent: asked.intent.clone(), when, until })
    }

    /// Writes down what stands now and tells it. Answers with what went wrong.
    async fn keep(&mut self, asked: &Asked, standing: Option<&Standing>, seen: &[Seen]) -> Vec<Reason> {
        let now = self.clock.now();
        for name in seen.iter().map(Seen::name) {
            self.ends.remove(name);
            match standing {
                Some(standing) => drop(self.orders.insert(name.clone(), standing.clone())),
                None => drop(self.orders.remove(name)),
            }
            if let (Some(_), Some(lasting)) = (standing, asked.lasting) {
                self.ends.set(name.clone(), now + lasting);
            }
        }
        let kept = self.write().await;
        for one in seen {
            self.bus.tell(&Event::Ordered { order: asked.words() }, Source::Group(one.name()));
        }
        kept.err().into_iter().collect()
    }

    async fn write(&self) -> Result<(), Reason> {
        self.show();
        match book::keep(self.store.as_ref(), &self.orders).await {
            Ok(()) => {
                if self.bus.alarms().iter().any(|alarm| alarm.kind == ORDERS_NOT_KEPT) {
                    self.bus.tell(&Event::OrdersKept, Source::Process);
                }
                Ok(())
            }
            Err(reason) => {
                let words = format!("it is not on disk, a restart will forget it: {reason}");
                let path = PathBuf::from(memory::FILE);
                self.bus.tell(&Event::OrdersUnwritable { path, reason }, Source::Process);
                Err(Reason::from(words))
            }
        }
    }

    fn show(&self) {
        let shown = self.orders.iter().map(|(name, standing)| (name.clone(), standing.shown())).collect();
        self.shown.send_replace(shown);
    }
}

impl Duty for Clerk {
    type Order = api::Order;
    type Answer = Ordered;

    async fn serve(&mut self, order: api::Order, caller: Caller) -> Result<Ordered, Refused> {
        let asked = Asked::read(order, caller).await.map_err(Refused::Faulty)?;
        self.carry_out(&asked).await
    }

    fn next_end(&self) -> Option<Timestamp> {
        self.ends.next()
    }

    async fn expire(&mut self) {
        let over = self.ends.take_over(self.clock.now());
        // A daemon that stops gets no new intents; the next one finds that their time is over.
        if self.intend(&over, &Intent::Normal).await.is_err() {
            return;
        }
        for name in &over {
            if let Some(standing) = self.orders.remove(name) {
                let order = Reason::from(standing.intent.to_string());
                self.bus.tell(&Event::OrderExpired { order }, Source::Group(name));
            }
        }
        // An order that could not be written down stands all the same, and the alarm says so.
        let _ = self.write().await;
    }
}

/// Whether a group is being emptied with the fleet's permit, or announces nothing.
pub(crate) fn is_leaving(group: &api::Group) -> bool {
    group.state == api::GroupState::Drain || group.output == api::Output::None
}

/// What the machines are to be told at the start, of the orders that stand.
pub(crate) fn intents(orders: &Orders) -> BTreeMap<GroupName, Intent> {
    orders.iter().map(|(name, standing)| (name.clone(), standing.intent.clone())).collect()
}

#[cfg(test)]
mod tests;

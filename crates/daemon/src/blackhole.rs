//! Remotely triggered blackholes (RFC 5635, RFC 7999): has peers drop what is sent to one of our addresses, for a while.
//!
//! ```text
//!   desk ──────────────order──> ┌─────────┐ ──all that stand (command)──> decision loop ──decision──> peer tasks
//!                               │ trigger │
//!                               └─────────┘ ──> store of this machine: what stands, for the next start
//!                                    └─what stands (latest)──> status
//! ```
//! A blackhole is no order about a group: no machine hears of it, no permit is asked for, and every other route stays as
//! it is. It always has an end. Whether a peer is really told is decided anew with every decision, by
//! [`export::blackhole`](crate::export::blackhole), so that another site file or a group that is withdrawn takes it back
//! without anybody asking.
//!
//! It ends by the clock that only goes forward; after a restart the time of day that is on disk decides.

mod book;
mod event;
mod metrics;
mod request;
mod view;

pub(crate) use book::{Book, recall};
pub(crate) use event::Event;
pub(crate) use metrics::register;
pub(crate) use view::shown;

use crate::announce::Command;
use crate::caller::Caller;
use crate::clock::Clock;
use crate::desk::{self, Duty, Ends, Refused};
use crate::event::Source;
use crate::events::Bus;
use crate::export::Decision;
use crate::export::blackhole::{Blackhole, NotTold, judge};
use crate::memory;
use crate::status::{Board, Peer};
use ::bgp::session::StateName;
use ::fleet::Embedded;
use api::{BlackholeAnswer, BlackholeOrder, BlackholeOrderKind, Refusal, Schema};
use book::Standing;
use request::Asked;
use std::sync::Arc;
use std::time::Duration;
use terms::{Prefix, Reason, Timestamp};
use tokio::sync::{mpsc, oneshot, watch};
use view::{Outlook, outlooks};

/// An order about a blackhole on its way.
pub(crate) type Request = desk::Request<BlackholeOrder, BlackholeAnswer>;

/// How long the answer to an order waits for the peers' tasks to have told.
const TELLING: Duration = Duration::from_secs(1);

/// Carries out orders about blackholes, and ends them.
#[derive(Debug)]
pub(crate) struct Trigger {
    clock: Clock,
    bus: Bus,
    /// Where the blackholes are kept; none where it cannot be opened.
    store: Option<Embedded>,
    board: Board,
    decisions: mpsc::Sender<Command>,
    book: Book,
    /// When each ends.
    ends: Ends<Prefix>,
    shown: watch::Sender<Book>,
}

/// What the decision loop is to know of these.
pub(crate) fn wanted(book: &[Standing]) -> Arc<[Blackhole]> {
    book.iter().map(Standing::wanted).collect()
}

impl Trigger {
    /// One that knows what still stands. The decision loop knows it already.
    pub(crate) fn new(
        board: Board,
        store: Option<Embedded>,
        book: Book,
        decisions: mpsc::Sender<Command>,
        shown: watch::Sender<Book>,
    ) -> Self {
        let (clock, bus) = (board.clock, board.bus.clone());
        let (now, wall) = (clock.now(), clock.wall());
        let ends = book.iter().map(|standing| (standing.prefix, now + standing.left(wall))).collect();
        shown.send_replace(book.clone());
        Trigger { clock, bus, store, board, decisions, book, ends, shown }
    }

    async fn carry_out(&mut self, asked: Asked, dry_run: bool) -> Result<BlackholeAnswer, Refused> {
        let (prefix, next) = (asked.prefix(), self.next(&asked)?);
        let (kind, subject) = match &asked {
            Asked::Begin { standing, .. } => (BlackholeOrderKind::Begin, standing.clone()),
            Asked::End { .. } => (BlackholeOrderKind::End, self.standing(prefix)?.clone()),
        };
        let decision = Decision { blackholes: wanted(&next), ..self.decision() };
        let peers = self.peers();
        let mut remarks = match kind {
            BlackholeOrderKind::Begin => consider(&subject, &decision, &peers)?,
            BlackholeOrderKind::End => Vec::new(),
        };
        if !dry_run {
            self.want(&next).await.map_err(Refused::No)?;
            remarks.extend(self.note(asked, next).await);
            told(prefix, &decision, &peers).await;
        }
        Ok(BlackholeAnswer {
            schema: Schema,
            site: self.board.site.clone(),
            kind,
            dry_run,
            blackhole: shown(&subject, &decision, &peers),
            remarks,
        })
    }

    fn decision(&self) -> Decision {
        Decision::clone(&self.board.decision.borrow())
    }

    fn peers(&self) -> Vec<Peer> {
        self.board.shown.borrow().peers.clone()
    }

    fn standing(&self, prefix: Prefix) -> Result<&Standing, Refused> {
        let standing = self.book.iter().find(|standing| standing.prefix == prefix);
        standing.ok_or_else(|| request::none_stands(prefix, &self.book))
    }

    /// What stands once the order is carried out. One that is ordered again keeps its place.
    fn next(&self, asked: &Asked) -> Result<Book, Refused> {
        let mut book = self.book.clone();
        match asked {
            Asked::Begin { standing, .. } => {
                match book.iter_mut().find(|before| before.prefix == standing.prefix) {
                    Some(before) => *before = standing.clone(),
                    None => book.push(standing.clone()),
                }
            }
            Asked::End { prefix, .. } => {
                let gone = self.standing(*prefix)?.prefix;
                book.retain(|standing| standing.prefix != gone);
            }
        }
        Ok(book)
    }

    /// Has the peers told.
    async fn want(&self, book: &[Standing]) -> Result<(), Refusal> {
        let stopping =
            || Refusal::because("the daemon is stopping; its peers forget every blackhole by themselves");
        let (told, answer) = oneshot::channel();
        let command = Command::Blackhole { blackholes: wanted(book), told };
        self.decisions.send(command).await.map_err(|_| stopping())?;
        answer.await.map_err(|_| stopping())
    }

    /// Writes down what stands now and tells it. Answers with what went wrong.
    async fn note(&mut self, asked: Asked, book: Book) -> Option<Reason> {
        self.book = book;
        let prefix = asked.prefix();
        let event = match asked {
            Asked::Begin { standing, lasting } => {
                self.ends.set(prefix, self.clock.now() + lasting);
                let Standing { who, reason, .. } = standing;
                let guard = if standing.override_guard { ", guard overridden" } else { "" };
                let order = Reason::from(format!("{who}, for {} s{guard}: {reason}", lasting.as_secs()));
                Event::Begun { order }
            }
            Asked::End { by, .. } => {
                self.ends.remove(&prefix);
                Event::Ended { order: by }
            }
        };
        let kept = self.write().await;
        self.bus.tell(&event, Source::Prefix(prefix));
        kept.err()
    }

    async fn write(&self) -> Result<(), Reason> {
        self.shown.send_replace(self.book.clone());
        match book::keep(self.store.as_ref(), &self.book).await {
            Ok(()) => {
                if self.bus.alarms().iter().any(|alarm| alarm.kind == event::NOT_KEPT) {
                    self.bus.tell(&Event::Kept, Source::Process);
                }
                Ok(())
            }
            Err(reason) => {
                let words = format!("it is not on disk, a restart will forget it: {reason}");
                let path = memory::FILE.into();
                self.bus.tell(&Event::Unwritable { path, reason }, Source::Process);
                Err(Reason::from(words))
            }
        }
    }
}

impl Duty for Trigger {
    type Order = BlackholeOrder;
    type Answer = BlackholeAnswer;

    async fn serve(&mut self, order: BlackholeOrder, caller: Caller) -> Result<BlackholeAnswer, Refused> {
        let (prefix, dry_run) = (order.prefix, order.dry_run);
        let asked = Asked::read(order, caller, self.clock.wall()).await.map_err(Refused::Faulty)?;
        let outcome = self.carry_out(asked, dry_run).await;
        if let (Err(Refused::No(refusal)), false) = (&outcome, dry_run) {
            let because = Reason::from(&refusal.error);
            self.bus.tell(&Event::Refused { because }, Source::Prefix(prefix));
        }
        outcome
    }

    fn next_end(&self) -> Option<Timestamp> {
        self.ends.next()
    }

    async fn expire(&mut self) {
        let ended = self.ends.take_over(self.clock.now());
        let (over, left): (Book, Book) =
            std::mem::take(&mut self.book).into_iter().partition(|standing| ended.contains(&standing.prefix));
        self.book = left;
        // A daemon that stops takes every route back by itself.
        let _ = self.want(&self.book).await;
        for standing in over {
            let order = standing.words();
            self.bus.tell(&Event::Expired { order }, Source::Prefix(standing.prefix));
        }
        // What could not be written down has ended all the same, and the alarm says so.
        let _ = self.write().await;
    }
}

/// Whether the order about `standing`, which the decision has, may be carried out, and what to say about it.
fn consider(standing: &Standing, decision: &Decision, peers: &[Peer]) -> Result<Vec<Reason>, Refused> {
    let prefix = standing.prefix;
    let groups = decision.groups.iter().flat_map(|group| group.prefixes.iter());
    let ours: Vec<Prefix> = groups.chain(decision.covers.iter()).copied().collect();
    judge(decision, &standing.wanted()).map_err(|why| request::not_droppable(prefix, &why, &ours))?;
    let outlooks = outlooks(prefix, decision, peers);
    let takers: Vec<&Outlook> = outlooks.iter().filter(|outlook| outlook.takes).collect();
    let names: Vec<String> = takers.iter().map(|outlook| outlook.peer.to_string()).collect();
    for name in &standing.peers {
        let asked = outlooks.iter().find(|outlook| outlook.peer == *name);
        let asked = asked.ok_or_else(|| request::no_such_peer(name, &names))?;
        if let Some(why) = asked.never() {
            return Err(request::not_taken(name, prefix, why, &names));
        }
    }
    let first = takers.first().ok_or_else(request::nobody_takes)?;
    let full = takers.iter().find(|outlook| matches!(outlook.gets, Err(NotTold::Full { .. })));
    let nobody = takers.iter().all(|outlook| outlook.never().is_some()).then_some(first);
    if let Some(outlook) = full.or(nobody)
        && let Some(why) = outlook.never()
    {
        return Err(request::not_taken(&outlook.peer, prefix, why, &names));
    }
    Ok(remarks(standing, decision, &takers))
}

/// What an operator may not expect.
fn remarks(standing: &Standing, decision: &Decision, takers: &[&Outlook]) -> Vec<Reason> {
    let hit = decision.addresses.iter().filter(|address| standing.prefix.contains(**address));
    let hit = hit.map(|address| {
        format!("the service at {address} is gone for whoever reaches it through these peers")
    });
    let untold = takers.iter().filter_map(|Outlook { peer, gets, .. }| match gets {
        Ok(_) | Err(NotTold::NotAsked) => None,
        Err(why) if why.may_pass() => Some(format!("{peer} is not told yet: {why}")),
        Err(why) => Some(format!("{peer} is not told: {why}")),
    });
    hit.chain(untold).map(Reason::from).collect()
}

/// Waits, not for long, until every peer with a session was told what it is to know of this prefix.
async fn told(prefix: Prefix, decision: &Decision, peers: &[Peer]) {
    let all = async {
        for (peer, outlook) in peers.iter().zip(outlooks(prefix, decision, peers)) {
            let wanted = outlook.gets.ok();
            let mut view = peer.view.clone();
            let knows = view.wait_for(|view| {
                let has = view.ledger.entry(prefix).and_then(|entry| entry.attributes.as_ref());
                view.state != StateName::Established || has == wanted.as_ref()
            });
            // A task that has ended tells nothing.
            let _ = knows.await;
        }
    };
    // One that does not take what it is sent is shown as it stands.
    let _ = tokio::time::timeout(TELLING, all).await;
}

#[cfg(test)]
mod tests;

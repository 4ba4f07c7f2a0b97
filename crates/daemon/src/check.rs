//! Runs one health check over and over.
//!
//! ```text
//!   decision loop ──run this one sooner──> [check task] ──what it found──> decision loop
//!                                            │    ^
//!                                     a run  v    │ what it found
//!                                           [Asker]      a module for each kind: how it is asked
//!                                            │    ^
//!                       from the service's   │    │
//!                       own address          v    │
//!                                          the service
//! ```
//! The question goes to the service address and comes from it, so that it takes the way of the users' questions into
//! the service and cannot leave the host: were the address missing, binding to it would fail, where an ordinary socket
//! would be answered by another site. The port is new each time, because several workers may share the service port
//! and the kernel picks one by the ports: one hung worker of many is found.
//!
//! A check that could not run says nothing about the service ([`Verdict::Indeterminate`]): no descriptor, no memory, no
//! process, an address that is being put back, or a scheduler of ours that was late by more than an interval.
//!
//! When a run is due is decided here, on the thread of the decisions. A run that computes (TLS) or that the system may
//! hold up (processes, files) is made on a thread of its own, the [`Workshop`], with its time-out and the judgement
//! whether it was late: were that thread held up, its checks would say nothing, and nothing would be withdrawn for it.

mod asker;
mod clock;
mod dns;
mod exec;
mod file;
mod http;
mod icmp;
mod negative;
mod passive;
mod tcp;
#[cfg(test)]
mod tests;
mod tls;
mod way;
mod workshop;
mod zones;

use crate::address::Presence;
use crate::announce::Slot;
use crate::clock::Clock;
use ::check::Finding;
use announce::{CheckId, CheckSettings};
pub(crate) use asker::{Asker, Surroundings};
pub use negative::{CanFail, Proof, prove};
use std::sync::Arc;
use std::time::Duration;
use terms::{Family, Reason, Timestamp, Verdict};
use tokio::sync::{mpsc, watch};
use tokio::task::JoinSet;
use tokio::time::timeout_at;
pub(crate) use workshop::Workshop;

/// One check of one service, through one of its addresses where it asks those.
#[derive(Clone, Debug)]
pub(crate) struct Probe {
    /// Which group it belongs to.
    group: Slot,
    /// Which check of its group it is.
    check: CheckId,
    /// How it asks.
    asker: Arc<Asker>,
    /// From the start of one run to the start of the next.
    interval: Duration,
    /// How long it waits for the answer.
    timeout: Duration,
    /// Where runs are made that may be held up.
    workshop: tokio::runtime::Handle,
}

/// What one run found.
#[derive(Clone, Debug)]
pub(crate) struct Found {
    /// Which check of its group it was.
    pub(crate) check: CheckId,
    /// What it found.
    pub(crate) verdict: Verdict,
    /// What was seen beside the verdict.
    pub(crate) seen: Option<String>,
    /// Over which family it asked, if it asked over the network.
    pub(crate) family: Option<Family>,
    /// When the question was sent.
    pub(crate) asked: Timestamp,
    /// When that was known.
    pub(crate) known: Timestamp,
}

impl Probe {
    /// The check of that place in that group.
    pub(crate) fn new(
        (group, check): (Slot, CheckId),
        settings: &CheckSettings,
        written: &config::Probe,
        surroundings: &Surroundings,
    ) -> Self {
        Probe {
            group,
            check,
            asker: Arc::new(Asker::new(&settings.service, &written.question, surroundings)),
            interval: settings.interval,
            timeout: written.timeout,
            workshop: surroundings.workshop.clone(),
        }
    }

    /// Runs the check until nobody wants to hear of it.
    pub(crate) async fn run(
        self,
        clock: Clock,
        presence: watch::Receiver<Presence>,
        mut sooner: mpsc::Receiver<Timestamp>,
        found: mpsc::Sender<(Slot, Found)>,
    ) {
        let mut due = clock.now();
        loop {
            tokio::select! {
                () = clock.until(Some(due)) => {}
                at = sooner.recv() => match at {
                    Some(at) => { due = due.min(at.max(clock.now())); continue }
                    None => return,
                },
            }
            let asked = clock.now();
            let finding = match too_late(due, asked, self.interval) {
                Some(reason) => Verdict::Indeterminate { reason }.into(),
                None => self.ask(&clock, &presence).await,
            };
            let Finding { verdict, seen } = finding;
            let family = self.asker.family();
            let run = Found { check: self.check, verdict, seen, family, asked, known: clock.now() };
            if found.send((self.group, run)).await.is_err() {
                return;
            }
            due = following(due, clock.now(), self.interval);
        }
    }

    /// One run, wherever runs of its kind are made.
    async fn ask(&self, clock: &Clock, presence: &watch::Receiver<Presence>) -> Finding {
        let run = ask_in_time(
            Arc::clone(&self.asker),
            self.timeout,
            self.interval,
            *clock,
            presence.borrow().clone(),
        );
        if !self.asker.may_be_held_up() {
            return run.await;
        }
        // Dropped, it ends the run.
        let mut workers = JoinSet::new();
        workers.spawn_on(run, &self.workshop);
        match workers.join_next().await {
            Some(Ok(finding)) => finding,
            Some(Err(_)) | None => Verdict::indeterminate("the daemon is ending").into(),
        }
    }
}

/// One run and its time-out.
async fn ask_in_time(
    asker: Arc<Asker>,
    timeout: Duration,
    interval: Duration,
    clock: Clock,
    presence: Presence,
) -> Finding {
    let deadline = clock.now() + timeout;
    let give_up = tokio::time::Instant::now() + timeout;
    match timeout_at(give_up + asker.grace(), asker.ask(give_up)).await {
        Ok(Ok(finding)) => finding,
        Ok(Err(error)) => asker.judge_error(&error, &presence).into(),
        Err(_) => match too_late(deadline, clock.now(), interval) {
            Some(reason) => Verdict::Indeterminate { reason }.into(),
            None => asker.judge_silence(timeout).into(),
        },
    }
}

/// Why a run says nothing, where our own scheduler woke us more than an interval after `due`.
fn too_late(due: Timestamp, now: Timestamp, interval: Duration) -> Option<Reason> {
    let late = now.since(due);
    (late > interval).then(|| format!("our own scheduler was {} ms late", late.as_millis()).into())
}

/// When the next run starts: one interval after this one was due. Runs that were missed are not made up for.
fn following(due: Timestamp, now: Timestamp, interval: Duration) -> Timestamp {
    (due + interval).max(now)
}

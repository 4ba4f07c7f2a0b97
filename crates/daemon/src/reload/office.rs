//! The office: reads the file, judges it, has it applied, and takes it back where nobody confirms it.

use super::Change;
use super::desk::{Desk, Request};
use super::difference::{Difference, GroupStep};
use super::guard::{self, Judgement};
use super::restart::Exit;
use crate::error::Error;
use crate::event::{Event, Source};
use crate::events::Bus;
use crate::status::Board;
use crate::watchdog::tell_manager;
use api::{IntentKind, ReloadAnswer, ReloadOrder, ReloadVerdict, Status};
use config::SiteFile;
use document::{Faults, Style};
use sd_notify::NotifyState;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::time::Duration;
use terms::{GroupName, Reason, Timestamp};
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::{mpsc, oneshot};

/// From one attempt to take a file back to the next, where the system refuses.
const AGAIN: Duration = Duration::from_secs(5);

/// A site file and where it was read.
#[derive(Clone, Debug)]
pub(super) struct InForce {
    pub(super) path: PathBuf,
    pub(super) site_file: SiteFile,
}

/// A file that is taken back unless somebody confirms the one that replaced it.
#[derive(Debug)]
pub(super) struct Pending {
    before: InForce,
    until: Timestamp,
}

/// Takes one order after the other.
#[derive(Debug)]
pub(crate) struct Office {
    pub(super) now: InForce,
    pub(super) pending: Option<Pending>,
    pub(super) board: Board,
    pub(super) exit: Exit,
    changes: mpsc::Sender<Change>,
    desk: Desk,
    requests: mpsc::Receiver<Request>,
}

impl Office {
    /// An office of a site whose file was read at `path`.
    pub(crate) fn new(
        path: &Path,
        site_file: SiteFile,
        board: Board,
        changes: mpsc::Sender<Change>,
        exit: Exit,
    ) -> Self {
        let (desk, requests) = Desk::new();
        let now = InForce { path: path.to_owned(), site_file };
        Office { now, pending: None, board, exit, changes, desk, requests }
    }

    /// Where orders come in.
    pub(crate) fn desk(&self) -> Desk {
        self.desk.clone()
    }

    /// Works until the task is aborted.
    pub(crate) async fn run(mut self) {
        // Without this, the signal would end the process.
        let Ok(mut hangups) = signal(SignalKind::hangup()) else { return };
        loop {
            let deadline = self.pending.as_ref().map(|pending| pending.until);
            tokio::select! {
                _ = hangups.recv() => drop(self.reload(ReloadOrder::default()).await),
                Some(request) = self.requests.recv() => match request {
                    // Whoever asked may be gone, and what was done stays done.
                    Request::Reload(order, answer) => drop(answer.send(self.reload(order).await)),
                    Request::Confirm(answer) => drop(answer.send(self.confirm())),
                    Request::Restart(answer) => self.restart(answer).await,
                },
                () = self.board.clock.until(deadline) => self.take_back().await,
            }
        }
    }

    /// Carries out an order, with the service manager told.
    async fn reload(&mut self, order: ReloadOrder) -> ReloadAnswer {
        let mut states = vec![NotifyState::Reloading];
        states.extend(NotifyState::monotonic_usec_now().ok());
        tell_manager(&states);
        let path = order.path.clone().unwrap_or_else(|| self.now.path.clone());
        let answer = match self.pending.as_ref() {
            Some(pending) if !order.dry_run => self.waits(path, pending.until),
            _ => match read(path.clone()).await {
                Ok(next) => self.judge(order, InForce { path, site_file: next }).await,
                Err(faults) => self.faulty(path, &faults, order.dry_run),
            },
        };
        tell_manager(&[NotifyState::Ready]);
        answer
    }

    fn waits(&self, path: PathBuf, until: Timestamp) -> ReloadAnswer {
        let left = until.since(self.board.clock.now()).as_secs();
        let why = format!(
            "the last reload waits for its confirmation for another {left} s: confirm it with `catchment reload \
             --confirm`, or wait until it is taken back"
        );
        self.refuse(ReloadAnswer::of(ReloadVerdict::Refused, path), vec![why], false)
    }

    fn faulty(&self, path: PathBuf, faults: &Faults, dry_run: bool) -> ReloadAnswer {
        if !dry_run {
            let first = faults.iter().next();
            let reason = first.map_or_else(String::new, |(file, fault)| {
                format!("{file}:{}:{}: {}", fault.line, fault.column, fault.message)
            });
            let more = faults.len().saturating_sub(1);
            self.tell(&Event::ReloadFaulty { reason: reason.into(), more });
        }
        let faults = Some(faults.render(Style::Plain));
        ReloadAnswer { faults, ..ReloadAnswer::of(ReloadVerdict::Faulty, path) }
    }

    /// Applies a good file, if it may be.
    async fn judge(&mut self, order: ReloadOrder, next: InForce) -> ReloadAnswer {
        let difference = Difference::between(&self.now.site_file, &next.site_file);
        let status = self.board.status();
        let judgement = guard::judge(&self.now.site_file, &next.site_file, &difference, &status);
        let warnings = &next.site_file.warnings;
        let answer = ReloadAnswer {
            changes: difference.rows(),
            withdraws: judgement.going.iter().copied().collect(),
            warnings: (!warnings.is_empty()).then(|| warnings.render(Style::Plain)),
            ..ReloadAnswer::of(ReloadVerdict::WouldChange, next.path.clone())
        };
        let mut refusals = refusals(&order, &difference, &judgement);
        refusals.extend(renamed_under_orders(&difference, &status));
        if !refusals.is_empty() {
            return self.refuse(answer, refusals, order.dry_run);
        }
        let overridden = order.reason.filter(|_| order.override_guard && self.asks_a_guard(&judgement));
        let acting = match overridden {
            Some(_) => BTreeSet::new(),
            None => judgement.acting(&status),
        };
        let tokens = self.board.fleet.tokens();
        if order.dry_run {
            if let Err(no) = tokens.look(acting).await {
                return self.refuse(answer, vec![no.to_string()], true);
            }
            let unchanged = difference.is_empty();
            let verdict = if unchanged { ReloadVerdict::Unchanged } else { ReloadVerdict::WouldChange };
            return ReloadAnswer { verdict, ..answer };
        }
        let why = Reason::from(format!("a reload of {}", next.path.display()));
        let taken = match tokens.take(acting, why).await {
            Ok(taken) => taken,
            Err(no) => return self.refuse(answer, vec![no.to_string()], false),
        };
        let answer = self.apply(answer, next, difference, order.confirm_within_ms, overridden).await;
        if answer.verdict == ReloadVerdict::Refused {
            tokens.give_back(taken);
        }
        answer
    }

    /// Whether there is anything that could be overridden.
    fn asks_a_guard(&self, judgement: &Judgement) -> bool {
        let needs_token = self.board.fleet.tokens().are_needed() && !judgement.going.is_empty();
        judgement.refusal().is_some() || needs_token
    }

    async fn apply(
        &mut self,
        answer: ReloadAnswer,
        next: InForce,
        difference: Difference,
        confirm_within_ms: Option<u64>,
        overridden: Option<Reason>,
    ) -> ReloadAnswer {
        let unchanged = difference.is_empty();
        if let Err(error) = self.change(&next.site_file, difference).await {
            return self.refuse(answer, vec![error.to_string()], false);
        }
        let before = std::mem::replace(&mut self.now, next);
        if let Some(reason) = overridden {
            let withdrawn = answer.withdraws.len();
            self.tell(&Event::GuardOverridden { withdrawn, reason });
        }
        self.tell_of(&answer);
        let verdict = if unchanged { ReloadVerdict::Unchanged } else { ReloadVerdict::Applied };
        let mut confirm_until = None;
        if let (Some(within), false) = (confirm_within_ms.map(Duration::from_millis), unchanged) {
            let until = self.board.clock.now() + within;
            self.pending = Some(Pending { before, until });
            self.tell(&Event::ReloadWaits { within });
            confirm_until = Some(self.board.clock.wall_at(until));
        }
        ReloadAnswer { verdict, confirm_until, ..answer }
    }

    /// Has the site take over a file.
    async fn change(&self, next: &SiteFile, difference: Difference) -> Result<(), Error> {
        let (done, applied) = oneshot::channel();
        let change = Change { site_file: Box::new(next.clone()), difference, done };
        self.changes.send(change).await.map_err(|_| Error::Stopping)?;
        applied.await.map_err(|_| Error::Stopping)?
    }

    fn confirm(&mut self) -> ReloadAnswer {
        let path = self.now.path.clone();
        if self.pending.take().is_some() {
            self.tell(&Event::ReloadConfirmed);
            return ReloadAnswer::of(ReloadVerdict::Confirmed, path);
        }
        let refusals = vec!["no reload waits for a confirmation".to_owned()];
        ReloadAnswer { refusals, ..ReloadAnswer::of(ReloadVerdict::Refused, path) }
    }

    /// Nobody has confirmed in time: the file of before is in force again.
    async fn take_back(&mut self) {
        let Some(Pending { before, .. }) = self.pending.take() else { return };
        let difference = Difference::between(&self.now.site_file, &before.site_file);
        match self.change(&before.site_file, difference).await {
            Ok(()) => {
                self.now = before;
                self.tell(&Event::ReloadTakenBack);
            }
            Err(error) => {
                self.tell(&Event::ReloadStays { reason: error.to_string().into() });
                let until = self.board.clock.now() + AGAIN;
                self.pending = Some(Pending { before, until });
            }
        }
    }

    fn refuse(&self, answer: ReloadAnswer, refusals: Vec<String>, dry_run: bool) -> ReloadAnswer {
        if !dry_run {
            let reason = refusals.join("; ").into();
            self.tell(&Event::ReloadRefused { path: answer.file.clone(), reason });
        }
        ReloadAnswer { verdict: ReloadVerdict::Refused, refusals, ..answer }
    }

    /// Tells what a file has changed.
    fn tell_of(&self, answer: &ReloadAnswer) {
        let path = answer.file.clone();
        self.tell(&Event::Reloaded { path, changes: answer.changes.len() });
        for row in &answer.changes {
            let text = format!("{} {}: {}", row.what, row.name, row.becomes);
            self.tell(&Event::Reconfigured { what: text.into() });
        }
        let zones: Vec<String> = zones_of(&self.now.site_file).collect();
        if !zones.is_empty() {
            self.tell(&Event::ZonesRead { zones: zones.join(", ").into() });
        }
    }

    fn tell(&self, event: &Event) {
        let bus: &Bus = &self.board.bus;
        bus.tell(event, Source::Process);
    }
}

/// Reads a file where nothing waits for it: a large zone takes seconds.
pub(super) async fn read(path: PathBuf) -> Result<SiteFile, Faults> {
    let reading = tokio::task::spawn_blocking(move || config::load(&path));
    // A panic of the reader has ended the process.
    reading.await.unwrap_or_else(|_| Err(Faults::default()))
}

/// Why a good file is not applied.
fn refusals(order: &ReloadOrder, difference: &Difference, judgement: &Judgement) -> Vec<String> {
    let mut refusals = difference.refusals();
    match (judgement.refusal(), order.override_guard, &order.reason) {
        (Some(_), true, None) => {
            refusals.push("overriding the guard needs a reason: add --reason TEXT".to_owned());
        }
        (Some(refusal), false, _) => {
            let going: Vec<String> = judgement.going.iter().map(ToString::to_string).collect();
            refusals.push(format!("{refusal}: {}", going.join(", ")));
        }
        (Some(_), true, Some(_)) | (None, _, _) => {}
    }
    refusals
}

/// An order stands about the name of a group, also after a restart: a group must not leave it by another name.
fn renamed_under_orders(difference: &Difference, status: &Status) -> Vec<String> {
    let stands = |was: &GroupName| {
        let group = status.groups.iter().find(|group| group.name == *was);
        group.is_some_and(|group| group.intent.kind != IntentKind::Normal)
    };
    let renamed = difference.groups.iter().filter_map(|step| match step {
        GroupStep::Changed { was, now, .. } if was != now && stands(was) => Some(format!(
            "group {was} cannot be called {now} while an order stands about it: `catchment resume` first"
        )),
        GroupStep::Changed { .. } | GroupStep::Same(_) | GroupStep::Added(_) => None,
    });
    renamed.collect()
}

/// Every zone of the built-in DNS service with its serial, such as `example. 7`.
fn zones_of(site_file: &SiteFile) -> impl Iterator<Item = String> {
    let built_in = site_file.services.iter().filter_map(|service| service.dns.as_ref());
    built_in.flat_map(|dns| dns.zones.iter()).map(|zone| format!("{} {}", zone.apex(), zone.serial()))
}

#[cfg(test)]
mod tests;

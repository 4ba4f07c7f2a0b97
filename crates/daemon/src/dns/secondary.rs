//! One zone that is kept current from its primaries: the driver of [`transfer::Secondary`].

mod writing;

use super::event::Event;
use super::exchange::{self, Fetched};
use super::shelf::Shelf;
use crate::clock::Clock;
use crate::event::Source;
use crate::events::Bus;
use ::dns::Zone;
use config::{Server, ZoneTransfers};
use std::future::{Future, pending};
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use terms::{Authority, DomainName, Reason, ServiceName, Timestamp, WallTime};
use tokio::sync::{Semaphore, watch};
use transfer::{Difference, Held, Input, Output, SHORTEST, Secondary, StateName, lifetime};
use writing::{Keeping, write, write_folded};

/// What is shown of a zone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct View {
    pub(crate) held: Held,
    pub(crate) state: StateName,
    /// Since when it is in that state.
    pub(crate) since: WallTime,
    /// When it asks next, or expires.
    pub(crate) next: Option<Timestamp>,
    /// What went wrong last; none since it went well.
    pub(crate) fault: Option<Reason>,
}

impl View {
    /// Whether it is not served because nobody has confirmed it.
    pub(super) fn is_expired(&self) -> bool {
        matches!(self.held, Held::Expired { .. })
    }

    /// The zone as the API shows it.
    pub(super) fn shown(
        &self,
        service: &ServiceName,
        name: &DomainName,
        catalog: Option<DomainName>,
        clock: Clock,
    ) -> api::Secondary {
        api::Secondary {
            service: service.clone(),
            name: name.clone(),
            catalog,
            serial: self.held.authority().map(|authority| authority.serial),
            state: match self.held {
                Held::Nothing => api::SecondaryState::Missing,
                Held::Current { .. } => api::SecondaryState::Current,
                Held::Expired { .. } => api::SecondaryState::Expired,
            },
            work: match self.state {
                StateName::Waiting => api::SecondaryWork::Waiting,
                StateName::Asking => api::SecondaryWork::Asking,
                StateName::FetchingChanges => api::SecondaryWork::FetchingChanges,
                StateName::FetchingWhole => api::SecondaryWork::FetchingWhole,
            },
            since: self.since,
            next: self.next.filter(|_| self.state == StateName::Waiting).map(|next| clock.wall_at(next)),
            expires: self.held.expires().map(|end| clock.wall_at(end)),
            reason: self.fault.clone(),
        }
    }
}

/// A zone and what keeps it.
pub(super) struct Keeper {
    transfers: ZoneTransfers,
    shelf: Shelf,
    clock: Clock,
    bus: Bus,
    /// Many who ask take turns.
    turns: Arc<Semaphore>,
    machine: Secondary,
    view: watch::Sender<View>,
    fault: Option<Reason>,
    /// Why the last version is not on disk; none when it is, or will be with the next image.
    unkept: Option<Reason>,
}

/// One image under way, of a zone that had a layer.
type Folding = Pin<Box<dyn Future<Output = Option<(Zone, Arc<Zone>)>> + Send>>;

fn never() -> Folding {
    Box::pin(pending())
}

/// What came of an exchange with a primary.
struct Ended {
    primary: SocketAddr,
    result: Result<News, exchange::Error>,
}

enum News {
    Version(Authority),
    Unchanged,
    Zone(Zone, Authority, Option<Difference>),
}

type Exchange = Pin<Box<dyn Future<Output = Ended> + Send>>;

impl Keeper {
    /// Keeps a zone, beginning with what an earlier process has kept of it.
    pub(super) fn new(
        transfers: ZoneTransfers,
        shelf: Shelf,
        clock: Clock,
        bus: Bus,
        turns: Arc<Semaphore>,
    ) -> Keeper {
        let now = clock.now();
        let held = shelf.held(&transfers.zone).and_then(|(zone, age)| {
            let authority = Authority::of(&zone.authority()?.data)?;
            let left = lifetime(authority).saturating_sub(age);
            Some(Held::Current { authority, expires: now + left })
        });
        let held = held.unwrap_or(Held::Nothing);
        let machine = Secondary::new(transfers.primaries.len(), held, now);
        let view = View {
            held: machine.held(),
            state: machine.state(),
            since: clock.wall(),
            next: None,
            fault: None,
        };
        let view = watch::Sender::new(view);
        Keeper { transfers, shelf, clock, bus, turns, machine, view, fault: None, unkept: None }
    }

    /// What is shown of it.
    pub(super) fn view(&self) -> watch::Receiver<View> {
        self.view.subscribe()
    }

    /// Keeps it for as long as it is wanted.
    pub(super) async fn run(mut self) {
        let Some(bell) = self.shelf.bell(&self.transfers.zone) else { return };
        let mut bell = bell.hear();
        let mut exchange: Exchange = Box::pin(pending());
        let mut folding = None::<Folding>;
        let (clock, mut quiet) = (self.clock, self.clock.now());
        loop {
            while let Some(output) = self.machine.poll_output() {
                if let Some(next) = self.carry_out(output) {
                    exchange = next;
                }
            }
            self.show();
            let deadline = self.machine.deadline();
            let rings = async {
                clock.until(Some(quiet)).await;
                bell.changed().await
            };
            tokio::select! {
                ended = &mut exchange => {
                    exchange = Box::pin(pending());
                    let input = self.take(ended).await;
                    let is_news = matches!(input, Input::Fetched(_) | Input::Unchanged);
                    self.machine.handle(input, self.clock.now());
                    if is_news && folding.is_none() {
                        folding = self.fold();
                    }
                }
                folded = async { folding.as_mut().unwrap_or(&mut never()).await } => {
                    folding = None;
                    if let Some(folded) = folded {
                        self.take_folded(folded).await;
                    }
                }
                rung = rings => {
                    // Nobody can ring any more: another site file is in force, and this task is about to end.
                    if rung.is_err() { return }
                    let (_, primary) = *bell.borrow_and_update();
                    quiet = clock.now() + SHORTEST;
                    self.machine.handle(Input::Notified(primary), clock.now());
                }
                () = self.clock.until(deadline) => self.machine.handle(Input::Timer, self.clock.now()),
            }
        }
    }

    fn carry_out(&mut self, output: Output) -> Option<Exchange> {
        let held = self.shelf.held(&self.transfers.zone).map(|(zone, _)| zone);
        match output {
            Output::Ask(primary) => Some(self.ask(primary)),
            Output::FetchChanges(primary) => Some(self.fetch(primary, held.clone(), held)),
            Output::FetchWhole(primary) => Some(self.fetch(primary, None, held)),
            Output::Expire => {
                self.shelf.set_expired(&self.transfers.zone, true);
                if let Some(authority) = self.machine.held().authority() {
                    self.tell(Event::Expired { after: lifetime(authority) });
                }
                None
            }
            Output::Revive => {
                self.shelf.set_expired(&self.transfers.zone, false);
                self.tell(Event::Revived);
                None
            }
        }
    }

    fn server(&self, primary: usize) -> Option<Server> {
        self.transfers.primaries.get(primary).cloned()
    }

    fn ask(&self, primary: usize) -> Exchange {
        let (zone, clock) = (self.transfers.zone.clone(), self.clock);
        let Some(server) = self.server(primary) else { return Box::pin(pending()) };
        let turns = Arc::clone(&self.turns);
        let ours = self.machine.held().authority().map(|ours| ours.serial);
        Box::pin(async move {
            let _turn = turns.acquire().await;
            let result = exchange::ask(&server, &zone, ours, clock).await.map(News::Version);
            Ended { primary: server.address, result }
        })
    }

    fn fetch(&self, primary: usize, since: Option<Arc<Zone>>, before: Option<Arc<Zone>>) -> Exchange {
        let (zone, clock) = (self.transfers.zone.clone(), self.clock);
        let Some(server) = self.server(primary) else { return Box::pin(pending()) };
        let turns = Arc::clone(&self.turns);
        Box::pin(async move {
            let _turn = turns.acquire().await;
            let fetched = exchange::fetch(&server, &zone, since, before, clock).await;
            let result = fetched.map(|fetched| match fetched {
                Fetched::Current => News::Unchanged,
                Fetched::Zone(zone, authority, difference) => News::Zone(zone, authority, difference),
            });
            Ended { primary: server.address, result }
        })
    }

    /// Puts in place what has come.
    async fn take(&mut self, Ended { primary, result }: Ended) -> Input {
        match result {
            Ok(News::Version(authority)) => {
                self.confirm_if_same(authority);
                Input::Answered(authority)
            }
            Ok(News::Unchanged) => {
                self.confirm();
                Input::Unchanged
            }
            Ok(News::Zone(zone, authority, difference)) => {
                self.fault = None;
                let zone = self.keep(zone, difference.clone()).await;
                let change = self.shelf.receive(Arc::new(zone), difference);
                self.shelf.served(change).await;
                self.tell(Event::Received { serial: authority.serial, primary });
                Input::Fetched(authority)
            }
            Err(error) => {
                let reason = Reason::from(error.to_string());
                // Said once, not at every try.
                if self.fault.as_ref() != Some(&reason) {
                    self.tell(Event::NotReceived { primary, reason: reason.clone() });
                }
                self.fault = Some(reason);
                Input::Failed
            }
        }
    }

    fn confirm_if_same(&mut self, theirs: Authority) {
        let ours = self.machine.held().authority();
        if ours.is_some_and(|ours| theirs.serial == ours.serial) {
            self.confirm();
        }
    }

    /// A primary has said that the version is right.
    fn confirm(&mut self) {
        self.fault = None;
        self.shelf.confirm(&self.transfers.zone);
    }

    /// Keeps the zone on disk: its image, or what has changed since that was made. Where that does not go, it is served
    /// from memory.
    async fn keep(&mut self, zone: Zone, difference: Option<Difference>) -> Zone {
        let images = self.shelf.images().clone();
        let journal = self.shelf.journal(zone.apex());
        let writing = tokio::task::spawn_blocking(move || {
            let written = write(&images, &zone, difference, &journal);
            (zone, written)
        });
        // What is put in its place is put there by this task: nobody does who was ended meanwhile.
        let (zone, put) = match writing.await {
            Ok((zone, Ok(Keeping { written, as_kept }))) => {
                let put = written.map_or(Ok(false), |written| written.put().map(|()| true));
                (as_kept.unwrap_or(zone), put)
            }
            Ok((zone, Err(error))) => (zone, Err(error)),
            Err(panicked) => std::panic::resume_unwind(panicked.into_panic()),
        };
        let images = self.shelf.images();
        match put {
            Ok(true) => {
                let _ = images.confirm(zone.apex());
                self.unkept = None;
            }
            Ok(false) => images.fall_behind(zone.apex()),
            Err(error) => {
                images.fall_behind(zone.apex());
                self.tell_not_kept(&error);
            }
        }
        zone
    }

    /// Said once, not of every version and at every try.
    fn tell_not_kept(&mut self, error: &io::Error) {
        let reason = Reason::from(error.to_string());
        if self.unkept.as_ref() != Some(&reason) {
            self.tell(Event::NotKept { reason: reason.clone() });
        }
        self.unkept = Some(reason);
    }

    /// Begins to make one image of a zone and what lies over it, when that is a lot or the disk lacks it.
    fn fold(&self) -> Option<Folding> {
        let (zone, _) = self.shelf.held(&self.transfers.zone)?;
        let journal = self.shelf.journal(&self.transfers.zone);
        let is_lacking = self.shelf.images().lack_image(&self.transfers.zone, &journal);
        if !zone.should_be_compacted() && !is_lacking {
            return None;
        }
        let work = move || Some((zone.compacted().ok()?, zone));
        Some(Box::pin(async move { tokio::task::spawn_blocking(work).await.ok().flatten() }))
    }

    /// Serves from an image that was made of an earlier version, with what has changed meanwhile. Where it cannot be
    /// kept, everything stays as it is.
    async fn take_folded(&mut self, (folded, of): (Zone, Arc<Zone>)) {
        let apex = &self.transfers.zone;
        let Some((held, age)) = self.shelf.held(apex).filter(|(held, _)| held.shares_image_with(&of)) else {
            return;
        };
        let (images, journal) = (self.shelf.images().clone(), self.shelf.journal(apex));
        let work = move || write_folded(&images, &folded, &held, &journal, age);
        let Ok(written) = tokio::task::spawn_blocking(work).await else { return };
        let put = written
            .and_then(|written| written.map(|(zone, written)| written.put().map(|()| zone)).transpose());
        match put {
            Ok(Some(zone)) => {
                self.unkept = None;
                self.shelf.fold(Arc::new(zone));
            }
            Ok(None) => {}
            Err(error) => self.tell_not_kept(&error),
        }
    }

    fn tell(&self, event: Event) {
        self.bus.tell(&event, Source::Zone(&self.transfers.zone));
    }

    fn show(&self) {
        let (held, state, next) = (self.machine.held(), self.machine.state(), self.machine.deadline());
        self.view.send_if_modified(|view| {
            let since = if view.state == state { view.since } else { self.clock.wall() };
            let shown = View { held, state, since, next, fault: self.fault.clone() };
            let is_new = *view != shown;
            *view = shown;
            is_new
        });
    }
}

#[cfg(test)]
mod tests;

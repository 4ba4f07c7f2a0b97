//! What exists while the session is up: the routes told, and a watch on the quality of those heard.

use crate::rib_in::Marks;
use crate::rib_out::RibOut;
use crate::session::graceful::retention::Retention;
use crate::session::keeping::Keeping;
use crate::session::leaks::{Leaks, leaked};
use crate::session::limits::Counted;
use crate::session::monitored::Notes;
use crate::session::state::{Connection, OpenConfirm};
use crate::session::{Event, Output, Received, SEND_WINDOW, Session, Settings};
use crate::wire::attribute::{Fault, Handling};
use crate::wire::negotiated::Negotiated;
use crate::wire::notification::Notification;
use crate::wire::route_refresh::RouteRefresh;
use crate::wire::update::{Update, Verdict};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;
use terms::{Asn, Family, Reason, RouteSet, Timestamp};

/// At most one event about tolerated faults in this time, however many there are.
const TOLERATED_EVERY: Duration = Duration::from_secs(10);

/// The session is up.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Established {
    pub(crate) connection: Connection,
    pub(crate) negotiated: Negotiated,
    /// A second connection, of a neighbour that may have begun anew.
    #[serde(default)]
    pub(crate) rival: Option<Connection>,
    /// How UPDATEs are read: as negotiated, without the families that the neighbour got wrong.
    reading: Negotiated,
    pub(crate) rib_out: RibOut,
    /// When it came up.
    pub(crate) since: Timestamp,
    /// Families that the neighbour has told completely.
    complete: BTreeSet<Family>,
    tolerated: Tolerated,
    leaks: Leaks,
}

impl Established {
    /// Nothing is told yet, `wanted` is what will be.
    pub(crate) fn new(
        confirmed: OpenConfirm,
        settings: &Settings,
        wanted: Arc<RouteSet>,
        now: Timestamp,
    ) -> Self {
        let OpenConfirm { connection, negotiated, rival: _ } = confirmed;
        let mut rib_out = RibOut::new(settings.local_asn, settings.families.clone(), negotiated.clone());
        rib_out.want(wanted);
        Established {
            connection,
            reading: negotiated.clone(),
            negotiated,
            rival: None,
            rib_out,
            since: now,
            complete: BTreeSet::new(),
            tolerated: Tolerated::default(),
            leaks: Leaks::default(),
        }
    }

    /// The next UPDATE, unless the neighbour is behind; once all is told, what to tell people.
    pub(crate) fn next_output(&mut self, notes: &mut Notes) -> Option<Output> {
        if self.connection.unsent >= SEND_WINDOW {
            return None;
        }
        match self.rib_out.next_message() {
            Some(bytes) => {
                notes.told(&bytes);
                Some(self.connection.send(bytes))
            }
            None => self.rib_out.take_event().map(Output::Event),
        }
    }

    /// Judges an UPDATE, counts its routes and keeps them where they are to be kept. Answers what to tell people; the
    /// error ends the session.
    pub(crate) fn receive(
        &mut self,
        body: &[u8],
        mut hearing: Hearing<'_>,
    ) -> Result<Vec<Event>, Notification> {
        let mut events = Vec::new();
        let verdict = Verdict::decode(body, &self.reading);
        hearing.notes.heard(body, &verdict, &self.reading);
        self.follow(verdict, &mut hearing, &mut events)?;
        events.extend(self.tolerated.due(hearing.now));
        events.extend(self.leaks.due(hearing.now));
        Ok(events)
    }

    fn follow(
        &mut self,
        verdict: Verdict,
        hearing: &mut Hearing<'_>,
        events: &mut Vec<Event>,
    ) -> Result<(), Notification> {
        match verdict {
            Verdict::Accept(update) => {
                self.accept(update, hearing, events);
                Ok(())
            }
            Verdict::DiscardAttribute(update, faults) => {
                hearing.received.discarded_attributes += discarded(&faults);
                self.tolerated.add(0, &faults);
                self.accept(update, hearing, events);
                Ok(())
            }
            Verdict::TreatAsWithdraw(paths, faults) => {
                hearing.received.treated_as_withdraw += 1;
                hearing.received.discarded_attributes += discarded(&faults);
                self.tolerated.add(1, &faults);
                hearing.counted.withdraw(paths.iter().copied());
                hearing.keeping.withdraw(paths);
                Ok(())
            }
            // RFC 4760 section 7: what it said about the family is not true any more, and what it says is ignored.
            Verdict::DisableFamily { family, fault, rest } => {
                self.reading.families.remove(&family);
                hearing.received.treated_as_withdraw += 1;
                self.tolerated.add(1, &[fault]);
                self.told_again_from_here(family, hearing);
                self.told_again_up_to_here(family, hearing);
                self.follow(*rest, hearing, events)
            }
            Verdict::Reset(notification) => Err(notification),
        }
    }

    fn accept(&mut self, update: Update, hearing: &mut Hearing<'_>, events: &mut Vec<Event>) {
        hearing.counted.withdraw(update.withdrawn_paths());
        hearing.counted.announce(update.announced_paths());
        if let Some(marked) = leaked(&update, &self.negotiated, hearing.peer_asn) {
            hearing.received.leaked += self.leaks.add(&update, marked);
            hearing.keeping.withdraw(update.withdrawn_paths().chain(update.announced_paths()).collect());
            return;
        }
        hearing.received.count(&update, hearing.local_asn);
        if let Some(family) = update.is_end_of_rib() {
            events.extend(self.complete.insert(family).then_some(Event::EndOfRib(family)));
            hearing.retention.confirmed(family);
        }
        hearing.keeping.hear(update, hearing.now, hearing.notes);
    }

    /// The neighbour begins to tell all of a family again (RFC 7313 section 4).
    pub(crate) fn told_again_from_here(&mut self, family: Family, hearing: &mut Hearing<'_>) {
        hearing.counted.begin_again(family);
        hearing.keeping.mark_stale(family);
    }

    /// The neighbour has told all of a family again: what it did not mention is gone (RFC 7313 section 4).
    pub(crate) fn told_again_up_to_here(&mut self, family: Family, hearing: &mut Hearing<'_>) {
        hearing.counted.end_again(family);
        hearing.retention.confirmed(family);
        hearing.keeping.sweep_stale(family, hearing.notes);
    }

    /// Asks the neighbour to tell a family again; none where it cannot be asked (RFC 2918 section 4).
    pub(crate) fn ask_again(&mut self, family: Family) -> Option<Output> {
        let can = self.negotiated.route_refresh && self.negotiated.families.contains(&family);
        can.then(|| self.connection.send(RouteRefresh::of(family).encode()))
    }

    /// What to tell people about faults and leaks, if it is time again.
    pub(crate) fn troubles(&mut self, now: Timestamp) -> impl Iterator<Item = Event> + use<> {
        self.tolerated.due(now).into_iter().chain(self.leaks.due(now))
    }
}

/// Where what is heard goes: the parts of a session that outlive its connection.
pub(crate) struct Hearing<'a> {
    local_asn: Asn,
    peer_asn: Asn,
    received: &'a mut Received,
    counted: &'a mut Counted,
    keeping: &'a mut Keeping,
    retention: &'a mut Retention,
    notes: &'a mut Notes,
    now: Timestamp,
}

impl Session {
    pub(super) fn hearing(&mut self) -> Hearing<'_> {
        let Session { settings, received, counted, keeping, retention, notes, now, .. } = self;
        let (local_asn, peer_asn) = (settings.local_asn, settings.peer_asn);
        Hearing { local_asn, peer_asn, received, counted, keeping, retention, notes, now: *now }
    }
}

impl Received {
    /// Counts the routes of an UPDATE that was taken.
    fn count(&mut self, update: &Update, local_asn: Asn) {
        self.withdrawn += update.unreachable().map(|_| 1).sum::<u64>();
        let marks = Marks::of(&update.attributes, local_asn);
        for prefix in update.announced() {
            let marks = marks.with_prefix(prefix);
            self.accepted += 1;
            self.graceful_shutdown += u64::from(marks.graceful_shutdown);
            self.looped += u64::from(marks.looped);
            self.martian += u64::from(marks.martian);
        }
    }
}

fn discarded(faults: &[Fault]) -> u64 {
    faults.iter().filter(|fault| fault.handling == Handling::Discard).map(|_| 1).sum()
}

/// Faults since people were last told.
#[derive(Debug, Default, Serialize, Deserialize)]
struct Tolerated {
    treated_as_withdraw: u64,
    discarded_attributes: u64,
    first: Option<Reason>,
    /// When people may be told again.
    again_at: Timestamp,
}

impl Tolerated {
    fn add(&mut self, treated_as_withdraw: u64, faults: &[Fault]) {
        self.treated_as_withdraw += treated_as_withdraw;
        self.discarded_attributes += discarded(faults);
        let worst = faults.iter().max_by_key(|fault| fault.handling);
        if let (None, Some(fault)) = (&self.first, worst) {
            self.first = Some(Reason::from(fault.to_string()));
        }
    }

    fn due(&mut self, now: Timestamp) -> Option<Event> {
        if now < self.again_at {
            return None;
        }
        let reason = self.first.take()?;
        let event = Event::Tolerated {
            treated_as_withdraw: self.treated_as_withdraw,
            discarded_attributes: self.discarded_attributes,
            reason,
        };
        *self = Tolerated { again_at: now + TOLERATED_EVERY, ..Tolerated::default() };
        Some(event)
    }
}

//! What exists while the session is up: the routes told, and a watch on the quality of those heard.

use crate::rib_out::RibOut;
use crate::session::limits::{Counted, TooMany};
use crate::session::state::{Connection, OpenConfirm};
use crate::session::{Event, Output, Received, SEND_WINDOW, Settings};
use crate::wire::attribute::{Fault, Handling};
use crate::wire::message::RouteRefresh;
use crate::wire::negotiated::Negotiated;
use crate::wire::notification::Notification;
use crate::wire::update::{Update, Verdict};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;
use terms::{Family, Reason, RouteSet, Timestamp};

/// At most one event about tolerated faults in this time, however many there are.
const TOLERATED_EVERY: Duration = Duration::from_secs(10);

/// The session is up.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Established {
    pub(crate) connection: Connection,
    pub(crate) negotiated: Negotiated,
    pub(crate) rib_out: RibOut,
    /// When it came up.
    pub(crate) since: Timestamp,
    /// Families that the neighbour has told completely.
    complete: BTreeSet<Family>,
    tolerated: Tolerated,
    counted: Counted,
}

/// Why what was heard ends the session.
pub(crate) enum Unbearable {
    /// Nothing of it can be used.
    Faulty(Notification),
    /// It is too much.
    TooMany(TooMany),
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
        let mut counted = Counted::default();
        // Nothing was told yet, so nothing is missing.
        counted.bound(&settings.max_prefixes);
        Established {
            connection,
            negotiated,
            rib_out,
            since: now,
            complete: BTreeSet::new(),
            tolerated: Tolerated::default(),
            counted,
        }
    }

    /// The next UPDATE, unless the neighbour is behind; once all is told, what to tell people.
    pub(crate) fn next_output(&mut self) -> Option<Output> {
        if self.connection.unsent >= SEND_WINDOW {
            return None;
        }
        match self.rib_out.next_update() {
            Some(bytes) => Some(self.connection.send(bytes)),
            None => self.rib_out.take_event().map(Output::Event),
        }
    }

    /// Judges an UPDATE, counts its routes and drops them. Answers what to tell people; the error ends the session.
    pub(crate) fn receive(
        &mut self,
        body: &[u8],
        received: &mut Received,
        now: Timestamp,
    ) -> Result<Vec<Event>, Unbearable> {
        let mut events = Vec::new();
        match Verdict::decode(body, &self.negotiated) {
            Verdict::Accept(update) => self.accept(&update, received, &mut events)?,
            Verdict::DiscardAttribute(update, faults) => {
                received.discarded_attributes += discarded(&faults);
                self.tolerated.add(0, &faults);
                self.accept(&update, received, &mut events)?;
            }
            Verdict::TreatAsWithdraw(prefixes, faults) => {
                received.treated_as_withdraw += 1;
                received.discarded_attributes += discarded(&faults);
                self.tolerated.add(1, &faults);
                self.counted.withdraw(prefixes.into_iter());
            }
            Verdict::Reset(notification) => return Err(Unbearable::Faulty(notification)),
        }
        events.extend(self.tolerated.due(now));
        Ok(events)
    }

    fn accept(
        &mut self,
        update: &Update,
        received: &mut Received,
        events: &mut Vec<Event>,
    ) -> Result<(), Unbearable> {
        received.accepted += update.announced().map(|_| 1).sum::<u64>();
        self.counted.withdraw(update.unreachable());
        events.extend(self.counted.announce(update.announced()).map_err(Unbearable::TooMany)?);
        if let Some(family) = update.is_end_of_rib().filter(|&family| self.complete.insert(family)) {
            events.push(Event::EndOfRib(family));
        }
        Ok(())
    }

    /// How many prefixes of the neighbour stand announced, in each family that has a bound.
    pub(crate) fn prefixes(&self) -> BTreeMap<Family, usize> {
        self.counted.prefixes()
    }

    /// Goes on under other settings. Answers which families the neighbour has to tell again, because what it told so
    /// far was not noted.
    pub(crate) fn adopt(&mut self, settings: &Settings) -> Result<Vec<Family>, TooMany> {
        let unknown = self.counted.bound(&settings.max_prefixes);
        self.counted.too_many()?;
        Ok(unknown)
    }

    /// Asks the neighbour to tell a family again; none where it cannot be asked (RFC 2918 section 4).
    pub(crate) fn ask_again(&mut self, family: Family) -> Option<Output> {
        let can = self.negotiated.route_refresh && self.negotiated.families.contains(&family);
        can.then(|| self.connection.send(RouteRefresh::of(family).encode()))
    }

    /// What to tell people about faults, if it is time again.
    pub(crate) fn tolerated(&mut self, now: Timestamp) -> Option<Event> {
        self.tolerated.due(now)
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

//! The site's side of the protocol: wishes come in, requests to the store go out.

use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::fmt;
use terms::{Reason, Timestamp};

use super::draft::Draft;
use super::event::{Alarm, Event};
use super::input::{Input, Output, Settings, Ticket, Turn};
use super::pace::Pauses;
use super::record::Record;
use super::sight::{Contact, Lesson, Sight};
use super::speaker::Speaker;
use crate::{Permit, Wish};

/// The permit machine of one group at one host. A driver hands it every [`Input`] with the time, carries out every
/// [`Output`], and hands in [`Input::Timer`] when [`deadline`](Machine::deadline) has come. One request is under way
/// at a time; each must be answered, and one that is not is given up.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Machine {
    pub(super) settings: Settings,
    /// The group's machine wants leave.
    pub(super) asks: bool,
    turn: Turn,
    /// Leave was taken by a change that is known to have been made, and not given back since.
    pub(super) held: bool,
    pub(super) announced: bool,
    pub(super) lapsed: BTreeSet<Speaker>,
    pub(super) sight: Sight,
    pending: Option<Pending>,
    pauses: Pauses,
    pause_until: Timestamp,
    read_at: Timestamp,
    leisure_until: Option<Timestamp>,
    tickets: u64,
    pub(super) refusal: Option<Reason>,
    told: (Permit, Turn),
    pub(super) alarms: BTreeMap<Alarm, Reason>,
    latest: Timestamp,
    pub(super) outputs: VecDeque<Output>,
}

/// A request that is under way.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Pending {
    ticket: Ticket,
    since: Timestamp,
    request: Request,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
enum Request {
    Read,
    Replace(Draft),
}

/// Where a host is in the protocol.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Phase {
    /// It announces nothing, and nobody counts on it.
    Absent,
    /// It announces, and the record does not say so yet.
    Returning,
    /// It announces, and has promised to ask before it withdraws.
    Standing,
    /// It wants leave.
    Asking,
    /// It has leave.
    Held,
}

impl fmt::Display for Phase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Phase::Absent => "absent",
            Phase::Returning => "returning",
            Phase::Standing => "standing",
            Phase::Asking => "asking",
            Phase::Held => "held",
        })
    }
}

impl Machine {
    /// A host at its start: it announces nothing and knows nothing of the store. `seed` makes its pauses differ from
    /// those of other hosts.
    pub fn new(settings: Settings, seed: u64, now: Timestamp) -> Self {
        let mut machine = Machine {
            settings,
            asks: false,
            turn: Turn::default(),
            held: false,
            announced: false,
            lapsed: BTreeSet::new(),
            sight: Sight::new(),
            pending: None,
            pauses: Pauses::new(seed),
            pause_until: now,
            read_at: now,
            leisure_until: None,
            tickets: 0,
            refusal: None,
            told: (Permit::None, Turn::default()),
            alarms: BTreeMap::new(),
            latest: now,
            outputs: VecDeque::new(),
        };
        machine.settle(now);
        machine
    }

    /// Takes one fact in. A `now` before an earlier one is taken for that earlier one.
    pub fn handle(&mut self, input: Input, now: Timestamp) {
        let now = now.max(self.latest);
        self.latest = now;
        match input {
            Input::Wish { wish, turn } => self.wish(wish, turn),
            Input::Announced(announced) => self.announced = announced,
            Input::Lapsed(gone) if gone == self.settings.speaker => {}
            Input::Lapsed(gone) => self.note_lapsed(gone),
            Input::Present(back) => {
                self.lapsed.remove(&back);
            }
            Input::Configured { min_sites } => self.settings.min_sites = min_sites,
            Input::Watched(notice) => self.sight.hear(notice, &self.settings.speaker),
            Input::Disconnected { why } => {
                self.pending = None;
                self.lose(why, now);
            }
            Input::Timer => {}
            Input::Stored { ticket, found } => {
                if let Some(Request::Read) = self.answered(ticket) {
                    self.learn(found);
                }
            }
            Input::Garbled { ticket, why } => {
                if self.answered(ticket).is_some() {
                    self.sight.garble(why);
                    self.pause(now);
                }
            }
            Input::Replaced { ticket, revision } => {
                if let Some(Request::Replace(draft)) = self.answered(ticket) {
                    self.replaced(draft, revision);
                }
            }
            Input::Conflict { ticket } => {
                if self.answered(ticket).is_some() {
                    self.sight.outdate();
                    self.pause(now);
                }
            }
            Input::Ambiguous { ticket } => {
                if self.answered(ticket).is_some() {
                    self.lose(Reason::from("the store did not say whether it made a change"), now);
                }
            }
            Input::Unavailable { ticket, why } => {
                if self.answered(ticket).is_some() {
                    self.lose(why, now);
                }
            }
        }
        self.give_up(now);
        self.settle(now);
    }

    /// The next thing for the driver to do.
    pub fn poll_output(&mut self) -> Option<Output> {
        self.outputs.pop_front()
    }

    /// When the machine wants [`Input::Timer`], if nothing else happens before.
    pub fn deadline(&self) -> Timestamp {
        if let Some(pending) = &self.pending {
            pending.since + self.settings.pace.patience
        } else if self.latest < self.pause_until {
            self.pause_until
        } else {
            self.leisure_until.map_or(self.read_at, |leisure| leisure.min(self.read_at))
        }
    }

    /// What the fleet says about this group at this host.
    pub fn permit(&self) -> Permit {
        match (self.held, self.asks) {
            (true, _) => Permit::Held,
            (false, true) => Permit::Asked,
            (false, false) => Permit::None,
        }
    }

    /// Where this host is in the protocol.
    pub fn phase(&self) -> Phase {
        let speaker = &self.settings.speaker;
        match (self.permit(), self.announced, self.record().stands(&speaker.site, &speaker.host)) {
            (Permit::Held, _, _) => Phase::Held,
            (Permit::Asked, _, _) => Phase::Asking,
            (Permit::None, true, true) => Phase::Standing,
            (Permit::None, true, false) => Phase::Returning,
            (Permit::None, false, _) => Phase::Absent,
        }
    }

    /// The newest record that was seen; an empty one before the first.
    pub fn record(&self) -> &Record {
        &self.sight.record
    }

    /// How this host stands with the store.
    pub fn contact(&self) -> &Contact {
        &self.sight.contact
    }

    /// Why leave is not given, while it is asked for.
    pub fn refusal(&self) -> Option<&Reason> {
        self.refusal.as_ref()
    }

    /// The alarms that stand, and what exactly is wrong.
    pub fn alarms(&self) -> &BTreeMap<Alarm, Reason> {
        &self.alarms
    }

    fn wish(&mut self, wish: Wish, turn: Turn) {
        if turn <= self.turn {
            return;
        }
        self.turn = turn;
        match wish {
            Wish::Ask => self.asks = true,
            // No longer held before it is freed: what the record says from here on is no leave of ours.
            Wish::Release => (self.asks, self.held) = (false, false),
        }
    }

    /// Remembers whom to charge. Nobody outside the record is, so this is bounded as the record is.
    fn note_lapsed(&mut self, gone: Speaker) {
        if self.record().host(&gone.site, &gone.host).is_some() {
            self.lapsed.insert(gone);
        }
    }

    /// The request that this ticket was for, if it is under way.
    fn answered(&mut self, ticket: Ticket) -> Option<Request> {
        let pending = self.pending.take_if(|pending| pending.ticket == ticket)?;
        Some(pending.request)
    }

    fn learn(&mut self, found: Option<super::Stored>) {
        let site = &self.settings.speaker.site;
        let was_member = self.sight.record.member(site).is_some();
        let lesson = self.sight.learn(found, &self.settings.speaker);
        let is_member = self.sight.record.member(site).is_some();
        if lesson == Lesson::Newer && was_member && !is_member {
            self.outputs.push_back(Output::Event(Event::Retired));
        }
        self.read_at = self.latest + self.settings.pace.poll;
    }

    fn replaced(&mut self, draft: Draft, revision: super::Revision) {
        let Draft { record, asks, events, refusal: _ } = draft;
        self.pauses.succeeded();
        self.leisure_until = None;
        self.read_at = self.latest + self.settings.pace.poll;
        // Whoever is charged in it needs no further word; whoever came back since tells so.
        self.lapsed.retain(|gone| record.stands(&gone.site, &gone.host));
        self.sight.replaced(revision, record, &self.settings.speaker);
        self.held |= asks && self.asks;
        self.outputs.extend(events.into_iter().map(Output::Event));
    }

    fn lose(&mut self, why: Reason, now: Timestamp) {
        self.sight.lose(why);
        self.pause(now);
    }

    fn pause(&mut self, now: Timestamp) {
        self.pause_until = now + self.pauses.after_failure(&self.settings.pace);
    }

    /// A request without an answer may have done what it was to do, or may do it yet.
    fn give_up(&mut self, now: Timestamp) {
        let patience = self.settings.pace.patience;
        if self.pending.take_if(|pending| pending.since + patience <= now).is_some() {
            self.lose(Reason::from(format!("the store gave no answer within {patience:?}")), now);
        }
    }

    /// Sends the next request, if one is due and none is under way, and tells what changed.
    fn settle(&mut self, now: Timestamp) {
        if self.pending.is_none() && now >= self.pause_until {
            match self.due(now) {
                Some(Request::Read) => self.send(Request::Read, now),
                Some(Request::Replace(draft)) => self.send(Request::Replace(draft), now),
                None => {}
            }
        }
        self.report();
        let told = (self.permit(), self.turn);
        if told != self.told {
            self.told = told;
            self.outputs.push_back(Output::Permit { permit: told.0, turn: told.1 });
        }
    }

    fn due(&mut self, now: Timestamp) -> Option<Request> {
        if !self.sight.is_fresh() {
            return Some(Request::Read);
        }
        let mut draft = self.draft();
        self.note_refusal(draft.refusal.as_ref());
        let is_urgent = draft.record != self.sight.record;
        self.add_chores(&mut draft);
        if draft.record == self.sight.record {
            self.leisure_until = None;
            return (now >= self.read_at).then_some(Request::Read);
        }
        let leisure = self.settings.pace.leisure;
        let pauses = &mut self.pauses;
        let leisure_until = *self.leisure_until.get_or_insert_with(|| now + pauses.part_of(leisure));
        if is_urgent || now >= leisure_until {
            return Some(Request::Replace(draft));
        }
        (now >= self.read_at).then_some(Request::Read)
    }

    fn send(&mut self, request: Request, now: Timestamp) {
        self.tickets += 1;
        let ticket = Ticket(self.tickets);
        self.outputs.push_back(match &request {
            Request::Read => Output::Read { ticket },
            Request::Replace(draft) => {
                Output::Replace { ticket, expected: self.sight.revision, record: draft.record.clone() }
            }
        });
        self.pending = Some(Pending { ticket, since: now, request });
    }
}

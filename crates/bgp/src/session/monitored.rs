//! What a monitoring station is told of a session (RFC 7854), where somebody wants to know.
//!
//! ```text
//!   Up ──► Told, Heard, in the order in which it happened ──► Down          what happens from now on: [`Session::poll_monitored`]
//!    └──── [`Session::introduction`], [`Session::told_updates`], [`Session::heard_updates`]      what is there already
//! ```
//! Nothing of this is an [`Input`](crate::session::Input) or an [`Output`](crate::session::Output): it changes nothing
//! that the session does, so a recording does without it. Where nobody monitors, nothing is noted and no octet is
//! copied; only the two OPENs are kept, because somebody may come later.

use crate::session::state::{Connection, State};
use crate::session::{ConnectionId, Session};
use crate::wire::message::{Message, framed, kind};
use crate::wire::negotiated::Negotiated;
use crate::wire::notification::Notification;
use crate::wire::update::{TooLong, Update, Verdict};
use serde::{Deserialize, Serialize};
use std::collections::VecDeque;
use terms::{Family, RouteSet, RouterId, Timestamp};

/// How much is to be noted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Monitoring {
    /// Nothing: nobody wants to know.
    #[default]
    Off,
    /// When the session is up, and what the neighbour is told.
    Told,
    /// What it tells, too.
    ToldAndHeard,
}

/// Something that happened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Monitored {
    /// The session came up.
    Up(Box<Introduction>),
    /// The neighbour was told so: a whole UPDATE.
    Told(Vec<u8>),
    /// The neighbour told so: a whole UPDATE, octet by octet if nothing is wrong with it, else what was taken of it.
    Heard(Vec<u8>),
    /// Some of what the neighbour told is not true any more, and no UPDATE says so.
    Forgotten,
    /// The session is over.
    Down(Ending),
}

/// Both OPENs of a connection, octet by octet.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Opens {
    /// Ours.
    #[serde(with = "crate::hex")]
    pub sent: Vec<u8>,
    /// The neighbour's.
    #[serde(with = "crate::hex")]
    pub received: Vec<u8>,
}

/// How a session began.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Introduction {
    /// Over which connection.
    pub connection: ConnectionId,
    /// What both said.
    pub opens: Opens,
    /// The neighbour's BGP identifier.
    pub router_id: RouterId,
    /// What they agreed on.
    pub negotiated: Negotiated,
}

/// Why a session that was up is over, as RFC 7854 section 4.9 tells it apart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ending {
    /// We said so.
    Sent(Notification),
    /// We ended it without a word.
    Unsaid(Unsaid),
    /// The neighbour said so.
    Received(Notification),
    /// Its connection is gone without a word.
    Closed,
}

/// Events of the state machine that end a session without a NOTIFICATION.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unsaid {
    /// The neighbour has begun anew, so that the old connection is gone (RFC 4724 section 5). Event 17.
    NeighbourConnects,
    /// The neighbour takes nothing (RFC 9687). Event 29.
    SendHoldTimerExpires,
}

impl Unsaid {
    /// The number of the event (RFC 4271 section 8.1, RFC 9687 section 4).
    pub fn code(self) -> u16 {
        match self {
            Unsaid::NeighbourConnects => 17,
            Unsaid::SendHoldTimerExpires => 29,
        }
    }
}

/// What was noted and not asked for yet.
#[derive(Debug, Default)]
pub(crate) struct Notes {
    monitoring: Monitoring,
    /// The connection of the session that is up.
    up: Option<ConnectionId>,
    waiting: VecDeque<Monitored>,
}

impl Notes {
    fn note(&mut self, least: Monitoring, what: impl FnOnce() -> Option<Monitored>) {
        if self.monitoring >= least {
            self.waiting.extend(what());
        }
    }

    pub(crate) fn up(&mut self, connection: &Connection, negotiated: &Negotiated) {
        self.up = Some(connection.id);
        self.note(Monitoring::Told, || {
            introduce(connection, negotiated).map(|introduction| Monitored::Up(Box::new(introduction)))
        });
    }

    /// A connection ended: the session's, perhaps.
    pub(crate) fn down(&mut self, connection: ConnectionId, ending: impl FnOnce() -> Ending) {
        if self.up == Some(connection) {
            self.up = None;
            self.note(Monitoring::Told, || Some(Monitored::Down(ending())));
        }
    }

    pub(crate) fn told(&mut self, update: &[u8]) {
        // Marks around telling again are no routes (RFC 7313).
        let is_update = update.get(18) == Some(&kind::UPDATE);
        self.note(Monitoring::Told, || is_update.then(|| Monitored::Told(update.to_vec())));
    }

    /// An UPDATE arrived and was judged.
    pub(crate) fn heard(&mut self, body: &[u8], verdict: &Verdict, reading: &Negotiated) {
        match verdict {
            _ if self.monitoring < Monitoring::ToldAndHeard => {}
            Verdict::Accept(_) => self.waiting.push_back(Monitored::Heard(framed(kind::UPDATE, body))),
            Verdict::DiscardAttribute(..)
            | Verdict::TreatAsWithdraw(..)
            | Verdict::DisableFamily { .. }
            | Verdict::Reset(_) => self.heard_with_faults(verdict, reading),
        }
    }

    /// Of an UPDATE with faults so much is taken (RFC 7606 section 2).
    fn heard_with_faults(&mut self, verdict: &Verdict, reading: &Negotiated) {
        match verdict {
            Verdict::Accept(update) | Verdict::DiscardAttribute(update, _) => {
                self.heard_in_part(update, reading);
            }
            Verdict::TreatAsWithdraw(paths, _) => {
                for family in Family::ALL {
                    let its = paths.iter().copied().filter(|path| path.prefix.family() == family);
                    let withdraw = Update::withdraw(family, its);
                    // Without prefixes it would be End-of-RIB.
                    if withdraw.is_end_of_rib().is_none() {
                        self.heard_in_part(&withdraw, reading);
                    }
                }
            }
            Verdict::DisableFamily { family: _, fault: _, rest } => {
                self.forgotten();
                self.heard_with_faults(rest, reading);
            }
            // The session is about to end.
            Verdict::Reset(_) => {}
        }
    }

    fn heard_in_part(&mut self, update: &Update, reading: &Negotiated) {
        self.waiting.extend(update.encode(&as_told_by_the_neighbour(reading)).ok().map(Monitored::Heard));
    }

    /// Some of what was heard is gone. Where no session is up, nothing of it stands with a station.
    pub(crate) fn forgotten(&mut self) {
        let up = self.up;
        self.note(Monitoring::ToldAndHeard, || up.map(|_| Monitored::Forgotten));
    }
}

impl Session {
    /// Notes so much from now on.
    pub fn monitor(&mut self, monitoring: Monitoring) {
        let up = match &self.state {
            State::Established(established) => Some(established.connection.id),
            State::Idle | State::Connect | State::Active | State::OpenSent(_) | State::OpenConfirm(_) => None,
        };
        let waiting = match monitoring {
            Monitoring::Off => VecDeque::new(),
            Monitoring::Told | Monitoring::ToldAndHeard => std::mem::take(&mut self.notes.waiting),
        };
        self.notes = Notes { monitoring, up, waiting };
    }

    /// The next thing that happened, until there is none. A driver asks after each input and after each output, so
    /// that no more is waiting than came of one of them.
    pub fn poll_monitored(&mut self) -> Option<Monitored> {
        self.notes.waiting.pop_front()
    }

    /// How the session began; none unless it is up.
    pub fn introduction(&self) -> Option<Introduction> {
        match &self.state {
            State::Established(established) => introduce(&established.connection, &established.negotiated),
            State::Idle | State::Connect | State::Active | State::OpenSent(_) | State::OpenConfirm(_) => None,
        }
    }

    /// Whole UPDATEs that say once more what the neighbour was told about these routes, which are among those that it
    /// was told; none unless the session is up.
    pub fn told_updates(&self, routes: &RouteSet) -> Vec<Vec<u8>> {
        match &self.state {
            State::Established(established) => established.rib_out.updates(routes),
            State::Idle | State::Connect | State::Active | State::OpenSent(_) | State::OpenConfirm(_) => {
                Vec::new()
            }
        }
    }

    /// End-of-RIB of each family whose routes were told to the end; of the others it will be among what is told.
    pub fn told_end_of_rib(&self) -> Vec<Vec<u8>> {
        match &self.state {
            State::Established(established) => established.rib_out.ends_of_rib(),
            State::Idle | State::Connect | State::Active | State::OpenSent(_) | State::OpenConfirm(_) => {
                Vec::new()
            }
        }
    }

    /// How many steps [`Session::heard_updates`] has for a family.
    pub fn heard_steps(&self, family: Family) -> usize {
        self.keeping.steps(family)
    }

    /// Whole UPDATEs that say once more what the neighbour told, as far as that is kept, one for each route with the
    /// time when it was heard. A step has about one route; whoever takes every step from 0 sees each that was there
    /// all the time, perhaps twice.
    pub fn heard_updates(&self, family: Family, step: usize) -> Vec<(Timestamp, Vec<u8>)> {
        let State::Established(established) = &self.state else { return Vec::new() };
        let writing = as_told_by_the_neighbour(&established.negotiated);
        let heard = self.keeping.step(family, step);
        heard
            .into_iter()
            .filter_map(|heard| Some((heard.at, heard.update().encode(&writing).ok()?)))
            .collect()
    }

    /// End-of-RIB of a family as the neighbour would say it.
    pub fn heard_end_of_rib(&self, family: Family) -> Result<Vec<u8>, TooLong> {
        Update::end_of_rib(family).encode(&Negotiated::plain(self.settings.peer_kind()))
    }
}

fn introduce(connection: &Connection, negotiated: &Negotiated) -> Option<Introduction> {
    // The session is up because it could be read.
    let Ok(Message::Open(theirs)) = Message::decode(&connection.opens.received) else { return None };
    let (opens, negotiated) = (connection.opens.clone(), negotiated.clone());
    Some(Introduction { connection: connection.id, opens, router_id: theirs.router_id, negotiated })
}

/// How the neighbour writes: identifiers of paths stand where we receive them. What is written again may be longer
/// than it was, and a station takes that.
fn as_told_by_the_neighbour(reading: &Negotiated) -> Negotiated {
    let add_path = reading.add_path.iter().map(|(&family, paths)| (family, paths.reversed())).collect();
    Negotiated { add_path, extended_messages: true, ..reading.clone() }
}

//! Two connections at once, one opened from each end (RFC 4271 section 6.8).
//!
//! ```text
//!              a second connection              OPEN on the one               OPEN on the other
//!   OpenSent ───────────────────────► OpenSent ─────────────────► OpenConfirm ─────────────────► one is closed
//!                                     + rival                     + rival
//! ```
//! The connection that was opened by the speaker with the larger identifier is kept; equal identifiers are told apart
//! by the AS number (RFC 6286 section 2.3). Both sides see the same two numbers, so they keep the same connection.
//! A second connection from the *same* end is no collision: that end has given up on its first one.
//!
//! A session that is up wins over any newcomer, unless both sides restart gracefully: then the neighbour may have begun
//! anew, before its old connection was found to be dead (RFC 4724 section 4.2). Its call is believed once an OPEN that
//! agrees has come on it, so that a call alone, by whoever can send from its address, ends nothing.

use crate::session::established::Established;
use crate::session::graceful::Loss;
use crate::session::opening::agreement;
use crate::session::state::{Connection, OpenConfirm, OpenSent, State};
use crate::session::timers::Timer;
use crate::session::transition::{Next, Stimulus};
use crate::session::{Direction, Ending, Event, Session, Unsaid};
use crate::wire::message::Message;
use crate::wire::negotiated::Negotiated;
use crate::wire::notification::ErrorCode;
use crate::wire::open::Open;
use Next::{Go, Stay};

impl Session {
    /// A second connection while the neighbour has not introduced itself on the first.
    pub(super) fn meet_in_open_sent(&mut self, state: OpenSent, newcomer: Connection) -> Next {
        let OpenSent { connection, rival } = state;
        if newcomer.direction == connection.direction {
            self.refuse(connection, ErrorCode::CONNECTION_COLLISION);
            let connection = self.send_open(newcomer, Timer::Hold);
            return Stay(State::OpenSent(OpenSent { connection, rival }));
        }
        let rival = self.replace_rival(rival, newcomer);
        Stay(State::OpenSent(OpenSent { connection, rival: Some(rival) }))
    }

    /// A second connection while the first waits for a KEEPALIVE.
    pub(super) fn meet_in_open_confirm(&mut self, state: OpenConfirm, newcomer: Connection) -> Next {
        if newcomer.direction == state.connection.direction {
            self.refuse(state.connection, ErrorCode::CONNECTION_COLLISION);
            self.timers.stop(Timer::Keepalive);
            let connection = self.send_open(newcomer, Timer::Hold);
            let open_sent = OpenSent { connection, rival: state.rival };
            return Go(State::OpenSent(open_sent), "a newer connection took its place".into());
        }
        let rival = self.replace_rival(state.rival, newcomer);
        Stay(State::OpenConfirm(OpenConfirm { rival: Some(rival), ..state }))
    }

    /// A second connection while the session is up.
    pub(super) fn meet_in_established(
        &mut self,
        mut state: Box<Established>,
        newcomer: Connection,
    ) -> Box<Established> {
        let promised = state.negotiated.graceful.as_ref();
        let may_restart = promised.is_some_and(|graceful| !graceful.families.is_empty());
        if may_restart && newcomer.direction == Direction::Inbound {
            let rival = self.replace_rival(state.rival.take(), newcomer);
            state.rival = Some(rival);
        } else {
            self.refuse(newcomer, ErrorCode::CONNECTION_COLLISION);
        }
        state
    }

    fn replace_rival(&mut self, rival: Option<Connection>, newcomer: Connection) -> Connection {
        self.refuse_rival(rival, ErrorCode::CONNECTION_COLLISION);
        self.send_open(newcomer, Timer::RivalOpen)
    }

    /// Something happened on the second connection. The first one goes on, whatever it was, unless an OPEN decides
    /// for the second.
    pub(super) fn step_rival(&mut self, stimulus: Stimulus) {
        self.change(|session, state| match state {
            State::OpenSent(OpenSent { connection, rival: Some(rival) }) => {
                session.rival_in_open_sent(connection, rival, stimulus)
            }
            State::OpenConfirm(OpenConfirm { connection, negotiated, rival: Some(rival) }) => {
                let main = OpenConfirm { connection, negotiated, rival: None };
                session.rival_in_open_confirm(main, rival, stimulus)
            }
            State::Established(mut established) => match established.rival.take() {
                Some(rival) => session.rival_in_established(established, rival, stimulus),
                None => Stay(State::Established(established)),
            },
            State::OpenSent(OpenSent { rival: None, .. })
            | State::OpenConfirm(OpenConfirm { rival: None, .. })
            | State::Idle
            | State::Connect
            | State::Active => Stay(state),
        });
    }

    /// The neighbour introduced itself on the second connection first: the two change places.
    fn rival_in_open_sent(&mut self, first: Connection, rival: Connection, stimulus: Stimulus) -> Next {
        match self.hear_rival(rival, stimulus) {
            Heard::Nothing(rival) => {
                Stay(State::OpenSent(OpenSent { connection: first, rival: Some(rival) }))
            }
            Heard::Gone => Stay(State::OpenSent(OpenSent { connection: first, rival: None })),
            Heard::Agreed(rival, open, negotiated) => {
                let first_deadline = self.timers.stop(Timer::Hold);
                first_deadline.into_iter().for_each(|deadline| self.timers.start(Timer::RivalOpen, deadline));
                let connection = self.confirm(rival, &negotiated);
                let reason = agreement(&open, &negotiated);
                Go(State::OpenConfirm(OpenConfirm { connection, negotiated, rival: Some(first) }), reason)
            }
        }
    }

    /// The neighbour has introduced itself on both: one is closed.
    fn rival_in_open_confirm(&mut self, main: OpenConfirm, rival: Connection, stimulus: Stimulus) -> Next {
        let (rival, open, negotiated) = match self.hear_rival(rival, stimulus) {
            Heard::Nothing(rival) => {
                return Stay(State::OpenConfirm(OpenConfirm { rival: Some(rival), ..main }));
            }
            Heard::Gone => return Stay(State::OpenConfirm(main)),
            Heard::Agreed(rival, open, negotiated) => (rival, open, negotiated),
        };
        let kept = self.winner(&open);
        self.emit(Event::CollisionResolved { kept });
        if main.connection.direction == kept {
            self.refuse_rival(Some(rival), ErrorCode::CONNECTION_COLLISION);
            return Stay(State::OpenConfirm(main));
        }
        self.refuse(main.connection, ErrorCode::CONNECTION_COLLISION);
        self.timers.stop(Timer::RivalOpen);
        let connection = self.confirm(rival, &negotiated);
        Stay(State::OpenConfirm(OpenConfirm { connection, negotiated, rival: None }))
    }

    /// The neighbour has begun anew: the old connection is gone, though nobody said so yet. It is closed without a word
    /// (RFC 4724 section 4.2).
    fn rival_in_established(
        &mut self,
        mut state: Box<Established>,
        rival: Connection,
        stimulus: Stimulus,
    ) -> Next {
        let (rival, open, negotiated) = match self.hear_rival(rival, stimulus) {
            Heard::Nothing(rival) => {
                state.rival = Some(rival);
                return Stay(State::Established(state));
            }
            Heard::Gone => return Stay(State::Established(state)),
            Heard::Agreed(rival, open, negotiated) => (rival, open, negotiated),
        };
        self.close(&state.connection);
        self.notes.down(state.connection.id, || Ending::Unsaid(Unsaid::NeighbourConnects));
        self.forgive_after(&state);
        self.retain(&state.negotiated, &Loss::Connection);
        self.timers.stop_all();
        let connection = self.confirm(rival, &negotiated);
        let reason = format!("the neighbour began anew: {}", agreement(&open, &negotiated));
        Go(State::OpenConfirm(OpenConfirm { connection, negotiated, rival: None }), reason.into())
    }

    /// Which end's connection is kept.
    fn winner(&self, theirs: &Open) -> Direction {
        let ours = (self.settings.router_id.get(), self.settings.local_asn);
        if ours > (theirs.router_id.get(), theirs.asn) { Direction::Outbound } else { Direction::Inbound }
    }

    /// What a stimulus makes of the second connection, whose OPEN is awaited.
    fn hear_rival(&mut self, rival: Connection, stimulus: Stimulus) -> Heard {
        let refused = match stimulus {
            Stimulus::Message(Message::Open(open)) => match self.judge(&open) {
                Ok(negotiated) => return Heard::Agreed(rival, open, negotiated),
                Err(notification) => notification,
            },
            Stimulus::Message(Message::Notification(notification)) => {
                self.timers.stop(Timer::RivalOpen);
                self.close(&rival);
                self.attempt_ended(&notification);
                self.emit(Event::NotificationReceived(notification));
                return Heard::Gone;
            }
            Stimulus::Message(
                message @ (Message::Update(_) | Message::Keepalive | Message::RouteRefresh(_)),
            ) => message.unexpected(ErrorCode::UNEXPECTED_IN_OPEN_SENT),
            Stimulus::Malformed(notification) => notification,
            Stimulus::Closed => {
                self.timers.stop(Timer::RivalOpen);
                return Heard::Gone;
            }
            // Not about a connection, or of no consequence before the session is up.
            Stimulus::Start
            | Stimulus::Stop(_)
            | Stimulus::PathDown(_)
            | Stimulus::Connected(_)
            | Stimulus::ConnectFailed(_)
            | Stimulus::Written
            | Stimulus::Wanted
            | Stimulus::Reconfigured(_)
            | Stimulus::TellAgain
            | Stimulus::AskAgain
            | Stimulus::Counted(..)
            | Stimulus::Expired(_) => return Heard::Nothing(rival),
        };
        self.refuse_rival(Some(rival), refused);
        Heard::Gone
    }
}

/// What became of the second connection.
enum Heard {
    Nothing(Connection),
    Gone,
    /// The neighbour introduced itself, and its OPEN goes with ours.
    Agreed(Connection, Open, Negotiated),
}

//! The table of the state machine: what a stimulus does in each state (RFC 4271 section 8.2.2).

use crate::session::established::Established;
use crate::session::offer::Offer;
use crate::session::state::{Connection, OpenConfirm, OpenSent, State};
use crate::session::timers::Timer;
use crate::session::{Event, Output, Session};
use crate::wire::message::{KEEPALIVE, Message};
use crate::wire::negotiated::Negotiated;
use crate::wire::notification::{ErrorCode, Notification, ShutdownText};
use crate::wire::open::{HoldTime, Open};
use std::sync::Arc;
use std::time::Duration;
use terms::Reason;

/// How long a neighbour may take to send its OPEN (RFC 4271 section 8.2.2: "a large value").
pub(super) const OPEN_WAIT: Duration = Duration::from_secs(240);
/// How long a neighbour may take no octet at least (RFC 9687 section 5).
const SEND_HOLD: Duration = Duration::from_secs(480);

/// What the machine reacts to: the events of RFC 4271 section 8.1.
pub(super) enum Stimulus {
    Start,
    Stop(Option<ShutdownText>),
    Connected(Connection),
    ConnectFailed(Reason),
    Closed,
    Written,
    Message(Message),
    /// What arrived is no message; this is the answer it deserves.
    Malformed(Notification),
    Wanted,
    Expired(Timer),
}

/// Where the machine goes.
pub(super) enum Next {
    /// Where it was; nothing to tell.
    Stay(State),
    /// To a state, and why; told to people if it is another one.
    Go(State, Reason),
}

use Next::{Go, Stay};

impl Session {
    pub(super) fn step(&mut self, stimulus: Stimulus) {
        self.change(|session, state| session.transition(state, stimulus));
    }

    /// Lets a function take the state and give the next one, and tells people if it is another.
    pub(super) fn change(&mut self, step: impl FnOnce(&mut Session, State) -> Next) {
        let state = std::mem::replace(&mut self.state, State::Idle);
        let from = state.name();
        match step(self, state) {
            Stay(state) => self.state = state,
            Go(state, reason) => {
                let to = state.name();
                self.state = state;
                if from != to {
                    self.emit(Event::StateChanged { from, to, reason });
                }
            }
        }
    }

    fn transition(&mut self, state: State, stimulus: Stimulus) -> Next {
        match (state, stimulus) {
            // Idle: connections are refused.
            (State::Idle, Stimulus::Start) => {
                self.failures = 0;
                self.offer = Offer::Full;
                self.begin("started by the operator")
            }
            (State::Idle, Stimulus::Expired(Timer::IdleHold)) => self.begin("the pause is over"),
            (State::Idle, Stimulus::Stop(_)) => {
                self.timers.stop_all();
                Stay(State::Idle)
            }
            (State::Idle, Stimulus::Connected(connection)) => {
                self.close(&connection);
                Stay(State::Idle)
            }

            // Connect and Active: no connection yet.
            (State::Connect | State::Active, Stimulus::Stop(_)) => self.stop(),
            (State::Connect | State::Active, Stimulus::Connected(connection)) => {
                let reason = format!("{} connection open", connection.direction);
                let connection = self.send_open(connection, Timer::Hold);
                self.timers.stop(Timer::ConnectRetry);
                Go(State::OpenSent(OpenSent { connection, rival: None }), reason.into())
            }
            (State::Connect, Stimulus::ConnectFailed(reason)) => {
                self.start(Timer::ConnectRetry, self.settings.connect_retry);
                Go(State::Active, reason)
            }
            (State::Connect, Stimulus::Expired(Timer::ConnectRetry)) => {
                self.connect();
                Stay(State::Connect)
            }
            (State::Active, Stimulus::Expired(Timer::ConnectRetry)) => {
                self.connect();
                Go(State::Connect, "time for another attempt".into())
            }

            // OpenSent: our OPEN is on its way.
            (State::OpenSent(s), Stimulus::Stop(text)) => self.shut_down(s.connection, s.rival, text),
            (State::OpenSent(s), Stimulus::Connected(connection)) => self.meet_in_open_sent(s, connection),
            (State::OpenSent(s), Stimulus::Closed) => self.closed_in_open_sent(s.rival),
            (State::OpenSent(s), Stimulus::Message(Message::Open(open))) => match self.judge(&open) {
                Ok(negotiated) => {
                    let connection = self.confirm(s.connection, &negotiated);
                    let reason = agreement(&open, &negotiated);
                    let confirmed = OpenConfirm { connection, negotiated, rival: s.rival };
                    Go(State::OpenConfirm(confirmed), reason)
                }
                Err(notification) => self.fail(s.connection, s.rival, notification),
            },
            (State::OpenSent(s), Stimulus::Message(Message::Notification(notification))) => {
                self.refused(s.connection, s.rival, notification)
            }
            (
                State::OpenSent(s),
                Stimulus::Message(Message::Update(_) | Message::Keepalive | Message::RouteRefresh(_)),
            ) => self.fail(s.connection, s.rival, ErrorCode::UNEXPECTED_IN_OPEN_SENT),
            (State::OpenSent(s), Stimulus::Malformed(notification)) => {
                self.fail(s.connection, s.rival, notification)
            }
            (State::OpenSent(s), Stimulus::Expired(Timer::Hold)) => {
                self.fail(s.connection, s.rival, ErrorCode::HOLD_TIMER_EXPIRED)
            }
            (State::OpenSent(s), Stimulus::Expired(Timer::RivalOpen)) => {
                self.refuse_rival(s.rival, ErrorCode::HOLD_TIMER_EXPIRED);
                Stay(State::OpenSent(OpenSent { rival: None, ..s }))
            }

            // OpenConfirm: the neighbour's KEEPALIVE is missing.
            (State::OpenConfirm(s), Stimulus::Stop(text)) => self.shut_down(s.connection, s.rival, text),
            (State::OpenConfirm(s), Stimulus::Connected(connection)) => {
                self.meet_in_open_confirm(s, connection)
            }
            (State::OpenConfirm(s), Stimulus::Closed) => {
                self.count_failure();
                self.fall_back(s.rival, "the connection was closed".into())
            }
            (State::OpenConfirm(s), Stimulus::Message(Message::Keepalive)) => self.establish(s),
            (State::OpenConfirm(s), Stimulus::Message(Message::Notification(notification))) => {
                self.refused(s.connection, s.rival, notification)
            }
            (
                State::OpenConfirm(s),
                Stimulus::Message(Message::Open(_) | Message::Update(_) | Message::RouteRefresh(_)),
            ) => self.fail(s.connection, s.rival, ErrorCode::UNEXPECTED_IN_OPEN_CONFIRM),
            (State::OpenConfirm(s), Stimulus::Malformed(notification)) => {
                self.fail(s.connection, s.rival, notification)
            }
            (State::OpenConfirm(s), Stimulus::Expired(Timer::Hold)) => {
                self.fail(s.connection, s.rival, ErrorCode::HOLD_TIMER_EXPIRED)
            }
            (State::OpenConfirm(s), Stimulus::Expired(Timer::RivalOpen)) => {
                self.refuse_rival(s.rival, ErrorCode::HOLD_TIMER_EXPIRED);
                Stay(State::OpenConfirm(OpenConfirm { rival: None, ..s }))
            }
            (State::OpenConfirm(mut s), Stimulus::Expired(Timer::Keepalive)) => {
                self.keep_alive(&mut s.connection, s.negotiated.hold_time);
                Stay(State::OpenConfirm(s))
            }

            // Established: wanted routes are told.
            (State::Established(mut s), Stimulus::Wanted) => {
                s.rib_out.want(Arc::clone(&self.wanted));
                Stay(State::Established(s))
            }
            (State::Established(s), Stimulus::Written) => {
                self.timers.stop(Timer::SendHold);
                self.watch_sending(s.connection.unsent, s.negotiated.hold_time);
                Stay(State::Established(s))
            }
            (State::Established(s), Stimulus::Stop(text)) => self.shut_down(s.connection, None, text),
            (State::Established(s), Stimulus::Connected(connection)) => {
                self.refuse(connection, ErrorCode::CONNECTION_COLLISION);
                Stay(State::Established(s))
            }
            (State::Established(s), Stimulus::Closed) => self.lost(&s, "the connection was closed".into()),
            (State::Established(s), Stimulus::Message(Message::Keepalive)) => {
                self.heard(s.negotiated.hold_time);
                Stay(State::Established(s))
            }
            (State::Established(mut s), Stimulus::Message(Message::Update(body))) => {
                self.heard(s.negotiated.hold_time);
                match s.receive(&body, &mut self.received, self.now) {
                    Ok(event) => {
                        event.into_iter().for_each(|event| self.emit(event));
                        Stay(State::Established(s))
                    }
                    Err(notification) => self.broken(s, notification),
                }
            }
            (State::Established(mut s), Stimulus::Message(Message::RouteRefresh(refresh))) => {
                self.heard(s.negotiated.hold_time);
                // RFC 2918 section 4: a family that the session does not carry is ignored.
                let family = refresh.family().filter(|family| s.negotiated.families.contains(family));
                let asked = family.filter(|family| s.rib_out.tell_again(*family));
                asked.into_iter().for_each(|family| self.emit(Event::RefreshRequested(family)));
                Stay(State::Established(s))
            }
            (State::Established(s), Stimulus::Message(Message::Notification(notification))) => {
                self.close(&s.connection);
                self.emit(Event::NotificationReceived(notification.clone()));
                self.lost(&s, notification.to_string().into())
            }
            (State::Established(s), Stimulus::Message(Message::Open(_))) => {
                self.broken(s, ErrorCode::UNEXPECTED_IN_ESTABLISHED)
            }
            (State::Established(s), Stimulus::Malformed(notification)) => self.broken(s, notification),
            (State::Established(s), Stimulus::Expired(Timer::Hold)) => {
                self.broken(s, ErrorCode::HOLD_TIMER_EXPIRED)
            }
            (State::Established(s), Stimulus::Expired(Timer::SendHold)) => {
                // RFC 9687 section 3: a NOTIFICATION would wait behind what the neighbour does not take.
                self.close(&s.connection);
                self.lost(&s, ErrorCode::SEND_HOLD_TIMER_EXPIRED.to_string().into())
            }
            (State::Established(mut s), Stimulus::Expired(Timer::Keepalive)) => {
                self.keep_alive(&mut s.connection, s.negotiated.hold_time);
                self.watch_sending(s.connection.unsent, s.negotiated.hold_time);
                s.tolerated(self.now).into_iter().for_each(|event| self.emit(event));
                Stay(State::Established(s))
            }

            // What cannot happen in a state, or changes nothing there.
            (
                state @ State::Idle,
                Stimulus::ConnectFailed(_)
                | Stimulus::Closed
                | Stimulus::Written
                | Stimulus::Message(_)
                | Stimulus::Malformed(_)
                | Stimulus::Wanted
                | Stimulus::Expired(
                    Timer::Hold | Timer::SendHold | Timer::RivalOpen | Timer::Keepalive | Timer::ConnectRetry,
                ),
            )
            | (
                state @ (State::Connect | State::Active),
                Stimulus::Start
                | Stimulus::Closed
                | Stimulus::Written
                | Stimulus::Message(_)
                | Stimulus::Malformed(_)
                | Stimulus::Wanted
                | Stimulus::Expired(
                    Timer::Hold | Timer::SendHold | Timer::RivalOpen | Timer::Keepalive | Timer::IdleHold,
                ),
            )
            | (state @ State::Active, Stimulus::ConnectFailed(_))
            | (
                state @ State::OpenSent(_),
                Stimulus::Start
                | Stimulus::ConnectFailed(_)
                | Stimulus::Written
                | Stimulus::Wanted
                | Stimulus::Expired(Timer::SendHold | Timer::Keepalive | Timer::ConnectRetry | Timer::IdleHold),
            )
            | (
                state @ State::OpenConfirm(_),
                Stimulus::Start
                | Stimulus::ConnectFailed(_)
                | Stimulus::Written
                | Stimulus::Wanted
                | Stimulus::Expired(Timer::SendHold | Timer::ConnectRetry | Timer::IdleHold),
            )
            | (
                state @ State::Established(_),
                Stimulus::Start
                | Stimulus::ConnectFailed(_)
                | Stimulus::Expired(Timer::RivalOpen | Timer::ConnectRetry | Timer::IdleHold),
            ) => Stay(state),
        }
    }

    /// Leaves Idle.
    fn begin(&mut self, reason: &str) -> Next {
        self.timers.stop_all();
        if self.settings.passive {
            return Go(State::Active, reason.into());
        }
        self.connect();
        Go(State::Connect, reason.into())
    }

    fn connect(&mut self) {
        self.start(Timer::ConnectRetry, self.settings.connect_retry);
        self.outputs.push_back(Output::Connect);
    }

    /// Introduces ourselves on a fresh connection; `timer` is how long the answer may take.
    pub(super) fn send_open(&mut self, mut connection: Connection, timer: Timer) -> Connection {
        let open = self.offer.open(&self.settings).encode();
        self.outputs.push_back(connection.send(open));
        self.start_exactly(timer, OPEN_WAIT);
        connection
    }

    /// Whether the neighbour's OPEN goes with ours.
    pub(super) fn judge(&self, theirs: &Open) -> Result<Negotiated, Notification> {
        Negotiated::between(&self.offer.open(&self.settings), theirs, self.settings.peer_asn)
    }

    /// Agrees to the neighbour's OPEN.
    pub(super) fn confirm(&mut self, mut connection: Connection, negotiated: &Negotiated) -> Connection {
        self.timers.stop(Timer::Hold);
        self.heard(negotiated.hold_time);
        self.keep_alive(&mut connection, negotiated.hold_time);
        connection
    }

    fn establish(&mut self, mut confirmed: OpenConfirm) -> Next {
        self.heard(confirmed.negotiated.hold_time);
        // RFC 4271 section 6.8: an established connection wins over one that is not.
        self.refuse_rival(confirmed.rival.take(), ErrorCode::CONNECTION_COLLISION);
        let established = Established::new(confirmed, &self.settings, Arc::clone(&self.wanted), self.now);
        Go(State::Established(Box::new(established)), "both sides agree".into())
    }

    /// The neighbour lives.
    fn heard(&mut self, hold_time: HoldTime) {
        if let Some(hold) = hold_time.duration() {
            self.start_exactly(Timer::Hold, hold);
        }
    }

    fn keep_alive(&mut self, connection: &mut Connection, hold_time: HoldTime) {
        self.outputs.push_back(connection.send(KEEPALIVE.to_vec()));
        if let Some(interval) = hold_time.keepalive() {
            self.start(Timer::Keepalive, interval);
        }
    }

    /// Keeps the send hold timer running exactly while octets wait (RFC 9687 section 4).
    pub(super) fn watch_sending(&mut self, unsent: usize, hold_time: HoldTime) {
        if unsent == 0 {
            self.timers.stop(Timer::SendHold);
        } else if !self.timers.is_running(Timer::SendHold) {
            let hold = hold_time.duration().unwrap_or_default();
            self.start_exactly(Timer::SendHold, SEND_HOLD.max(hold * 2));
        }
    }

    /// Says why, and closes.
    pub(super) fn refuse(&mut self, mut connection: Connection, notification: impl Into<Notification>) {
        let notification = notification.into();
        self.outputs.push_back(connection.send(notification.encode()));
        self.emit(Event::NotificationSent(notification));
        self.close(&connection);
    }

    pub(super) fn refuse_rival(&mut self, rival: Option<Connection>, why: impl Into<Notification>) {
        self.timers.stop(Timer::RivalOpen);
        if let Some(rival) = rival {
            self.refuse(rival, why);
        }
    }

    pub(super) fn close(&mut self, connection: &Connection) {
        self.outputs.push_back(Output::Close { connection: connection.id });
    }

    /// The neighbour did what it must not.
    fn fail(
        &mut self,
        connection: Connection,
        rival: Option<Connection>,
        notification: impl Into<Notification>,
    ) -> Next {
        let notification = notification.into();
        let reason = notification.to_string();
        self.refuse(connection, notification);
        self.count_failure();
        self.fall_back(rival, reason.into())
    }

    /// The neighbour does not want us: the next OPEN takes account of why.
    fn refused(
        &mut self,
        connection: Connection,
        rival: Option<Connection>,
        notification: Notification,
    ) -> Next {
        self.close(&connection);
        let reason = notification.to_string();
        if notification.error != ErrorCode::CONNECTION_COLLISION {
            self.offer = self.offer.after_refusal(notification.error, &self.settings);
            self.count_failure();
        }
        self.emit(Event::NotificationReceived(notification));
        self.fall_back(rival, reason.into())
    }

    /// As [`Session::fail`], with a session that was up.
    fn broken(&mut self, established: Box<Established>, notification: impl Into<Notification>) -> Next {
        let notification = notification.into();
        let reason = notification.to_string();
        self.forgive_after(&established);
        self.refuse(established.connection, notification);
        self.count_failure();
        self.fall_back(None, reason.into())
    }

    /// A session that was up has lost its connection.
    fn lost(&mut self, established: &Established, reason: Reason) -> Next {
        self.forgive_after(established);
        self.count_failure();
        self.fall_back(None, reason)
    }

    /// RFC 4271 section 8.2.2: without a word in OpenSent, so the next attempt need not wait for a pause.
    fn closed_in_open_sent(&mut self, rival: Option<Connection>) -> Next {
        if rival.is_some() {
            return self.fall_back(rival, "the connection was closed".into());
        }
        self.timers.stop_all();
        if !self.settings.passive {
            self.start(Timer::ConnectRetry, self.settings.connect_retry);
        }
        Go(State::Active, "the connection was closed before an OPEN came".into())
    }

    fn forgive_after(&mut self, established: &Established) {
        if self.now.since(established.since) >= self.settings.idle_hold.cap {
            self.failures = 0;
        }
    }

    fn count_failure(&mut self) {
        self.failures = self.failures.saturating_add(1);
    }

    /// The connection is gone: its rival takes over, or there is a pause.
    fn fall_back(&mut self, rival: Option<Connection>, reason: Reason) -> Next {
        let rival_deadline = self.timers.stop(Timer::RivalOpen);
        self.timers.stop_all();
        if let Some(connection) = rival {
            rival_deadline.into_iter().for_each(|deadline| self.timers.start(Timer::Hold, deadline));
            return Go(State::OpenSent(OpenSent { connection, rival: None }), reason);
        }
        self.start(Timer::IdleHold, self.settings.idle_hold.pause(self.failures));
        Go(State::Idle, reason)
    }

    /// The operator's stop, with a connection that deserves a word.
    fn shut_down(
        &mut self,
        connection: Connection,
        rival: Option<Connection>,
        text: Option<ShutdownText>,
    ) -> Next {
        for connection in std::iter::once(connection).chain(rival) {
            self.refuse(connection, Notification::shutdown(text.as_ref()));
        }
        self.stop()
    }

    fn stop(&mut self) -> Next {
        self.timers.stop_all();
        Go(State::Idle, "stopped by the operator".into())
    }
}

/// What both sides agreed on, in words.
pub(super) fn agreement(open: &Open, negotiated: &Negotiated) -> Reason {
    let families: Vec<String> = negotiated.families.iter().map(ToString::to_string).collect();
    Reason::from(format!(
        "AS {} router {} carries {}, hold time {} s",
        open.asn,
        open.router_id,
        families.join(" and "),
        negotiated.hold_time.seconds()
    ))
}

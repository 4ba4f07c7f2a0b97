//! The table of the state machine: what a stimulus does in each state (RFC 4271 section 8.2.2).

use crate::session::graceful::Loss;
use crate::session::offer::Offer;
use crate::session::opening::agreement;
use crate::session::state::{Connection, OpenConfirm, OpenSent, State};
use crate::session::timers::Timer;
use crate::session::{Ending, Event, Session, Settings, StateName, Unsaid};
use crate::wire::message::Message;
use crate::wire::notification::{ErrorCode, Notification};
use crate::wire::route_refresh::{Refresh, RouteRefresh};
use std::sync::Arc;
use terms::{Family, Reason};

/// What the machine reacts to: the events of RFC 4271 section 8.1.
pub(super) enum Stimulus {
    Start,
    /// The operator's, and what the neighbour is told.
    Stop(Notification),
    /// The path is gone, and what was seen.
    PathDown(Reason),
    Connected(Connection),
    ConnectFailed(Reason),
    Closed,
    Written,
    Message(Message),
    /// What arrived is no message; this is the answer it deserves.
    Malformed(Notification),
    Wanted,
    Reconfigured(Box<Settings>),
    TellAgain,
    AskAgain,
    /// So many prefixes of the neighbour stand announced.
    Counted(Family, usize),
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
                if from == StateName::Established && to != from {
                    self.counted.forget();
                    if !self.retention.is_awaiting() {
                        self.forget_heard();
                    }
                }
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
                self.wanted.judge(&self.settings).into_iter().for_each(|event| self.emit(event));
                self.begin("started by the operator")
            }
            (State::Idle, Stimulus::Expired(Timer::IdleHold)) => self.begin("the pause is over"),
            (State::Idle, Stimulus::Expired(Timer::LimitPause)) => {
                self.begin("the pause after too many prefixes is over")
            }
            (State::Idle, Stimulus::Stop(_)) => self.stop(),
            (State::Idle, Stimulus::Reconfigured(settings)) => self.reconfigured_in_idle(*settings),
            (State::Idle, Stimulus::Connected(connection)) => {
                self.turn_away(connection);
                Stay(State::Idle)
            }

            // Connect and Active: no connection yet.
            (State::Connect | State::Active, Stimulus::Stop(_)) => self.stop(),
            (state @ (State::Connect | State::Active), Stimulus::Reconfigured(settings)) => {
                self.reconfigured_on_the_way(state, *settings)
            }
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
            (State::OpenSent(s), Stimulus::Stop(cease)) => self.shut_down(s.into(), cease),
            (State::OpenSent(s), Stimulus::PathDown(reason)) => self.path_down(s.into(), &reason),
            (State::OpenSent(s), Stimulus::Reconfigured(settings)) => {
                self.reconfigured_in_open_sent(s, *settings)
            }
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
                Stimulus::Message(
                    message @ (Message::Update(_) | Message::Keepalive | Message::RouteRefresh(_)),
                ),
            ) => {
                let notification = message.unexpected(ErrorCode::UNEXPECTED_IN_OPEN_SENT);
                self.fail(s.connection, s.rival, notification)
            }
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
            (State::OpenConfirm(s), Stimulus::Stop(cease)) => self.shut_down(s.into(), cease),
            (State::OpenConfirm(s), Stimulus::PathDown(reason)) => self.path_down(s.into(), &reason),
            (State::OpenConfirm(s), Stimulus::Reconfigured(settings)) => {
                self.reconfigured_in_open_confirm(s, *settings)
            }
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
            // RFC 4271 section 8.2.2, event 19: only a collision ends it. OpenBGPD 7.7 says first what it could not send any more
            // on a connection to the process before us.
            (State::OpenConfirm(s), Stimulus::Message(Message::Open(open)))
                if s.connection.has_heard(&open) =>
            {
                Stay(State::OpenConfirm(s))
            }
            (
                State::OpenConfirm(s),
                Stimulus::Message(
                    message @ (Message::Open(_) | Message::Update(_) | Message::RouteRefresh(_)),
                ),
            ) => {
                let notification = message.unexpected(ErrorCode::UNEXPECTED_IN_OPEN_CONFIRM);
                self.fail(s.connection, s.rival, notification)
            }
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
                s.rib_out.want(Arc::clone(self.wanted.allowed()));
                Stay(State::Established(s))
            }
            (State::Established(s), Stimulus::Reconfigured(settings)) => {
                self.reconfigured_in_established(s, *settings)
            }
            (State::Established(s), Stimulus::Written) => {
                self.timers.stop(Timer::SendHold);
                self.watch_sending(s.connection.unsent, s.negotiated.hold_time);
                Stay(State::Established(s))
            }
            (State::Established(s), Stimulus::Stop(cease)) => self.shut_down((*s).into(), cease),
            (State::Established(s), Stimulus::PathDown(reason)) => {
                self.forgive_after(&s);
                self.path_down((*s).into(), &reason)
            }
            (State::Established(s), Stimulus::Connected(connection)) => {
                Stay(State::Established(self.meet_in_established(s, connection)))
            }
            (State::Established(s), Stimulus::Closed) => {
                self.notes.down(s.connection.id, || Ending::Closed);
                self.lost(s, &Loss::Connection, "the connection was closed".into())
            }
            (State::Established(s), Stimulus::Message(Message::Keepalive)) => {
                self.heard(s.negotiated.hold_time);
                Stay(State::Established(s))
            }
            (State::Established(mut s), Stimulus::TellAgain) => {
                for family in s.negotiated.families.clone() {
                    // A family that is being told again already needs no second time.
                    let _ = s.rib_out.tell_again(family);
                }
                Stay(State::Established(s))
            }
            (State::Established(mut s), Stimulus::Message(Message::Update(body))) => {
                self.heard(s.negotiated.hold_time);
                match s.receive(&body, self.hearing()) {
                    Ok(events) => {
                        events.into_iter().for_each(|event| self.emit(event));
                        Stay(State::Established(s))
                    }
                    Err(notification) => self.broken(s, notification),
                }
            }
            (State::Established(mut s), Stimulus::Message(Message::RouteRefresh(refresh))) => {
                self.heard(s.negotiated.hold_time);
                let RouteRefresh { subtype, .. } = refresh;
                // RFC 2918 section 4: a family that the session does not carry is ignored.
                let carried = refresh.family().filter(|family| s.negotiated.families.contains(family));
                let event = carried.and_then(|family| match subtype {
                    Refresh::Request => {
                        s.rib_out.tell_again(family).then_some(Event::RefreshRequested(family))
                    }
                    Refresh::Begin => {
                        s.told_again_from_here(family, &mut self.hearing());
                        None
                    }
                    Refresh::End => {
                        s.told_again_up_to_here(family, &mut self.hearing());
                        None
                    }
                    // RFC 7313 section 5
                    Refresh::Unknown(_) => None,
                });
                event.into_iter().for_each(|event| self.emit(event));
                Stay(State::Established(s))
            }
            (State::Established(mut s), Stimulus::AskAgain) => {
                let families = s.negotiated.families.clone();
                self.ask_again(&mut s, &families);
                Stay(State::Established(s))
            }
            (State::Established(s), Stimulus::Counted(family, count)) => {
                match self.counted.judge(family, count) {
                    Ok(warning) => {
                        warning.into_iter().for_each(|event| self.emit(event));
                        Stay(State::Established(s))
                    }
                    Err(too_many) => self.too_many(s, too_many),
                }
            }
            (State::Established(s), Stimulus::Message(Message::Notification(notification))) => {
                self.close(&s.connection);
                self.emit(Event::NotificationReceived(notification.clone()));
                self.notes.down(s.connection.id, || Ending::Received(notification.clone()));
                self.lost(s, &Loss::Notification(&notification), notification.to_string().into())
            }
            (State::Established(s), Stimulus::Message(message @ Message::Open(_))) => {
                self.broken(s, message.unexpected(ErrorCode::UNEXPECTED_IN_ESTABLISHED))
            }
            (State::Established(s), Stimulus::Malformed(notification)) => self.broken(s, notification),
            (State::Established(s), Stimulus::Expired(Timer::Hold)) => {
                self.broken(s, ErrorCode::HOLD_TIMER_EXPIRED)
            }
            (State::Established(s), Stimulus::Expired(Timer::SendHold)) => {
                // RFC 9687 section 5: a NOTIFICATION would wait behind what the neighbour does not take.
                self.close(&s.connection);
                self.notes.down(s.connection.id, || Ending::Unsaid(Unsaid::SendHoldTimerExpires));
                let unsaid = Notification::from(ErrorCode::SEND_HOLD_TIMER_EXPIRED);
                self.lost(s, &Loss::Notification(&unsaid), unsaid.to_string().into())
            }
            (State::Established(mut s), Stimulus::Expired(Timer::RivalOpen)) => {
                self.refuse_rival(s.rival.take(), ErrorCode::HOLD_TIMER_EXPIRED);
                Stay(State::Established(s))
            }
            (State::Established(mut s), Stimulus::Expired(Timer::Keepalive)) => {
                self.keep_alive(&mut s.connection, s.negotiated.hold_time);
                self.watch_sending(s.connection.unsent, s.negotiated.hold_time);
                s.troubles(self.now).for_each(|event| self.emit(event));
                Stay(State::Established(s))
            }

            // What cannot happen in a state, or changes nothing there.
            (
                state @ State::Idle,
                Stimulus::PathDown(_)
                | Stimulus::ConnectFailed(_)
                | Stimulus::Closed
                | Stimulus::Written
                | Stimulus::Message(_)
                | Stimulus::Malformed(_)
                | Stimulus::Wanted
                | Stimulus::TellAgain
                | Stimulus::AskAgain
                | Stimulus::Counted(..)
                | Stimulus::Expired(
                    Timer::Hold | Timer::SendHold | Timer::RivalOpen | Timer::Keepalive | Timer::ConnectRetry,
                ),
            )
            | (
                state @ (State::Connect | State::Active),
                Stimulus::Start
                | Stimulus::PathDown(_)
                | Stimulus::Closed
                | Stimulus::Written
                | Stimulus::Message(_)
                | Stimulus::Malformed(_)
                | Stimulus::Wanted
                | Stimulus::TellAgain
                | Stimulus::AskAgain
                | Stimulus::Counted(..)
                | Stimulus::Expired(
                    Timer::Hold
                    | Timer::SendHold
                    | Timer::RivalOpen
                    | Timer::Keepalive
                    | Timer::IdleHold
                    | Timer::LimitPause,
                ),
            )
            | (state @ State::Active, Stimulus::ConnectFailed(_))
            | (
                state @ State::OpenSent(_),
                Stimulus::Start
                | Stimulus::ConnectFailed(_)
                | Stimulus::Written
                | Stimulus::Wanted
                | Stimulus::TellAgain
                | Stimulus::AskAgain
                | Stimulus::Counted(..)
                | Stimulus::Expired(
                    Timer::SendHold
                    | Timer::Keepalive
                    | Timer::ConnectRetry
                    | Timer::IdleHold
                    | Timer::LimitPause,
                ),
            )
            | (
                state @ State::OpenConfirm(_),
                Stimulus::Start
                | Stimulus::ConnectFailed(_)
                | Stimulus::Written
                | Stimulus::Wanted
                | Stimulus::TellAgain
                | Stimulus::AskAgain
                | Stimulus::Counted(..)
                | Stimulus::Expired(
                    Timer::SendHold | Timer::ConnectRetry | Timer::IdleHold | Timer::LimitPause,
                ),
            )
            | (
                state @ State::Established(_),
                Stimulus::Start
                | Stimulus::ConnectFailed(_)
                | Stimulus::Expired(Timer::ConnectRetry | Timer::IdleHold | Timer::LimitPause),
            ) => Stay(state),
        }
    }
}

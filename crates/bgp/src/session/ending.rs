//! What the table does on the way down: say why, close, fall back to the rival or pause.

use crate::session::established::Established;
use crate::session::graceful::{Loss, final_word};
use crate::session::limits::{LIMIT_PAUSE, TooMany};
use crate::session::state::{Connection, OpenConfirm, OpenSent, State};
use crate::session::timers::Timer;
use crate::session::transition::Next;
use crate::session::{Ending, Event, Output, Session};
use crate::wire::negotiated::Negotiated;
use crate::wire::notification::{ErrorCode, Notification};
use Next::Go;
use terms::Reason;

/// The connections of a session that ends, and what was agreed on the first.
pub(super) struct Ended {
    connection: Connection,
    negotiated: Option<Negotiated>,
    rival: Option<Connection>,
}

impl From<OpenSent> for Ended {
    fn from(OpenSent { connection, rival }: OpenSent) -> Self {
        Ended { connection, negotiated: None, rival }
    }
}

impl From<OpenConfirm> for Ended {
    fn from(OpenConfirm { connection, negotiated, rival }: OpenConfirm) -> Self {
        Ended { connection, negotiated: Some(negotiated), rival }
    }
}

impl From<Established> for Ended {
    fn from(Established { connection, negotiated, rival, .. }: Established) -> Self {
        Ended { connection, negotiated: Some(negotiated), rival }
    }
}

impl Session {
    /// Says why, and closes.
    pub(super) fn refuse(&mut self, mut connection: Connection, notification: impl Into<Notification>) {
        let notification = notification.into();
        self.outputs.push_back(connection.send(notification.encode()));
        self.notes.down(connection.id, || Ending::Sent(notification.clone()));
        self.emit(Event::NotificationSent(notification));
        self.close(&connection);
    }

    pub(super) fn refuse_rival(&mut self, rival: Option<Connection>, why: impl Into<Notification>) {
        self.timers.stop(Timer::RivalOpen);
        if let Some(rival) = rival {
            self.refuse(rival, why);
        }
    }

    /// A connection that comes in Idle. In a pause, which is short and ours alone, it ends without a word: the
    /// neighbour then calls again soon, where a NOTIFICATION would make it wait. A session that is not wanted says so
    /// (RFC 4486 section 4).
    pub(super) fn turn_away(&mut self, connection: Connection) {
        if self.timers.is_running(Timer::IdleHold) {
            self.close(&connection);
        } else {
            self.refuse(connection, ErrorCode::CONNECTION_REJECTED);
        }
    }

    pub(super) fn close(&mut self, connection: &Connection) {
        self.outputs.push_back(Output::Close { connection: connection.id });
    }

    /// The neighbour did what it must not.
    pub(super) fn fail(
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
    pub(super) fn refused(
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
        self.attempt_ended(&notification);
        self.emit(Event::NotificationReceived(notification));
        self.fall_back(rival, reason.into())
    }

    /// As [`Session::fail`], with a session that was up.
    pub(super) fn broken(
        &mut self,
        established: Box<Established>,
        notification: impl Into<Notification>,
    ) -> Next {
        let notification = notification.into();
        let reason = notification.to_string();
        self.forgive_after(&established);
        let Established { connection, negotiated, rival, .. } = *established;
        self.retain(&negotiated, &Loss::Notification(&notification));
        self.refuse(connection, notification);
        self.count_failure();
        self.fall_back(rival, reason.into())
    }

    /// A session that was up has lost its connection. A neighbour that restarts calls as soon as it can, so a first loss
    /// is not followed by a pause in which it would be turned away.
    pub(super) fn lost(&mut self, established: Box<Established>, loss: &Loss<'_>, reason: Reason) -> Next {
        self.forgive_after(&established);
        self.count_failure();
        let Established { negotiated, rival, .. } = *established;
        let restarts = self.retain(&negotiated, loss) && matches!(loss, Loss::Connection);
        if !restarts || rival.is_some() || self.failures > 1 {
            return self.fall_back(rival, reason);
        }
        self.timers.stop_all();
        if !self.settings.passive {
            self.start(Timer::ConnectRetry, self.settings.idle_hold.pause(self.failures));
        }
        Go(State::Active, reason)
    }

    /// RFC 4271 section 8.2.2: without a word in OpenSent, so the next attempt need not wait for a pause.
    pub(super) fn closed_in_open_sent(&mut self, rival: Option<Connection>) -> Next {
        if rival.is_some() {
            return self.fall_back(rival, "the connection was closed".into());
        }
        self.timers.stop_all();
        if !self.settings.passive {
            self.start(Timer::ConnectRetry, self.settings.connect_retry);
        }
        Go(State::Active, "the connection was closed before an OPEN came".into())
    }

    pub(super) fn forgive_after(&mut self, established: &Established) {
        if self.now.since(established.since) >= self.settings.idle_hold.cap {
            self.failures = 0;
        }
    }

    pub(super) fn count_failure(&mut self) {
        self.failures = self.failures.saturating_add(1);
    }

    /// The connection is gone: its rival takes over, or there is a pause.
    pub(super) fn fall_back(&mut self, rival: Option<Connection>, reason: Reason) -> Next {
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
    pub(super) fn shut_down(&mut self, ended: Ended, notification: Notification) -> Next {
        self.take_leave(ended, notification);
        self.stop()
    }

    /// Says that it is over on every connection there is: the neighbour's users are to go elsewhere at once.
    fn take_leave(&mut self, ended: Ended, why: Notification) {
        let Ended { connection, negotiated, rival } = ended;
        self.refuse(connection, final_word(negotiated.as_ref(), why.clone()));
        self.refuse_rival(rival, why);
    }

    /// The path is gone, and what runs over it with it (RFC 9384). The neighbour did nothing wrong, so the pause is
    /// the shortest there is however often that happens; a path that flaps is for whoever watches it to damp.
    pub(super) fn path_down(&mut self, ended: Ended, reason: &Reason) -> Next {
        self.begin_again(ended, ErrorCode::BFD_DOWN, format!("the path is gone: {reason}").into())
    }

    /// Ends what the neighbour is not to blame for, and begins again after the shortest pause there is.
    pub(super) fn begin_again(&mut self, ended: Ended, error: ErrorCode, reason: Reason) -> Next {
        self.take_leave(ended, error.into());
        self.timers.stop_all();
        self.start(Timer::IdleHold, self.settings.idle_hold.pause(1));
        Go(State::Idle, reason)
    }

    /// The neighbour announced more than it may (RFC 4486 section 4).
    pub(super) fn too_many(&mut self, established: Box<Established>, too_many: TooMany) -> Next {
        let TooMany { family, limit } = too_many;
        let notification = too_many.notification();
        let reason = notification.to_string();
        self.take_leave((*established).into(), notification);
        self.count_failure();
        self.timers.stop_all();
        self.start_exactly(Timer::LimitPause, LIMIT_PAUSE);
        self.over_limit = true;
        self.emit(Event::TooManyPrefixes { family, limit });
        Go(State::Idle, reason.into())
    }

    /// The pause after too many prefixes, if there is one, is over.
    pub(super) fn forgive_prefixes(&mut self) {
        if std::mem::take(&mut self.over_limit) {
            self.emit(Event::PrefixesForgiven);
        }
    }

    pub(super) fn stop(&mut self) -> Next {
        self.timers.stop_all();
        self.forget_heard();
        self.forgive_prefixes();
        self.wanted.forget().into_iter().for_each(|event| self.emit(event));
        Go(State::Idle, "stopped by the operator".into())
    }
}

//! What the table does on the way up: connect, introduce, agree, live.

use crate::session::established::Established;
use crate::session::state::{Connection, OpenConfirm, State};
use crate::session::timers::Timer;
use crate::session::transition::Next;
use crate::session::{Output, Session};
use crate::wire::message::KEEPALIVE;
use crate::wire::negotiated::Negotiated;
use crate::wire::notification::{ErrorCode, Notification};
use crate::wire::open::{HoldTime, Open};
use Next::Go;
use std::sync::Arc;
use std::time::Duration;
use terms::Reason;

/// How long a neighbour may take to send its OPEN (RFC 4271 section 8.2.2: "a large value").
const OPEN_WAIT: Duration = Duration::from_secs(240);
/// How long a neighbour may take no octet at least (RFC 9687 section 6).
const SEND_HOLD: Duration = Duration::from_secs(480);

impl Session {
    /// Leaves Idle.
    pub(super) fn begin(&mut self, reason: &str) -> Next {
        self.timers.stop_all();
        self.forgive_prefixes();
        if self.settings.passive {
            return Go(State::Active, reason.into());
        }
        self.connect();
        Go(State::Connect, reason.into())
    }

    pub(super) fn connect(&mut self) {
        self.start(Timer::ConnectRetry, self.settings.connect_retry);
        self.outputs.push_back(Output::Connect);
    }

    /// Introduces ourselves on a fresh connection; `timer` is how long the answer may take.
    pub(super) fn send_open(&mut self, mut connection: Connection, timer: Timer) -> Connection {
        let open = self.offer.open(&self.settings, &self.restart).encode();
        connection.opens.sent.clone_from(&open);
        self.outputs.push_back(connection.send(open));
        self.start_exactly(timer, OPEN_WAIT);
        connection
    }

    /// Whether the neighbour's OPEN goes with ours.
    pub(super) fn judge(&self, theirs: &Open) -> Result<Negotiated, Notification> {
        let ours = self.offer.open(&self.settings, &self.restart);
        let negotiated = Negotiated::between(&ours, theirs, self.settings.peer_asn)?;
        // RFC 9234 section 4.2: in the strict mode a neighbour has to say what it is.
        let is_silent = negotiated.relation.is_some_and(|relation| !relation.is_mutual);
        if self.settings.role_strict && is_silent {
            return Err(ErrorCode::ROLE_MISMATCH.into());
        }
        Ok(negotiated)
    }

    /// Agrees to the neighbour's OPEN.
    pub(super) fn confirm(&mut self, mut connection: Connection, negotiated: &Negotiated) -> Connection {
        if negotiated.extended_messages {
            connection.framer.allow_extended_messages();
        }
        self.timers.stop(Timer::Hold);
        self.heard(negotiated.hold_time);
        self.keep_alive(&mut connection, negotiated.hold_time);
        connection
    }

    pub(super) fn establish(&mut self, mut confirmed: OpenConfirm) -> Next {
        self.heard(confirmed.negotiated.hold_time);
        // RFC 4271 section 6.8: an established connection wins over one that is not.
        self.refuse_rival(confirmed.rival.take(), ErrorCode::CONNECTION_COLLISION);
        // Nothing was told yet, so nothing is missing.
        self.counted.bound(&self.settings.max_prefixes);
        let wait = self.back_again(&confirmed.negotiated);
        self.notes.up(&confirmed.connection, &confirmed.negotiated);
        let mut established =
            Established::new(confirmed, &self.settings, Arc::clone(self.wanted.allowed()), self.now);
        if wait {
            established.rib_out.hold_end_of_rib();
        }
        Go(State::Established(Box::new(established)), "both sides agree".into())
    }

    /// The neighbour lives.
    pub(super) fn heard(&mut self, hold_time: HoldTime) {
        if let Some(hold) = hold_time.duration() {
            self.start_exactly(Timer::Hold, hold);
        }
    }

    pub(super) fn keep_alive(&mut self, connection: &mut Connection, hold_time: HoldTime) {
        self.outputs.push_back(connection.send(KEEPALIVE.to_vec()));
        if let Some(interval) = hold_time.keepalive() {
            self.start(Timer::Keepalive, interval);
        }
    }

    /// Keeps the send hold timer running exactly while octets wait (RFC 9687 section 4.3). A session that has nothing to
    /// say does not need the exception for a hold time of 0.
    pub(super) fn watch_sending(&mut self, unsent: usize, hold_time: HoldTime) {
        if unsent == 0 {
            self.timers.stop(Timer::SendHold);
        } else if !self.timers.is_running(Timer::SendHold) {
            let hold = hold_time.duration().unwrap_or_default();
            self.start_exactly(Timer::SendHold, SEND_HOLD.max(hold * 2));
        }
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

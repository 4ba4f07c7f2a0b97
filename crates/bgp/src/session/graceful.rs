//! Graceful restart (RFC 4724, RFC 8538): routes outlive a session whose end was not meant. Off unless the operator
//! wants it, and then not offered.
//!
//! | who restarts | file | what it holds |
//! |---|---|---|
//! | we do | `restart` | what our OPEN says about it, and End-of-RIB until everything is decided |
//! | the neighbour does | `retention` | how long its routes stay, though nobody confirms them |
//!
//! Which end of a session graceful restart covers:
//!
//! | the session ends by | without the N bit | both sides set the N bit |
//! |---|---|---|
//! | the connection is gone, or the neighbour calls anew | covered | covered |
//! | a NOTIFICATION or silence | not covered | covered |
//! | a hard reset, sent or received | not covered | not covered |
//!
//! Whatever is meant is a hard reset: a stop, other settings, a path that is gone, too many prefixes. The neighbour is
//! then to send its users elsewhere at once (RFC 8538 sections 3.1 and 5.1, RFC 9384 section 4).

pub(super) mod restart;
pub(super) mod retention;

use crate::session::state::State;
use crate::session::{Event, Session};
use crate::wire::capability::LONGEST_RESTART;
use crate::wire::negotiated::Negotiated;
use crate::wire::notification::{ErrorCode, Notification};
use restart::Deferred;
use retention::{Lost, Retention};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use std::fmt;
use std::time::Duration;
use terms::{Family, Timestamp};

/// What an operator wants of graceful restart towards one neighbour.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Graceful {
    /// How long the neighbour keeps our routes while we are away.
    pub restart_time: RestartTime,
    /// How long we keep the neighbour's routes at most once its session is lost, back or not, confirmed or not
    /// (RFC 8538 section 4.1).
    pub stale_time: Duration,
    /// How long after we are back the neighbour is at most told that it has heard everything, decided or not.
    pub end_of_rib_within: Duration,
}

impl Default for Graceful {
    /// 120 s, 180 s and 30 s.
    fn default() -> Self {
        Graceful {
            restart_time: RestartTime(120),
            stale_time: Duration::from_secs(180),
            end_of_rib_within: Duration::from_secs(30),
        }
    }
}

/// How long a restart may take, in seconds: 1 to 4095 (RFC 4724 section 3).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "u16", into = "u16")]
pub struct RestartTime(u16);

/// Too short or too long.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a restart time is 1 s to {LONGEST_RESTART} s, not {0} s (RFC 4724 section 3)")]
pub struct RestartTimeError(pub u16);

impl RestartTime {
    /// Seconds.
    pub fn seconds(self) -> u16 {
        self.0
    }
}

impl TryFrom<u16> for RestartTime {
    type Error = RestartTimeError;
    fn try_from(seconds: u16) -> Result<Self, RestartTimeError> {
        let fits = (1..=LONGEST_RESTART).contains(&seconds);
        if fits { Ok(RestartTime(seconds)) } else { Err(RestartTimeError(seconds)) }
    }
}

impl From<RestartTime> for u16 {
    fn from(time: RestartTime) -> u16 {
        time.0
    }
}

/// Why stale routes are kept no longer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum StaleEnd {
    /// The restart time is over and the neighbour is not back.
    NotBack,
    /// It is back and says that it did not go on forwarding them, or nothing about them.
    NotForwarded,
    /// It is back and has not told them again in time.
    NotConfirmed,
    /// It was not back yet, and said that its session is over for good.
    HardReset,
}

impl fmt::Display for StaleEnd {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            StaleEnd::NotBack => "it did not come back in time",
            StaleEnd::NotForwarded => "it does not say that it went on forwarding them",
            StaleEnd::NotConfirmed => "it is back and did not tell all of its routes in time",
            StaleEnd::HardReset => "it says that its session is over for good",
        })
    }
}

/// How a session ended that was up.
pub(super) enum Loss<'a> {
    /// Its connection is gone.
    Connection,
    /// One side said this, or would have if the other one had read it.
    Notification(&'a Notification),
}

impl Session {
    /// Keeps the routes of a session that was lost, as stale ones, if graceful restart covers that end of it. Answers
    /// whether it does.
    pub(super) fn retain(&mut self, negotiated: &Negotiated, loss: &Loss<'_>) -> bool {
        let Some(promised) = &negotiated.graceful else { return false };
        let covered = match loss {
            Loss::Connection => true,
            Loss::Notification(said) => promised.notification && said.error != ErrorCode::HARD_RESET,
        };
        let families: BTreeSet<Family> =
            promised.families.keys().filter(|family| negotiated.families.contains(family)).copied().collect();
        if !covered || families.is_empty() {
            return false;
        }
        let lost = Lost {
            families: families.clone(),
            restart_time: Duration::from_secs(promised.time.into()),
            stale_time: self.settings.graceful.unwrap_or_default().stale_time,
            // RFC 4724 section 4.2: what was stale before goes now; RFC 8538 section 4.1: only where it has to.
            older_may_stay: promised.notification,
        };
        let older_stay = self.retention.lost(lost, self.now);
        self.keeping.retain(&families, older_stay);
        let until = self.retention.limit().map_or(self.now, |(_, until)| until);
        self.emit(Event::NeighbourRestarts { families, within: until.since(self.now) });
        true
    }

    /// The neighbour ended an attempt to come back. A hard reset ends everything, whatever was to be kept (RFC 8538
    /// section 3.2).
    pub(super) fn attempt_ended(&mut self, said: &Notification) {
        if said.error == ErrorCode::HARD_RESET && self.retention.is_awaiting() {
            let families = self.retention.give_up();
            self.forget_stale(families, StaleEnd::HardReset);
        }
    }

    /// Nothing that the neighbour told is worth keeping any more.
    pub(super) fn forget_heard(&mut self) {
        self.retention = Retention::Nothing;
        self.keeping.forget();
    }

    /// A session is up again: the neighbour has said which routes it stands by, and we owe it End-of-RIB. Answers
    /// whether that is to wait.
    pub(super) fn back_again(&mut self, negotiated: &Negotiated) -> bool {
        let settings = self.settings.graceful.unwrap_or_default();
        let unfounded = self.retention.back(negotiated);
        self.forget_stale(unfounded, StaleEnd::NotForwarded);
        let agreed = negotiated.graceful.is_some().then_some(settings.end_of_rib_within);
        let deferred = self.restart.back(agreed, self.now);
        if let Some(Deferred { until, .. }) = deferred {
            self.emit(Event::EndOfRibDeferred { within: until.since(self.now) });
        }
        deferred.is_some()
    }

    /// Everything is decided about what the neighbour is to know.
    pub(super) fn decided(&mut self) {
        if self.restart.decided() {
            self.send_end_of_rib(true);
        }
    }

    /// Whether somebody is to say [`Input::Decided`](crate::session::Input::Decided): End-of-RIB waits for it, or will.
    pub fn awaits_decision(&self) -> bool {
        self.restart.awaits_decision()
    }

    /// Since when End-of-RIB waits for decisions; none if it does not.
    pub fn end_of_rib_deferred(&self) -> Option<Timestamp> {
        self.restart.deferred().map(|deferred| deferred.since)
    }

    /// The families of which stale routes are kept, and until when at most; none without any.
    pub fn stale_until(&self) -> Option<(&BTreeSet<Family>, Timestamp)> {
        self.retention.limit()
    }

    /// When the next of our promises or the neighbour's is over.
    pub(super) fn graceful_deadline(&self) -> Option<Timestamp> {
        let retained = self.retention.limit().map(|(_, until)| until);
        // Without a session there is nobody to tell.
        let is_up = matches!(self.state, State::Established(_));
        let deferred = self.restart.deferred().filter(|_| is_up).map(|deferred| deferred.until);
        retained.into_iter().chain(deferred).min()
    }

    /// Time has passed.
    pub(super) fn watch_graceful(&mut self) {
        if let Some((families, why)) = self.retention.expire(self.now) {
            self.forget_stale(families, why);
        }
        let is_up = matches!(self.state, State::Established(_));
        if is_up && self.restart.expire(self.now) {
            self.send_end_of_rib(false);
        }
    }

    fn forget_stale(&mut self, families: BTreeSet<Family>, why: StaleEnd) {
        let Session { keeping, notes, .. } = self;
        families.iter().for_each(|&family| keeping.sweep_stale(family, notes));
        if !families.is_empty() {
            self.emit(Event::StaleForgotten { families, why });
        }
    }

    fn send_end_of_rib(&mut self, decided: bool) {
        if let State::Established(established) = &mut self.state {
            established.rib_out.end_of_rib_is_due();
            self.emit(Event::EndOfRibDue { decided });
        }
    }
}

/// What a neighbour is told when its routes from us are to go at once: where it would keep them otherwise, a hard
/// reset (RFC 8538 section 3.1).
pub(super) fn final_word(negotiated: Option<&Negotiated>, why: Notification) -> Notification {
    let graceful = negotiated.and_then(|negotiated| negotiated.graceful.as_ref());
    match graceful.is_some_and(|agreed| agreed.notification) {
        true => Notification::hard_reset(&why),
        false => why,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_restart_time_fits_twelve_bits() {
        assert_eq!(RestartTime::try_from(0), Err(RestartTimeError(0)));
        assert_eq!(RestartTime::try_from(4096), Err(RestartTimeError(4096)));
        assert_eq!(RestartTime::try_from(4095).unwrap().seconds(), 4095);
    }
}

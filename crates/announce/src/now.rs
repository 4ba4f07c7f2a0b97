//! What holds now, as far as the table, the level and the fleet are concerned: three pure readings of the machine.

use terms::Timestamp;

use crate::health::Finding;
use crate::state::{Cause, Modifiers};
use crate::{BlindPolicy, Intent, Level, Machine, State, Wish};

impl Machine {
    /// The first of [`Cause`] that holds.
    pub(crate) fn cause(&self, now: Timestamp) -> Cause {
        match &self.intent {
            Intent::Freeze(_) => Cause::Frozen,
            // To stay withdrawn needs no new leave.
            Intent::Withdraw { override_guard, .. }
                if *override_guard || self.may_withdraw() || self.state == State::Off =>
            {
                Cause::Withdrawn
            }
            Intent::ForceAnnounce(_) if self.warmth.is_warm() || self.is_announced() => Cause::Forced,
            Intent::ForceAnnounce(_) => Cause::Cold,
            Intent::Normal | Intent::Drain(_) | Intent::Withdraw { .. } => self.cause_of_health(now),
        }
    }

    /// Whether the group is at its start and may soon be announced: what it decides is still to come. One that an order,
    /// a check or a back-off holds down has decided.
    pub fn is_starting(&self) -> bool {
        let coming = match self.cause(self.latest) {
            Cause::Frozen
            | Cause::Withdrawn
            | Cause::Failed(_)
            | Cause::Unpermitted(_)
            | Cause::Draining
            | Cause::Drained
            | Cause::Waiting => false,
            Cause::Forced
            | Cause::Doubtful(_)
            | Cause::Cold
            | Cause::Rising(_)
            | Cause::Ordered
            | Cause::Proven => true,
        };
        match self.state {
            State::Boot | State::Warm => coming,
            State::Up | State::Suspect | State::Held | State::Drain | State::Down | State::Off => false,
        }
    }

    fn cause_of_health(&self, now: Timestamp) -> Cause {
        match self.health.finding(&self.settings) {
            Finding::Failed(check) if self.may_withdraw() => Cause::Failed(check),
            Finding::Failed(check) => Cause::Unpermitted(check),
            _ if self.is_draining() && self.drained_at().is_some_and(|at| now >= at) => Cause::Drained,
            _ if self.is_draining() => Cause::Draining,
            Finding::Doubtful(check) => Cause::Doubtful(check),
            Finding::Rising(_) | Finding::Proven if !self.warmth.is_warm() => Cause::Cold,
            Finding::Rising(check) => Cause::Rising(check),
            Finding::Proven if self.intent != Intent::Normal => Cause::Ordered,
            Finding::Proven if now < self.damping.not_before() => Cause::Waiting,
            Finding::Proven => Cause::Proven,
        }
    }

    /// A drain begins with leave; once begun, the loss of it only keeps it from ending.
    fn is_draining(&self) -> bool {
        match self.intent {
            Intent::Drain(_) => self.may_withdraw() || self.state == State::Drain,
            Intent::Withdraw { .. } => self.state == State::Drain,
            Intent::Normal | Intent::Freeze(_) | Intent::ForceAnnounce(_) => false,
        }
    }

    /// When the drain is over, if it has begun and may end.
    pub(crate) fn drained_at(&self) -> Option<Timestamp> {
        let drain = &self.settings.drain;
        let few_left = self.connections.is_some_and(|left| left <= drain.connections);
        let lasts = if few_left { drain.at_least.min(drain.convergence) } else { drain.at_least };
        (self.state == State::Drain && self.may_withdraw()).then(|| self.since + lasts)
    }

    /// Whether a failure or an order may end in [`Level::None`].
    pub(crate) fn may_withdraw(&self) -> bool {
        self.leave.is_held() && !self.settings.never_withdraw
    }

    /// What bends the level.
    pub(crate) fn modifiers(&self) -> Modifiers {
        Modifiers {
            frozen: matches!(self.intent, Intent::Freeze(_)).then_some(self.level),
            dependency_lost: self.health.dependency_lost(&self.settings),
            unwatched: self.settings.blind == BlindPolicy::Deprefer
                && self.health.is_unwatched(&self.settings),
        }
    }

    /// What is wanted of the fleet: the permit from the first doubt on, and for as long as nothing is announced.
    /// Nothing where that is for an earlier wish to say: a group that has just started may hold a permit that it had
    /// before.
    pub(crate) fn wish(&self) -> Option<Wish> {
        let is_to_leave = matches!(self.intent, Intent::Drain(_) | Intent::Withdraw { .. });
        match self.state {
            _ if matches!(self.intent, Intent::Freeze(_)) => None,
            State::Down | State::Off => Some(Wish::Ask),
            State::Boot | State::Warm if is_to_leave && !self.settings.never_withdraw => Some(Wish::Ask),
            State::Boot | State::Warm => None,
            State::Up | State::Suspect | State::Held | State::Drain if self.settings.never_withdraw => {
                Some(Wish::Release)
            }
            State::Suspect | State::Held | State::Drain => Some(Wish::Ask),
            State::Up if is_to_leave => Some(Wish::Ask),
            State::Up => Some(Wish::Release),
        }
    }

    fn is_announced(&self) -> bool {
        self.level > Level::None
    }
}

//! Intervals: how both ends agree on another one, and how packets stay out of step.

use crate::Interval;
use crate::session::{Session, StateName};
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};
use serde::{Deserialize, Serialize};
use std::num::NonZeroU8;
use std::time::Duration;

/// One of the two intervals that we tell the other end.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(super) struct Pace {
    /// What our packets say.
    pub(super) said: Interval,
    /// What we act on. The other end may not have heard yet what is said.
    pub(super) used: Interval,
}

impl Pace {
    pub(super) fn new(interval: Interval) -> Self {
        Pace { said: interval, used: interval }
    }
}

/// A sequence of packets with the Poll bit, until one with the Final bit answers (RFC 5880 section 6.5).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Poll {
    /// Nothing to be confirmed.
    None,
    /// What is said is to be confirmed.
    Asking,
    /// It has changed while it was: the next answer may be about what was said before.
    AskingAgain,
}

/// The interval and the multiplier with which the other end bears such a silence, and never less than these. The silence
/// counts from our latest packet, which may be one interval old. Rather more packets may be missing than fewer be sent: the
/// pace stays the same wherever 254 of them are enough.
fn stretch(interval: Interval, multiplier: NonZeroU8, silence: Duration) -> (Interval, NonZeroU8) {
    const MOST: u32 = u8::MAX as u32 - 1;
    let silence = Interval::from(silence).as_micros();
    let interval = interval.max(Interval::from_micros(silence.div_ceil(MOST)));
    let missing = silence.div_ceil(interval.as_micros().max(1)).min(MOST);
    let needed =
        u8::try_from(missing).map_or(NonZeroU8::MAX, |missing| NonZeroU8::MIN.saturating_add(missing));
    (interval, multiplier.max(needed))
}

impl Session {
    /// Says what the settings and the state ask for, and has the other end confirm it if it is new. It has to be asked
    /// about intervals (RFC 5880 section 6.8.3); it need not be about the multiplier (section 6.8.12), but its answer
    /// is how we learn that it knows.
    pub(super) fn propose(&mut self) {
        let rx = self.settings.interval;
        let (tx, multiplier) = (self.settings.desired_min_tx(self.state), self.settings.multiplier);
        let (tx, multiplier) = match self.patience.filter(|_| self.state == StateName::Up) {
            Some(patience) => stretch(tx, multiplier, patience),
            None => (tx, multiplier),
        };
        let news = self.min_tx.said != tx || self.min_rx.said != rx || self.multiplier != multiplier;
        (self.min_tx.said, self.min_rx.said, self.multiplier) = (tx, rx, multiplier);
        if self.state == StateName::Up {
            // Both are put off until the other end has heard: to send slower, and to expect packets sooner.
            self.min_tx.used = self.min_tx.used.min(tx);
            self.min_rx.used = self.min_rx.used.max(rx);
        } else {
            (self.min_tx.used, self.min_rx.used) = (tx, rx);
        }
        if news {
            self.poll = match self.poll {
                Poll::None => Poll::Asking,
                Poll::Asking | Poll::AskingAgain => Poll::AskingAgain,
            };
        }
        self.expect();
        self.schedule();
    }

    /// The other end answered a poll.
    pub(super) fn confirmed(&mut self) {
        match self.poll {
            Poll::None => {}
            Poll::Asking => {
                self.poll = Poll::None;
                self.min_tx.used = self.min_tx.said;
                self.min_rx.used = self.min_rx.said;
            }
            Poll::AskingAgain => self.poll = Poll::Asking,
        }
    }
}

/// Keeps packets of many sessions out of step (RFC 5880 section 6.8.7).
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Jitter(ChaCha8Rng);

impl Jitter {
    pub(super) fn new(seed: u64) -> Self {
        Jitter(ChaCha8Rng::seed_from_u64(seed))
    }

    /// 75 to 100 % of an interval. At most 90 % where one missing packet is one too many, so that the next is there
    /// before the time is over.
    pub(super) fn shorten(&mut self, interval: Interval, multiplier: NonZeroU8) -> Duration {
        let most = if multiplier == NonZeroU8::MIN { 0.90 } else { 1.0 };
        let fraction = f64::from(self.0.next_u32()) / (f64::from(u32::MAX) + 1.0);
        interval.duration().mul_f64(0.75 + fraction * (most - 0.75))
    }
}

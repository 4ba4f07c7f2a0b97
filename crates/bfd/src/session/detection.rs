//! How long silence may last (RFC 5880 section 6.8.4), and whose fault it is.

use crate::session::state::Stimulus;
use crate::session::{Event, Output, Remote, Session, StateName};
use serde::{Deserialize, Serialize};
use std::time::Duration;
use terms::{Reason, Timestamp};

/// The watch over the present silence.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
pub(super) struct Watch {
    /// When it has lasted too long; none while nothing is expected.
    until: Option<Timestamp>,
    /// How late we were during it.
    late: Duration,
    /// Whether it was given more time.
    excused: bool,
}

impl Watch {
    pub(super) fn deadline(&self) -> Option<Timestamp> {
        self.until
    }

    /// The silence is over.
    pub(super) fn heard(&mut self) {
        *self = Watch::default();
    }

    /// Nothing is expected any more.
    pub(super) fn end(&mut self) {
        *self = Watch::default();
    }
}

impl Session {
    /// How long the other end may be silent.
    pub(super) fn bearable(&self, remote: &Remote) -> Duration {
        self.expected_interval(remote) * u32::from(remote.multiplier.get())
    }

    /// Time between the other end's packets, at most.
    fn expected_interval(&self, remote: &Remote) -> Duration {
        self.min_rx.used.max(remote.min_tx).duration()
    }

    /// Sets the end of the present silence by what is agreed now. Time that was given on top stays given.
    pub(super) fn expect(&mut self) {
        if !self.watch.excused {
            self.watch.until = self.remote.map(|remote| remote.heard + self.bearable(&remote));
        }
    }

    /// Notes how late each timer is that has expired. What happened before the latest packet has nothing to do with
    /// the silence after it. A silence that was announced is nothing that a machine should be blamed for.
    pub(super) fn measure_lateness(&mut self) {
        let heard = self.remote.map_or(Timestamp::ZERO, |remote| remote.heard);
        let timers = [self.next_packet.map(|(at, _)| at), self.watch.until];
        for at in timers.into_iter().flatten() {
            if self.patience.is_none() {
                self.lateness.longest = self.lateness.longest.max(self.now.since(at));
            }
            self.watch.late = self.watch.late.max(self.now.since(at.max(heard)));
        }
    }

    /// Decides what a silence means that has lasted too long.
    pub(super) fn judge_silence(&mut self) {
        let (Some(until), Some(remote)) = (self.watch.until, self.remote) else { return };
        if until > self.now {
            return;
        }
        let expected = self.expected_interval(&remote);
        let waited_for = matches!(self.state, StateName::Init | StateName::Up);
        if waited_for && !self.watch.excused && self.watch.late > expected / 2 {
            let more = expected.mul_f64(1.5).min(self.bearable(&remote));
            self.watch.excused = true;
            self.watch.until = Some(self.now + more);
            self.lateness.excused += 1;
            let late = self.watch.late;
            self.outputs.push_back(Output::Event(Event::Excused { late, more }));
            return;
        }
        let silence = silence(self.now.since(remote.heard), &remote, expected);
        self.remote = None;
        self.watch.end();
        if !self.step(Stimulus::Silence, || silence) {
            self.schedule();
        }
    }
}

fn silence(lasted: Duration, remote: &Remote, expected: Duration) -> Reason {
    format!("no packet for {lasted:.0?}, the detection time is {} x {expected:?}", remote.multiplier).into()
}

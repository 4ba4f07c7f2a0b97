//! What is sent, and when (RFC 5880 section 6.8.7).

use crate::session::pace::Poll;
use crate::session::{Output, Session, StateName};
use crate::{Interval, Packet};

impl Session {
    /// Time between periodic packets; none while there are to be none.
    pub(super) fn periodic(&self) -> Option<Interval> {
        if self.state == StateName::AdminDown && self.last_sent.is_none() {
            return None;
        }
        let Some(remote) = self.remote else {
            return (!self.settings.passive).then_some(self.min_tx.used);
        };
        let both_up = self.state == StateName::Up && remote.state == StateName::Up;
        if remote.min_rx == Interval::ZERO || remote.demand && both_up && self.poll == Poll::None {
            return None;
        }
        Some(self.min_tx.used.max(remote.min_rx))
    }

    /// Moves the next periodic packet if the interval is another than before: it counts from the latest packet, so that
    /// a shorter one takes effect at once.
    pub(super) fn schedule(&mut self) {
        let interval = self.periodic();
        if interval == self.next_packet.map(|(_, interval)| interval) {
            return;
        }
        self.next_packet = interval.map(|interval| {
            let wait = self.jitter.shorten(interval, self.settings.multiplier);
            let at = self.last_sent.map_or(self.now, |last| last + wait);
            (at.max(self.now), interval)
        });
    }

    /// Sends what there is to say: as the answer to a poll, or on our own account.
    pub(super) fn send(&mut self, r#final: bool) {
        if self.settings.passive && self.remote.is_none() {
            return;
        }
        self.outputs.push_back(Output::Send(Packet {
            diagnostic: self.diagnostic,
            state: self.state,
            poll: self.poll != Poll::None && !r#final,
            r#final,
            control_plane_independent: false,
            demand: false,
            multiplier: self.multiplier,
            my_discriminator: self.discriminator,
            your_discriminator: self.remote.map(|remote| remote.discriminator),
            desired_min_tx: self.min_tx.said,
            required_min_rx: self.min_rx.said,
            required_min_echo_rx: Interval::ZERO,
        }));
        if !r#final {
            self.last_sent = Some(self.now);
            self.next_packet = None;
            self.schedule();
        }
    }
}

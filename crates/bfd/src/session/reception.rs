//! What a packet of the other end does (RFC 5880 section 6.8.6), once it is known to be one for this session.

use crate::session::state::Stimulus;
use crate::session::{Remote, Session, StateName};
use crate::{Diagnostic, Packet};

impl Session {
    pub(super) fn receive(&mut self, packet: &Packet) {
        if packet.your_discriminator.is_some_and(|yours| yours != self.discriminator) {
            return;
        }
        self.remote = Some(Remote {
            discriminator: packet.my_discriminator,
            state: packet.state,
            demand: packet.demand,
            multiplier: packet.multiplier,
            min_tx: packet.desired_min_tx,
            min_rx: packet.required_min_rx,
            heard: self.now,
        });
        self.watch.heard();
        if packet.r#final {
            self.confirmed();
        }
        self.expect();
        self.schedule();
        if self.state == StateName::AdminDown {
            return;
        }
        let changed = self.step(Stimulus::Heard(packet.state), || heard(packet));
        if packet.poll {
            // Whatever else holds packets back does not hold back an answer (section 6.8.7).
            self.send(true);
        } else if changed {
            self.send(false);
        }
    }
}

/// What the other end said, as a reason.
fn heard(packet: &Packet) -> terms::Reason {
    match packet.diagnostic {
        Diagnostic::NONE => format!("the neighbour says {}", packet.state).into(),
        diagnostic => format!("the neighbour says {} ({diagnostic})", packet.state).into(),
    }
}

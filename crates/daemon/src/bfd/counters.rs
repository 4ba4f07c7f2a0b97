//! What was discarded, counted.

use api::{BfdState, Status};
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::{Registry, Unit};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// Packets that no session took, by why.
#[derive(Debug, Default)]
pub(crate) struct Counters {
    malformed: AtomicU64,
    too_far: AtomicU64,
    strangers: AtomicU64,
}

/// Why no session takes a packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Discarded {
    /// It is none (RFC 5880 section 6.8.6).
    Malformed,
    /// It crossed a router, and its session has none in between (RFC 5881 section 5).
    TooFar,
    /// No session is with whoever sent it.
    Stranger,
}

impl Discarded {
    const ALL: [Discarded; 3] = [Discarded::Malformed, Discarded::TooFar, Discarded::Stranger];

    fn word(self) -> &'static str {
        match self {
            Discarded::Malformed => "malformed",
            Discarded::TooFar => "too-far",
            Discarded::Stranger => "stranger",
        }
    }
}

impl Counters {
    pub(super) fn count(&self, why: Discarded) {
        self.of(why).fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn counted(&self, why: Discarded) -> u64 {
        self.of(why).load(Ordering::Relaxed)
    }

    fn of(&self, why: Discarded) -> &AtomicU64 {
        match why {
            Discarded::Malformed => &self.malformed,
            Discarded::TooFar => &self.too_far,
            Discarded::Stranger => &self.strangers,
        }
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Labels {
    reason: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct PeerLabels {
    peer: String,
}

/// Shows the sessions, and what was counted; nothing where no peer has one.
pub(crate) fn register(registry: &mut Registry, status: &Status, counters: &Counters) {
    let mut sessions = status.peers.iter().filter_map(|peer| Some((&peer.name, peer.bfd?))).peekable();
    if sessions.peek().is_none() {
        return;
    }
    let up = Family::<PeerLabels, Gauge>::default();
    let lateness = Family::<PeerLabels, Gauge<f64, AtomicU64>>::default();
    let losses = Family::<PeerLabels, Counter>::default();
    let excused = Family::<PeerLabels, Counter>::default();
    for (name, session) in sessions {
        let labels = PeerLabels { peer: name.to_string() };
        up.get_or_create(&labels).set(i64::from(session.state == BfdState::Up));
        let late = Duration::from_micros(session.own_lateness_us);
        lateness.get_or_create(&labels).set(late.as_secs_f64());
        losses.get_or_create(&labels).inc_by(session.losses);
        excused.get_or_create(&labels).inc_by(session.excused);
    }
    let discarded = Family::<Labels, Counter>::default();
    for why in Discarded::ALL {
        discarded.get_or_create(&Labels { reason: why.word() }).inc_by(counters.counted(why));
    }
    registry.register("bfd_up", "Whether BFD sees the path to the peer in both directions", up);
    registry.register("bfd_losses", "Times that BFD lost the path to the peer", losses);
    registry.register_with_unit(
        "bfd_own_lateness",
        "Longest time by which this machine itself was late for the BFD session",
        Unit::Seconds,
        lateness,
    );
    registry.register(
        "bfd_excused",
        "Times that silence was put down to this machine being late itself",
        excused,
    );
    registry.register("bfd_discarded_packets", "BFD packets that no session took", discarded);
}

//! What outlives a session, as people see it.

use super::Peer;
use crate::clock::Clock;
use bgp::session::{Input, Negotiated, Session};
use std::collections::BTreeSet;
use terms::{Family, WallTime};

/// What outlives a session (RFC 4724).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Graceful {
    /// How long the peer is asked to keep our routes, seconds; none where graceful restart is not offered.
    pub(crate) restart_time: Option<u16>,
    /// Since when End-of-RIB waits for decisions.
    pub(crate) deferred_since: Option<WallTime>,
    /// The families of which stale routes are kept, and until when at most.
    pub(crate) stale: Option<(BTreeSet<Family>, WallTime)>,
}

impl Graceful {
    pub(super) fn of(session: &Session, clock: Clock) -> Self {
        let settings = session.settings().graceful;
        Graceful {
            restart_time: settings.map(|graceful| graceful.restart_time.seconds()),
            deferred_since: session.end_of_rib_deferred().map(|since| clock.wall_at(since)),
            stale: session.stale_until().map(|(families, until)| (families.clone(), clock.wall_at(until))),
        }
    }

    /// As the API says it; nothing where it is not offered.
    pub(crate) fn status(
        &self,
        negotiated: Option<&Negotiated>,
        stale: Option<u64>,
    ) -> Option<api::GracefulRestart> {
        let agreed = negotiated.and_then(|negotiated| negotiated.graceful.as_ref());
        let peer = agreed.map(|said| api::PeerRestart {
            restart_time_s: said.time,
            restarted: said.restarting,
            families: said.families.keys().copied().collect(),
            forwarding: said.families.iter().filter(|(_, kept)| **kept).map(|(family, _)| *family).collect(),
        });
        Some(api::GracefulRestart {
            restart_time_s: self.restart_time?,
            hard_reset: agreed.is_some_and(|agreed| agreed.notification),
            peer,
            end_of_rib_deferred_since: self.deferred_since,
            stale_families: self.stale.iter().flat_map(|(families, _)| families).copied().collect(),
            stale_until: self.stale.as_ref().map(|(_, until)| *until),
            stale_routes: stale.unwrap_or_default(),
        })
    }
}

impl Peer {
    /// A program before this one may have told the peer routes. To be said before the session is started.
    pub(crate) fn restarted(&mut self, forwarding: &BTreeSet<Family>) {
        if self.neighbour.session.graceful.is_some() {
            self.take(Input::Restarted { forwarding: forwarding.clone() });
        }
    }
}

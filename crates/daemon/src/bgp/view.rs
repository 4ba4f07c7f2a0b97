//! What a peer's task shows of itself, to whoever asks.

use super::{Graceful, Ledger, Peer};
use crate::clock::Clock;
use crate::event::{Event, Source};
use crate::export::{self, NextHops, Towards};
use bgp::session::{Kept, Negotiated, Received, Session, StateName};
use config::Policy;
use std::collections::{BTreeMap, BTreeSet};
use std::num::NonZeroU8;
use terms::{Asn, Family, PeerName, WallTime};

/// What a peer's task shows of itself.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct View {
    /// Where the session is.
    pub(crate) state: StateName,
    /// Since when.
    pub(crate) since: WallTime,
    /// What was heard.
    pub(crate) received: Received,
    /// How much of it is kept, where it is to be kept.
    pub(crate) kept: Option<Kept>,
    /// What outlives a session.
    pub(crate) graceful: Graceful,
    /// How many of its prefixes stand announced, in each family that has a bound.
    pub(crate) prefixes: BTreeMap<Family, usize>,
    /// What both sides of the connection can do; none without a session.
    pub(crate) negotiated: Option<Negotiated>,
    /// What the peer was told.
    pub(crate) ledger: Ledger,
    /// The families that the session carries; none without a session.
    pub(crate) families: BTreeSet<Family>,
    /// Where the peer is to send packets.
    pub(crate) next_hops: NextHops,
    /// What it is told at each level.
    pub(crate) policy: Policy,
    /// Our network.
    pub(crate) local_asn: Asn,
    /// How its connections are guarded.
    pub(crate) transport: api::Transport,
}

impl View {
    /// Of a session that is not started.
    pub(super) fn of(neighbour: &config::Peer, session: &Session, clock: Clock) -> Self {
        View {
            state: session.state(),
            since: clock.wall(),
            received: session.received(),
            kept: session.kept(),
            graceful: Graceful::of(session, clock),
            prefixes: BTreeMap::new(),
            negotiated: None,
            ledger: Ledger::default(),
            families: BTreeSet::new(),
            next_hops: export::next_hops(&neighbour.next_hops, None),
            policy: neighbour.policy.clone(),
            local_asn: neighbour.session.local_asn,
            transport: shown(neighbour),
        }
    }

    /// What the peer's routes depend on beside the decision.
    pub(crate) fn towards<'a>(&'a self, peer: &'a PeerName) -> Towards<'a> {
        Towards { peer, next_hops: &self.next_hops, policy: &self.policy, local_asn: self.local_asn }
    }
}

#[cfg(test)]
impl View {
    /// Of a peer that was told what stands in the ledger, with a policy that says nothing.
    pub(crate) fn for_test(
        state: StateName,
        families: BTreeSet<Family>,
        next_hops: NextHops,
        ledger: Ledger,
    ) -> Self {
        let labels = config::Labels::default;
        View {
            state,
            since: WallTime(0),
            received: Received::default(),
            kept: None,
            graceful: Graceful::default(),
            prefixes: BTreeMap::new(),
            negotiated: None,
            ledger,
            families,
            next_hops,
            policy: Policy { always: labels(), deprefer: labels(), blackhole: None },
            local_asn: Asn::TRANS,
            transport: api::Transport::default(),
        }
    }
}

impl Peer {
    /// Tells people when routes begin to be left out, and when that is over.
    fn tell_of_kept(&self) {
        let left_out = |kept: Option<Kept>| kept.is_some_and(|kept| kept.left_out > 0);
        let (before, now) = (left_out(self.view.borrow().kept), left_out(self.session.kept()));
        let source = Source::Peer(&self.neighbour.name);
        match (before, now, self.neighbour.keep_received) {
            (false, true, Some(keep)) => {
                self.mouth.bus.tell(&Event::ReceivedLeftOut { max_memory: keep.max_memory }, source);
            }
            (true, false, _) => self.mouth.bus.tell(&Event::ReceivedKept, source),
            (false, true, None) | (false, false, _) | (true, true, _) => {}
        }
    }

    /// Shows what is so after a step.
    pub(super) fn show(&mut self, wall: WallTime) {
        self.tell_of_kept();
        let (session, clock) = (&self.session, self.mouth.clock);
        while self.farewells.try_join_next().is_some() {}
        self.view.send_if_modified(|view| {
            let mut news = false;
            if view.state != session.state() {
                (view.state, view.since) = (session.state(), wall);
                news = true;
            }
            if view.received != session.received() {
                view.received = session.received();
                news = true;
            }
            if view.kept != session.kept() {
                view.kept = session.kept();
                news = true;
            }
            let graceful = Graceful::of(session, clock);
            if view.graceful != graceful {
                view.graceful = graceful;
                news = true;
            }
            if view.prefixes != session.prefixes() {
                view.prefixes = session.prefixes();
                news = true;
            }
            if view.negotiated.as_ref() != session.negotiated() {
                view.negotiated = session.negotiated().cloned();
                news = true;
            }
            if view.families != *session.families() {
                view.families.clone_from(session.families());
                news = true;
            }
            if view.policy != self.neighbour.policy {
                view.policy.clone_from(&self.neighbour.policy);
                news = true;
            }
            if view.transport != shown(&self.neighbour) {
                view.transport = shown(&self.neighbour);
                news = true;
            }
            if view.next_hops != self.next_hops {
                view.next_hops.clone_from(&self.next_hops);
                news = true;
            }
            if session.state() == StateName::Established {
                news |= view.ledger.note(session.told(), wall);
            } else {
                view.ledger.clear();
            }
            news
        });
    }
}

/// How a peer's connections are guarded, for people to see.
fn shown(neighbour: &config::Peer) -> api::Transport {
    api::Transport {
        interface: neighbour.interface.as_ref().map(ToString::to_string),
        signature: neighbour.transport.signature.as_ref().map(|signature| match signature {
            config::Signature::Md5(_) => api::Signature::Md5,
            config::Signature::Ao(_) => api::Signature::Ao,
        }),
        ttl_security: neighbour.transport.ttl_security.map(NonZeroU8::get),
    }
}

//! Whether the peers really know what was decided: what each session has told is read back and compared with what
//! the decision asks for. A difference is a reason to tell again, never one to withdraw.
//!
//! The machine of a group keeps account of its prefixes. Covers and blackholes are no group's: the loop keeps account of
//! them itself, by the same rule, and with them of whatever a peer has from us that nobody has decided.

mod event;

use super::{Decider, count_again};
use crate::bgp::View;
use crate::event::Source;
use crate::export::{self, Decision, GroupLevel};
use crate::status::Peer;
use announce::{Input, Readback, Reconcile, Reconciliation};
use bgp::session::StateName;
use event::Event;
use std::collections::{BTreeSet, VecDeque};
use terms::{PeerName, Prefix, RouteSet};

impl Decider {
    /// Reads back what the peers were told. The machines that do not know it yet are handed it.
    pub(super) async fn read_back(&mut self, peers: &[Peer]) {
        let told = self.groups.iter().map(|(group, _)| read_back(&self.group_level(group), peers));
        let mut told: VecDeque<Readback> = told.collect();
        self.decide_all(|_, beside| {
            let told = told.pop_front();
            if told == beside.told {
                return None;
            }
            beside.told.clone_from(&told);
            told.map(Input::Told)
        })
        .await;
        let aside = read_back_aside(&self.decision(None), peers);
        self.reconcile_aside(Some(aside));
    }

    /// Takes in what was found of the routes that are no group's, and has peers told again when it is time.
    pub(super) fn reconcile_aside(&mut self, found: Option<Readback>) {
        let (now, rule) = (self.mouth.clock.now(), Reconcile::DEFAULT);
        let before = self.aside.is_stubborn(&rule);
        if let Some(found) = found {
            self.aside.note(found, &rule, now);
        }
        if self.aside.resend(&rule, now) {
            if let Reconciliation::Differ { peers, .. } = &self.aside {
                count_again(&mut self.again, peers);
            }
            self.publish(None);
        }
        let event = match (before, &self.aside) {
            (false, Reconciliation::Differ { peers, resends, .. }) if *resends >= rule.alarm_after => {
                Event::Differ { peers: peers.clone(), resends: *resends }
            }
            (true, Reconciliation::Agree) => Event::Agree,
            (_, Reconciliation::Unknown | Reconciliation::Agree | Reconciliation::Differ { .. }) => return,
        };
        self.mouth.bus.tell(&event, Source::Process);
    }
}

/// What the peers with a session know of one group. A peer without one knows nothing and is told everything when it
/// has one again.
fn read_back(group: &GroupLevel, peers: &[Peer]) -> Readback {
    let decision = Decision { groups: vec![group.clone()], ..Decision::default() };
    compare(peers, |peer, view| {
        let wanted = export::routes(&decision, &view.towards(peer));
        group.prefixes.iter().any(|&prefix| differs(view, &wanted, prefix))
    })
}

/// What they know beside the groups.
fn read_back_aside(decision: &Decision, peers: &[Peer]) -> Readback {
    let of_groups: BTreeSet<Prefix> =
        decision.groups.iter().flat_map(|group| group.prefixes.iter().copied()).collect();
    compare(peers, |peer, view| {
        let wanted = export::routes(decision, &view.towards(peer));
        let prefixes: BTreeSet<Prefix> = wanted.keys().copied().chain(view.ledger.told()).collect();
        prefixes.difference(&of_groups).any(|&prefix| differs(view, &wanted, prefix))
    })
}

fn compare(peers: &[Peer], differs: impl Fn(&PeerName, &View) -> bool) -> Readback {
    let differing =
        peers.iter().filter(|peer| differs(&peer.name, &peer.view.borrow())).map(|peer| peer.name.clone());
    let peers: Vec<PeerName> = differing.collect();
    if peers.is_empty() { Readback::Agrees } else { Readback::Differs { peers } }
}

fn differs(view: &View, wanted: &RouteSet, prefix: Prefix) -> bool {
    // What the session cannot carry is a matter of the session, and told as such.
    let can_know = view.state == StateName::Established && view.families.contains(&prefix.family());
    let told = view.ledger.entry(prefix).and_then(|entry| entry.attributes.as_ref());
    can_know && told != wanted.get(&prefix)
}

#[cfg(test)]
mod tests;

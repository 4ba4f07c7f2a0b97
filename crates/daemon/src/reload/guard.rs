//! How much a reload may withdraw: pure.
//!
//! A file that says less than it should has taken whole networks off the Internet (14 July 2025: one change withdrew
//! every prefix of a public resolver). So a reload may take away at most `max_withdraw` of the prefixes that peers have
//! now, and never the last one. What an operator has drained or withdrawn before does not count: that is the way to
//! remove something on purpose, and it passes the guard of the fleet.
//!
//! A prefix stays if a group that is announced goes on and still has it (or if it is a covering prefix from now on),
//! and if at least one of the peers that have it keeps its session.

use super::difference::{Difference, GroupStep, PeerChange};
use api::{GroupState, PeerState, Status, Told};
use config::SiteFile;
use std::collections::{BTreeMap, BTreeSet};
use terms::{Family, GroupName, PeerName, Prefix};

/// What a reload would take away.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Judgement {
    /// Prefixes that peers have now and would have no more.
    pub(crate) going: BTreeSet<Prefix>,
    /// How many they have now.
    pub(crate) announced: usize,
    /// How many may go.
    pub(crate) allowed: usize,
}

impl Judgement {
    /// Why it is too much; none if it is not.
    pub(crate) fn refusal(&self) -> Option<String> {
        let Judgement { going, announced, allowed } = self;
        let last = if going.len() == *announced { ", and would be the last" } else { "" };
        (going.len() > *allowed).then(|| {
            format!(
                "it would withdraw {} of {announced} announced prefixes; a reload may withdraw {allowed}{last}",
                going.len()
            )
        })
    }

    /// The groups of which it takes something away: an operator's action, which the fleet has few tokens for. A
    /// covering prefix is of no group, and of all.
    pub(crate) fn acting(&self, now: &Status) -> BTreeSet<GroupName> {
        let of = |group: &api::Group| group.prefixes.iter().map(|row| row.prefix).collect::<BTreeSet<_>>();
        let known: BTreeSet<Prefix> = now.groups.iter().flat_map(of).collect();
        let takes_cover = !self.going.is_subset(&known);
        let acting = now.groups.iter().filter(|group| takes_cover || !of(group).is_disjoint(&self.going));
        acting.map(|group| group.name.clone()).collect()
    }
}

/// Judges a difference by what peers have now.
pub(crate) fn judge(last: &SiteFile, next: &SiteFile, difference: &Difference, now: &Status) -> Judgement {
    let announced = announced(last, now);
    let stays = staying(next, difference, now);
    let keeps_session = |peer: &PeerName| {
        !matches!(difference.peers.get(peer), Some(PeerChange::Removed | PeerChange::Session))
    };
    let is_kept = |prefix: &Prefix, peers: &BTreeSet<PeerName>| {
        stays.contains(prefix) && peers.iter().any(keeps_session)
    };
    let going: BTreeSet<Prefix> = announced
        .iter()
        .filter(|(prefix, peers)| !is_kept(prefix, peers))
        .map(|(prefix, _)| *prefix)
        .collect();
    let share = announced.len() * usize::from(last.site.max_withdraw) / 100;
    Judgement { going, announced: announced.len(), allowed: share.min(announced.len().saturating_sub(1)) }
}

/// What peers have now, and which of them: of groups that are not drained on purpose, and every covering prefix.
fn announced(last: &SiteFile, now: &Status) -> BTreeMap<Prefix, BTreeSet<PeerName>> {
    let meant_to_stay = now.groups.iter().filter(|group| group.state != GroupState::Drain);
    let of_groups = meant_to_stay.flat_map(|group| &group.prefixes).map(|prefix| {
        let has = prefix.peers.iter().filter(|peer| peer.told == Told::Announced);
        (prefix.prefix, has.map(|peer| peer.peer.clone()).collect::<BTreeSet<_>>())
    });
    let of_covers = last.covers().into_iter().map(|cover| (cover, listening(last, now, cover.family())));
    of_groups.chain(of_covers).filter(|(_, peers)| !peers.is_empty()).collect()
}

/// Peers with a session that carries the family.
fn listening(last: &SiteFile, now: &Status, family: Family) -> BTreeSet<PeerName> {
    let up = |name: &PeerName| {
        now.peers.iter().any(|peer| peer.name == *name && peer.state == PeerState::Established)
    };
    let carry = last.peers.iter().filter(|peer| peer.session.families.contains(&family));
    carry.filter(|peer| up(&peer.name)).map(|peer| peer.name.clone()).collect()
}

/// What stays announced, as far as the groups and the file decide it.
fn staying(next: &SiteFile, difference: &Difference, now: &Status) -> BTreeSet<Prefix> {
    let is_announced = |name: &GroupName| {
        now.groups.iter().any(|group| group.name == *name && group.output != api::Output::None)
    };
    let goes_on = |step: &GroupStep| step.was().is_some_and(is_announced);
    let groups = next.groups.iter().zip(&difference.groups).filter(|(_, step)| goes_on(step));
    let prefixes = groups.flat_map(|(group, _)| group.prefixes.iter().copied());
    prefixes.chain(next.covers()).collect()
}

#[cfg(test)]
mod tests;

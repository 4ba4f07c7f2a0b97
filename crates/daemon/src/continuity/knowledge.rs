//! What is known for as long as the site file wants connections looked after, however it is worded: pure, and told the
//! time.

use super::Wanted;
use super::connections::Owned;
use super::keys::Keys;
use super::others::{LeftOut, Others, Own, Seen, well};
use super::said::Said;
use super::survey::Surveyed;
use crate::fleet::ears::Heard;
use crate::handover::{Receiver, Situation};
use crate::orders::is_leaving;
use ::continuity::{Filter, Pace, Paces, Settings, SiteNumber};
use ::fleet::{Entry, Key, Revision};
use announce::permit::Speaker;
use api::{GroupState, Output};
use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;
use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;
use terms::{GroupName, Reason, Timestamp, WallTime};

/// Guesses and resets get a part of the budget that claims get.
const PART: u32 = 10;

/// What is known.
pub(super) struct Knowledge {
    pub(super) wanted: Wanted,
    pub(super) own: Own,
    pub(super) others: Others,
    /// Whether the store was heard at all since the daemon started.
    pub(super) is_heard: bool,
    pub(super) keys: Option<Shared>,
    /// Whether keys lie in the store that are none to this version.
    pub(super) are_keys_strange: bool,
    /// Whether that was told, while this host goes on with keys of before.
    pub(super) is_strangeness_told: bool,
    /// When the next step of the keys is tried.
    pub(super) step_at: Timestamp,
    pub(super) owned: Option<Owned>,
    /// What is wrong with the programs, and when they are tried again.
    pub(super) trouble: Option<(Reason, Timestamp)>,
    /// The groups that go away in order.
    in_order: BTreeSet<GroupName>,
    pub(super) standing: Standing,
    pub(super) since: WallTime,
    /// What was told of hosts that are left out.
    pub(super) left_out: BTreeMap<Speaker, LeftOut>,
    pub(super) relay: Option<Seen>,
    /// The connections that have moved, as they were looked at last.
    pub(super) moved: Surveyed,
}

/// The keys in the store.
pub(super) struct Shared {
    pub(super) keys: Keys,
    /// None: the store has lost them.
    pub(super) revision: Option<Revision>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Standing {
    Off(Reason),
    Waiting,
    On,
}

impl Knowledge {
    pub(super) fn new(wanted: Wanted, speaker: &Speaker, lease: Duration, since: WallTime) -> Self {
        Knowledge {
            own: own(&wanted, speaker),
            wanted,
            others: Others::new(lease),
            is_heard: false,
            keys: None,
            are_keys_strange: false,
            is_strangeness_told: false,
            step_at: Timestamp::ZERO,
            owned: None,
            trouble: None,
            in_order: BTreeSet::new(),
            standing: Standing::Waiting,
            since,
            left_out: BTreeMap::new(),
            relay: None,
            moved: Surveyed::default(),
        }
    }

    /// The site file says something else. What was heard of others stays.
    pub(super) fn follow(&mut self, wanted: Wanted) {
        self.own = own(&wanted, &self.own.speaker);
        self.wanted = wanted;
        // It may be what was wrong.
        self.trouble = None;
    }

    pub(super) fn hear(&mut self, heard: Heard, now: Timestamp) {
        match heard {
            Heard::Everything(listing) => {
                let present = listing.entries.iter().filter_map(|entry| entry.key.as_continuity_host());
                self.others.begin(&present.collect(), now);
                self.is_heard = true;
                self.lose_keys(now);
                listing.entries.iter().for_each(|entry| self.hear_entry(entry, now));
            }
            Heard::Put(entry) => self.hear_entry(&entry, now),
            Heard::Gone(key) => {
                if let Some(host) = key.as_continuity_host() {
                    self.others.gone(&host, now);
                } else if key == Key::continuity_keys() {
                    self.lose_keys(now);
                }
            }
            Heard::Nothing(_) => self.others.lose(),
        }
    }

    fn hear_entry(&mut self, entry: &Entry, now: Timestamp) {
        if let Some(host) = entry.key.as_continuity_host().filter(|host| *host != self.own.speaker) {
            if let Some(said) = Said::decode(&entry.value) {
                self.others.hear(host, said);
            }
        } else if entry.key == Key::continuity_keys() {
            let keys = Keys::decode(&entry.value);
            self.are_keys_strange = keys.is_none();
            if let Some(keys) = keys {
                self.step_at = now + keys.next_in();
                self.keys = Some(Shared { keys, revision: Some(entry.revision) });
            }
        }
    }

    /// The store has no keys, as far as was heard: the ones that are known are put back at once.
    fn lose_keys(&mut self, now: Timestamp) {
        self.are_keys_strange = false;
        self.step_at = now;
        if let Some(shared) = &mut self.keys {
            shared.revision = None;
        }
    }

    /// What the programs are told.
    pub(super) fn settings(&self, keys: &Keys, seen: &[Seen], relay: Option<SiteNumber>) -> Settings {
        let section = &self.wanted.section;
        let part = NonZeroU32::new(section.budget.get() / PART).unwrap_or(NonZeroU32::MIN);
        // What comes in the first two seconds of a shift may come at once.
        let pace = |packets: NonZeroU32| Pace::per_second(packets, packets.get().saturating_mul(2));
        let sites = seen.iter().filter_map(|seen| Some((seen.number, seen.site.as_ref().ok()?.clone())));
        Settings {
            number: section.number,
            keys: keys.ring.clone(),
            filter_key: keys.filter,
            paces: Paces { claims: pace(section.budget), guesses: pace(part), resets: pace(part) },
            source4: section.source4,
            source6: section.source6,
            port: section.port,
            mtu: section.mtu,
            relay,
            services: self.wanted.services.clone(),
            sites: sites.collect(),
        }
    }

    /// What handing over goes by: nothing before the programs hold what is to be held.
    pub(super) fn situation(&mut self, seen: &[Seen], groups: &[api::Group]) -> Option<Situation> {
        self.in_order = in_order(groups, &self.in_order);
        let (Standing::On, Some(Shared { keys, .. })) = (&self.standing, &self.keys) else { return None };
        let section = &self.wanted.section;
        let sources = [section.source4.map(IpAddr::V4), section.source6.map(IpAddr::V6)];
        let receiver = |seen: &Seen| {
            let address = seen.site.as_ref().ok()?.address;
            Some(Receiver { number: seen.number, address, host: seen.speaker.clone() })
        };
        let peers = seen.iter().filter_map(|seen| Some((seen.number, seen.site.as_ref().ok()?.address)));
        Some(Situation {
            here: section.number,
            ring: keys.ring.clone(),
            sources: sources.into_iter().flatten().collect(),
            port: section.port,
            peers: peers.collect(),
            receivers: well(seen, &self.own).into_iter().filter_map(receiver).collect(),
            services: self.wanted.services.clone(),
            leaving: self.addresses_being_left(groups),
        })
    }

    /// The addresses of the groups that are being left, and of no other.
    fn addresses_being_left(&self, groups: &[api::Group]) -> BTreeSet<IpAddr> {
        let being_left = being_left(groups, &self.in_order);
        let (left, stays): (Vec<_>, Vec<_>) =
            groups.iter().partition(|group| being_left.contains(&group.name));
        let addresses = |groups: Vec<&api::Group>| -> BTreeSet<IpAddr> {
            let services = groups.into_iter().flat_map(|group| &group.services);
            services.filter_map(|service| self.wanted.addresses.get(service)).flatten().copied().collect()
        };
        &addresses(left) - &addresses(stays)
    }

    /// What others are told: nothing before the programs take what others forward.
    pub(super) fn to_say(&self, groups: &[api::Group]) -> Option<Said> {
        let (Standing::On, Some(owned)) = (&self.standing, &self.owned) else { return None };
        let section = &self.wanted.section;
        Some(Said {
            number: section.number,
            port: section.port,
            source4: section.source4,
            source6: section.source6,
            at: self.wanted.at,
            is_well: is_well(groups),
            services: self.wanted.services.clone(),
            connections: owned.connections,
            filter: Arc::clone(&owned.filter),
        })
    }
}

/// What a host is to the others.
fn own(wanted: &Wanted, speaker: &Speaker) -> Own {
    let section = &wanted.section;
    let room = usize::try_from(section.connections).unwrap_or(usize::MAX);
    Own {
        speaker: speaker.clone(),
        number: section.number,
        port: section.port,
        has4: section.source4.is_some(),
        has6: section.source6.is_some(),
        at: wanted.at,
        services: wanted.services.clone(),
        room: Filter::with_room_for(room).blocks().len(),
    }
}

/// Whether no group of this site can answer, and none may leave.
pub(super) fn is_held(groups: &[api::Group]) -> bool {
    !groups.is_empty() && groups.iter().all(|group| group.state == GroupState::Held)
}

/// The groups that go away in order, so that users are sent elsewhere while they are still answered: from its drain on, or from
/// when it is off without one, as the fleet permitted none to a daemon that has to stop. So it stays with each until it comes back.
fn in_order(groups: &[api::Group], before: &BTreeSet<GroupName>) -> BTreeSet<GroupName> {
    let is_in_order = |group: &&api::Group| {
        let is_ordered = matches!(group.state, GroupState::Drain | GroupState::Off);
        is_leaving(group) && (is_ordered || before.contains(&group.name))
    };
    groups.iter().filter(is_in_order).map(|group| group.name.clone()).collect()
}

/// The groups whose connections go: those that go away in order, and with the last of them those that are down.
fn being_left(groups: &[api::Group], in_order: &BTreeSet<GroupName>) -> BTreeSet<GroupName> {
    let goes = |group: &api::Group| in_order.contains(&group.name) || group.state == GroupState::Down;
    let is_whole_site = !in_order.is_empty() && groups.iter().all(goes);
    if is_whole_site { groups.iter().map(|group| group.name.clone()).collect() } else { in_order.clone() }
}

/// Whether every group of this site answers.
fn is_well(groups: &[api::Group]) -> bool {
    let answers = |group: &api::Group| {
        matches!(group.state, GroupState::Up | GroupState::Suspect) && group.output != Output::None
    };
    !groups.is_empty() && groups.iter().all(answers)
}

#[cfg(test)]
pub(super) mod tests;

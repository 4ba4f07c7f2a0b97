//! What the neighbour was told, what it is to know, and the UPDATEs from the one to the other.
//!
//! ```text
//!   wanted ──minus──► told   =   withdraw: told, not wanted           sent first
//!                                announce: wanted, told otherwise     packed by equal attributes
//!                                again:    wanted and told, asked for (RFC 2918)
//!                                End-of-RIB, once, when all is told   (RFC 4724)
//! ```
//! An UPDATE is made when there is room to send it, out of what is wanted at that moment: a slow neighbour never
//! queues up old news, and a withdraw overtakes every announcement that was not sent yet.

use crate::session::{Event, PeerKind, Prefixes};
use crate::wire::as_path::AsPath;
use crate::wire::attribute::{MpReach, PathAttributes};
use crate::wire::negotiated::Negotiated;
use crate::wire::nlri::{self, Nlri};
use crate::wire::update::{TooLong, Update};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;
use std::sync::Arc;
use terms::{Asn, Attributes, Family, Prefix, Reason, RouteSet};

/// LOCAL_PREF of routes that do not say one, towards neighbours of the same AS: what every router assumes.
const DEFAULT_LOCAL_PREF: u32 = 100;

/// Why a wanted route cannot be told.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum CannotTell {
    /// The neighbour did not offer the family.
    #[error("the neighbour does not carry {0} routes")]
    Family(Family),
    /// Next hop and prefix are of different families.
    #[error("the next hop {0} is not of the prefix's family")]
    NextHop(IpAddr),
    /// The attributes fill more than a message.
    #[error(transparent)]
    TooLong(#[from] TooLong),
}

/// Routes towards one neighbour, for as long as one session is up.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct RibOut {
    local_asn: Asn,
    /// Families that we offered: what is wanted in others is somebody else's to tell.
    offered: BTreeSet<Family>,
    negotiated: Negotiated,
    wanted: Arc<RouteSet>,
    told: RouteSet,
    /// Told, and to be taken back.
    withdraw: BTreeSet<Prefix>,
    /// To be announced, by what is said about them.
    #[serde(with = "pairs")]
    announce: BTreeMap<Attributes, BTreeSet<Prefix>>,
    /// Asked for again, and not told again yet.
    again: BTreeSet<Prefix>,
    /// Families asked for again since all was told.
    asked_again: BTreeSet<Family>,
    end_of_rib: BTreeSet<Family>,
    /// Announced and withdrawn since people were told.
    announced: Prefixes,
    withdrawn: Prefixes,
    /// What cannot be told, and the same while people do not know it.
    cannot_tell: Option<Event>,
    complaint: Option<Event>,
}

impl RibOut {
    /// Nothing told, nothing wanted.
    pub(crate) fn new(local_asn: Asn, offered: BTreeSet<Family>, negotiated: Negotiated) -> Self {
        RibOut {
            local_asn,
            offered,
            end_of_rib: negotiated.families.clone(),
            negotiated,
            wanted: Arc::default(),
            told: RouteSet::new(),
            withdraw: BTreeSet::new(),
            announce: BTreeMap::new(),
            again: BTreeSet::new(),
            asked_again: BTreeSet::new(),
            announced: Prefixes::default(),
            withdrawn: Prefixes::default(),
            cannot_tell: None,
            complaint: None,
        }
    }

    /// What the neighbour knows, given that it got what was sent.
    pub(crate) fn told(&self) -> &RouteSet {
        &self.told
    }

    /// Takes the complete set of routes the neighbour is to know.
    pub(crate) fn want(&mut self, wanted: Arc<RouteSet>) {
        self.wanted = wanted;
        self.compare();
    }

    /// Tells all of a family again (RFC 2918 section 4). Asked while the last time is still under way, it does
    /// nothing and answers no: a neighbour cannot make us work without end.
    pub(crate) fn tell_again(&mut self, family: Family) -> bool {
        let new = self.asked_again.insert(family);
        if new {
            self.again.extend(self.told.keys().filter(|prefix| prefix.family() == family));
            self.compare();
        }
        new
    }

    /// Works out what is to be sent: wanted minus told.
    fn compare(&mut self) {
        let wanted = Arc::clone(&self.wanted);
        self.announce.clear();
        let mut untold = Untold::default();
        let mut tellable = BTreeSet::new();
        for (&prefix, attributes) in wanted.iter() {
            if !self.offered.contains(&prefix.family()) {
                continue;
            }
            if let Err(why) = self.tellable(prefix, attributes) {
                untold.push(prefix, &why);
                continue;
            }
            tellable.insert(prefix);
            if self.told.get(&prefix) != Some(attributes) || self.again.contains(&prefix) {
                match self.announce.get_mut(attributes) {
                    Some(prefixes) => drop(prefixes.insert(prefix)),
                    None => drop(self.announce.insert(attributes.clone(), BTreeSet::from([prefix]))),
                }
            }
        }
        self.withdraw = self.told.keys().filter(|prefix| !tellable.contains(prefix)).copied().collect();
        self.again.retain(|prefix| tellable.contains(prefix));
        let cannot_tell = untold.event();
        if cannot_tell != self.cannot_tell {
            self.complaint = cannot_tell.clone();
            self.cannot_tell = cannot_tell;
        }
    }

    fn tellable(&self, prefix: Prefix, attributes: &Attributes) -> Result<(), CannotTell> {
        let family = prefix.family();
        if !self.negotiated.families.contains(&family) {
            return Err(CannotTell::Family(family));
        }
        if Family::of(attributes.next_hop) != family {
            return Err(CannotTell::NextHop(attributes.next_hop));
        }
        // Attributes that were sent fit; looking at them again for every prefix would cost more than sending.
        if self.told.get(&prefix) != Some(attributes) && !self.announce.contains_key(attributes) {
            self.room(&self.announcement(attributes, Vec::new()), family)?;
        }
        Ok(())
    }

    /// The next UPDATE; none when the neighbour knows all it is to know.
    pub(crate) fn next_update(&mut self) -> Option<Vec<u8>> {
        self.next_withdraw().or_else(|| self.next_announcement()).or_else(|| {
            let family = self.end_of_rib.pop_first()?;
            Update::end_of_rib(family).encode(&self.negotiated).ok()
        })
    }

    fn next_withdraw(&mut self) -> Option<Vec<u8>> {
        let family = self.withdraw.first()?.family();
        let room = self.room(&Update::end_of_rib(family), family).ok()?;
        let prefixes = take_fitting(&mut self.withdraw, family, self.negotiated.add_path(family).send, room);
        for prefix in &prefixes {
            self.told.remove(prefix);
            self.withdrawn.push(*prefix);
        }
        Update::withdraw(family, prefixes).encode(&self.negotiated).ok()
    }

    fn next_announcement(&mut self) -> Option<Vec<u8>> {
        let (attributes, mut waiting) = self.announce.pop_first()?;
        let family = Family::of(attributes.next_hop);
        let room = self.room(&self.announcement(&attributes, Vec::new()), family).ok()?;
        let prefixes = take_fitting(&mut waiting, family, self.negotiated.add_path(family).send, room);
        if !waiting.is_empty() {
            self.announce.insert(attributes.clone(), waiting);
        }
        for prefix in &prefixes {
            self.told.insert(*prefix, attributes.clone());
            self.again.remove(prefix);
            self.announced.push(*prefix);
        }
        self.announcement(&attributes, prefixes).encode(&self.negotiated).ok()
    }

    /// Octets left for prefixes in a message that holds none yet: at least enough for one, whatever its length. One
    /// octet is kept for the attribute length, which may grow to two.
    fn room(&self, without_prefixes: &Update, family: Family) -> Result<usize, TooLong> {
        let used = without_prefixes.encode(&self.negotiated)?.len() + 1;
        let path = if self.negotiated.add_path(family).send { 4 } else { 0 };
        let longest_prefix = path + 1 + usize::from(family.bits() / 8);
        match self.negotiated.max_message().checked_sub(used) {
            Some(room) if room >= longest_prefix => Ok(room),
            _ => Err(TooLong(used + longest_prefix)),
        }
    }

    /// Routes as this neighbour is to see them.
    fn announcement(&self, attributes: &Attributes, prefixes: Vec<Prefix>) -> Update {
        let (as_path, local_pref) = match self.negotiated.peer_kind {
            // RFC 4271 section 5.1.2: our own number in front; section 5.1.5: no LOCAL_PREF.
            PeerKind::External => {
                let path = std::iter::once(self.local_asn).chain(attributes.path.iter().copied());
                (path.collect(), None)
            }
            PeerKind::Internal => {
                (attributes.path.clone(), Some(attributes.local_pref.unwrap_or(DEFAULT_LOCAL_PREF)))
            }
        };
        let mut said = PathAttributes {
            origin: Some(attributes.origin),
            as_path: Some(AsPath::sequence(as_path)),
            med: attributes.med,
            local_pref,
            communities: attributes.communities.clone(),
            extended_communities: attributes.extended_communities.clone(),
            large_communities: attributes.large_communities.clone(),
            ..PathAttributes::default()
        };
        let prefixes = prefixes.into_iter().map(Nlri::from).collect();
        let mut reached = Vec::new();
        match attributes.next_hop {
            IpAddr::V4(next_hop) => {
                said.next_hop = Some(next_hop);
                reached = prefixes;
            }
            IpAddr::V6(_) => {
                let next_hop = attributes.next_hop;
                said.mp_reach = Some(MpReach { family: Family::Ipv6, next_hop, link_local: None, prefixes });
            }
        }
        Update { withdrawn: Vec::new(), attributes: said, reached }
    }

    /// What to tell people once there is no further UPDATE: what cannot be told, and what was.
    pub(crate) fn take_event(&mut self) -> Option<Event> {
        self.asked_again.clear();
        if self.complaint.is_some() {
            return self.complaint.take();
        }
        let announced = std::mem::take(&mut self.announced);
        let withdrawn = std::mem::take(&mut self.withdrawn);
        let any = !announced.is_empty() || !withdrawn.is_empty();
        any.then_some(Event::Told { announced, withdrawn })
    }
}

/// A map whose keys are no strings, saved as a list: JSON has no other.
mod pairs {
    use serde::{Deserialize, Deserializer, Serialize, Serializer};
    use std::collections::BTreeMap;

    pub(super) fn serialize<K: Serialize, V: Serialize, S: Serializer>(
        map: &BTreeMap<K, V>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(map)
    }

    pub(super) fn deserialize<'de, K, V, D>(deserializer: D) -> Result<BTreeMap<K, V>, D::Error>
    where
        K: Deserialize<'de> + Ord,
        V: Deserialize<'de>,
        D: Deserializer<'de>,
    {
        Ok(Vec::deserialize(deserializer)?.into_iter().collect())
    }
}

/// Wanted routes that cannot be told.
#[derive(Default)]
struct Untold {
    prefixes: Prefixes,
    reason: Option<Reason>,
}

impl Untold {
    fn push(&mut self, prefix: Prefix, why: &CannotTell) {
        self.prefixes.push(prefix);
        self.reason.get_or_insert_with(|| Reason::from(why.to_string()));
    }

    fn event(self) -> Option<Event> {
        let prefixes = self.prefixes;
        self.reason.map(|reason| Event::CannotTell { prefixes, reason })
    }
}

/// Takes prefixes of one family off the front as long as they fit into so many octets.
fn take_fitting(
    prefixes: &mut BTreeSet<Prefix>,
    family: Family,
    with_path: bool,
    mut room: usize,
) -> Vec<Prefix> {
    let mut taken = Vec::new();
    while let Some(&prefix) = prefixes.first() {
        let Some(left) = room.checked_sub(nlri::encoded_len(prefix, with_path)) else { break };
        if prefix.family() != family {
            break;
        }
        room = left;
        taken.push(prefix);
        prefixes.pop_first();
    }
    taken
}

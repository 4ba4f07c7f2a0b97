//! What the neighbour was told, what it is to know, and the UPDATEs from the one to the other.
//!
//! ```text
//!   wanted ──minus──► told   =   withdraw: told, not wanted           sent first
//!                                announce: wanted, told otherwise     packed by equal attributes
//!                                again:    wanted and told, asked for (RFC 2918)
//!                                End-of-RIB, once, when all is told   (RFC 4724); after a restart
//!                                           not before all is decided
//! ```
//! Between speakers that can, what is told again stands between two marks: "I begin" and "that was all" (RFC 7313).
//! The first waits for End-of-RIB, so that a neighbour which just came back does not take the one for the other.
//!
//! An UPDATE is made when there is room to send it, out of what is wanted at that moment: a slow neighbour never
//! queues up old news, and a withdraw overtakes every announcement that was not sent yet.

mod monitored;

use crate::session::{Event, PeerKind, Prefixes, leaks};
use crate::wire::as_path::AsPath;
use crate::wire::attribute::{MpReach, PathAttributes};
use crate::wire::negotiated::Negotiated;
use crate::wire::nlri::{self, Nlri};
use crate::wire::route_refresh::{Refresh, RouteRefresh};
use crate::wire::update::{TooLong, Update};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;
use std::sync::Arc;
use terms::{Asn, Attributes, Family, Prefix, Reason, RouteSet};

/// LOCAL_PREF of routes that do not say one, towards neighbours of the same AS: what every router assumes.
const DEFAULT_LOCAL_PREF: u32 = 100;

/// The identifier of the one path that a prefix has here, where the session has identifiers (RFC 7911 section 3).
const ONLY_PATH: u32 = 1;

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
    announce: BTreeMap<(Family, Attributes), BTreeSet<Prefix>>,
    /// Asked for again, and not told again yet.
    again: BTreeSet<Prefix>,
    /// Families asked for again, and how far that is.
    refreshing: BTreeMap<Family, Refreshing>,
    end_of_rib: BTreeSet<Family>,
    /// Whether End-of-RIB waits for decisions.
    #[serde(default)]
    end_of_rib_is_held: bool,
    /// Announced and withdrawn since people were told.
    announced: Prefixes,
    withdrawn: Prefixes,
    /// What cannot be told, and the same while people do not know it.
    cannot_tell: Option<Event>,
    complaint: Option<Event>,
}

/// How far telling a family again is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Refreshing {
    Asked,
    UnderWay,
}

impl RibOut {
    /// Nothing told, nothing wanted.
    pub(crate) fn new(local_asn: Asn, offered: BTreeSet<Family>, negotiated: Negotiated) -> Self {
        RibOut {
            local_asn,
            offered,
            end_of_rib: negotiated.families.clone(),
            end_of_rib_is_held: false,
            negotiated,
            wanted: Arc::default(),
            told: RouteSet::new(),
            withdraw: BTreeSet::new(),
            announce: BTreeMap::new(),
            again: BTreeSet::new(),
            refreshing: BTreeMap::new(),
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

    /// End-of-RIB is not sent from now on.
    pub(crate) fn hold_end_of_rib(&mut self) {
        self.end_of_rib_is_held = true;
    }

    /// End-of-RIB is sent once all is told.
    pub(crate) fn end_of_rib_is_due(&mut self) {
        self.end_of_rib_is_held = false;
    }

    /// Tells all of a family again (RFC 2918 section 4). Asked while the last time is still under way, it does
    /// nothing and answers no: a neighbour cannot make us work without end.
    pub(crate) fn tell_again(&mut self, family: Family) -> bool {
        let new = !self.refreshing.contains_key(&family);
        self.refreshing.entry(family).or_insert(Refreshing::Asked);
        new
    }

    /// Begins to tell a family again. The answer is the mark to send first, where the neighbour knows what it means.
    fn begin_refresh(&mut self) -> Option<Vec<u8>> {
        let marks = self.negotiated.enhanced_refresh;
        if marks && !self.end_of_rib.is_empty() {
            return None;
        }
        loop {
            let mut asked = self.refreshing.iter().filter(|(_, state)| **state == Refreshing::Asked);
            let family = asked.next().map(|(&family, _)| family)?;
            self.refreshing.insert(family, Refreshing::UnderWay);
            self.again.extend(self.told.keys().filter(|prefix| prefix.family() == family));
            self.compare();
            if marks {
                return Some(RouteRefresh::about(family, Refresh::Begin).encode());
            }
        }
    }

    /// Everything is told: so is what was asked for again. The answer is the mark that says so.
    fn end_refresh(&mut self) -> Option<Vec<u8>> {
        while let Some((family, _)) = self.refreshing.pop_first() {
            if self.negotiated.enhanced_refresh {
                return Some(RouteRefresh::about(family, Refresh::End).encode());
            }
        }
        None
    }

    /// Works out what is to be sent: wanted minus told.
    fn compare(&mut self) {
        let wanted = Arc::clone(&self.wanted);
        self.announce.clear();
        let mut untold = Untold::default();
        let mut tellable = BTreeSet::new();
        let mut fit = BTreeSet::new();
        for (&prefix, attributes) in wanted.iter() {
            if !self.offered.contains(&prefix.family()) {
                continue;
            }
            if let Err(why) = self.tellable(prefix, attributes, &mut fit) {
                untold.push(prefix, &why);
                continue;
            }
            tellable.insert(prefix);
            if self.told.get(&prefix) != Some(attributes) || self.again.contains(&prefix) {
                let key = (prefix.family(), attributes.clone());
                self.announce.entry(key).or_default().insert(prefix);
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

    /// Whether a route can be told. `fit` are the attributes that were found to fit a message.
    fn tellable<'a>(
        &self,
        prefix: Prefix,
        attributes: &'a Attributes,
        fit: &mut BTreeSet<(Family, &'a Attributes)>,
    ) -> Result<(), CannotTell> {
        let family = prefix.family();
        if !self.negotiated.families.contains(&family) {
            return Err(CannotTell::Family(family));
        }
        let extended = self.negotiated.extended_next_hop.contains(&family) && attributes.next_hop.is_ipv6();
        if Family::of(attributes.next_hop) != family && !extended {
            return Err(CannotTell::NextHop(attributes.next_hop));
        }
        // Attributes that were sent fit; looking at them again for every prefix would cost more than sending.
        if self.told.get(&prefix) != Some(attributes) && !fit.contains(&(family, attributes)) {
            self.room(&self.announcement(family, attributes, Vec::new()), family)?;
            fit.insert((family, attributes));
        }
        Ok(())
    }

    /// The next UPDATE or mark; none when the neighbour knows all it is to know.
    pub(crate) fn next_message(&mut self) -> Option<Vec<u8>> {
        let next = self.next_withdraw().or_else(|| self.begin_refresh()).or_else(|| self.next_announcement());
        next.or_else(|| self.next_end_of_rib()).or_else(|| self.end_refresh())
    }

    fn next_end_of_rib(&mut self) -> Option<Vec<u8>> {
        if self.end_of_rib_is_held {
            return None;
        }
        let family = self.end_of_rib.pop_first()?;
        Update::end_of_rib(family).encode(&self.negotiated).ok()
    }

    fn next_withdraw(&mut self) -> Option<Vec<u8>> {
        let family = self.withdraw.first()?.family();
        let room = self.room(&Update::end_of_rib(family), family).ok()?;
        let prefixes = take_fitting(&mut self.withdraw, family, self.negotiated.add_path(family).send, room);
        for prefix in &prefixes {
            self.told.remove(prefix);
            self.withdrawn.push(*prefix);
        }
        let paths = prefixes.into_iter().map(|prefix| Nlri { prefix, path: ONLY_PATH });
        Update::withdraw(family, paths).encode(&self.negotiated).ok()
    }

    fn next_announcement(&mut self) -> Option<Vec<u8>> {
        let ((family, attributes), mut waiting) = self.announce.pop_first()?;
        let room = self.room(&self.announcement(family, &attributes, Vec::new()), family).ok()?;
        let prefixes = take_fitting(&mut waiting, family, self.negotiated.add_path(family).send, room);
        if !waiting.is_empty() {
            self.announce.insert((family, attributes.clone()), waiting);
        }
        for prefix in &prefixes {
            self.told.insert(*prefix, attributes.clone());
            self.again.remove(prefix);
            self.announced.push(*prefix);
        }
        self.announcement(family, &attributes, prefixes).encode(&self.negotiated).ok()
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
    fn announcement(&self, family: Family, attributes: &Attributes, prefixes: Vec<Prefix>) -> Update {
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
            only_to_customer: leaks::mark(&self.negotiated, self.local_asn),
            ..PathAttributes::default()
        };
        // RFC 7911 section 3: each prefix has one path here, and that path always has the same identifier.
        let prefixes = prefixes.into_iter().map(|prefix| Nlri { prefix, path: ONLY_PATH }).collect();
        let mut reached = Vec::new();
        match (family, attributes.next_hop) {
            (Family::Ipv4, IpAddr::V4(next_hop)) => {
                said.next_hop = Some(next_hop);
                reached = prefixes;
            }
            (Family::Ipv4 | Family::Ipv6, next_hop) => {
                said.mp_reach = Some(MpReach { family, next_hop, link_local: None, prefixes });
            }
        }
        Update { withdrawn: Vec::new(), attributes: said, reached }
    }

    /// What to tell people once there is no further UPDATE: what cannot be told, and what was.
    pub(crate) fn take_event(&mut self) -> Option<Event> {
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

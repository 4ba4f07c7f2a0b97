//! Who is present, and what each host says of itself. What others wrote is shown to people and never decides anything,
//! except that a host whose lease is gone is not counted on.

use super::dns::MOST_ZONES;
use super::load::GroupLoad;
use announce::permit::Speaker;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;
use terms::{DomainName, GeoPoint, Reason, Timestamp, WallTime};

/// Longest text of a host that is shown, characters.
const LONGEST_TEXT: usize = 64;

/// Most groups of another host that are shown.
const MOST_GROUPS: usize = 256;

/// What a host says of itself.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Said {
    pub(crate) schema: api::Schema,
    pub(crate) version: String,
    pub(crate) started: WallTime,
    pub(crate) city: Option<String>,
    pub(crate) at: Option<GeoPoint>,
    pub(crate) groups: Vec<api::HostGroup>,
    /// The number of the newest secret whose DNS cookies it accepts. A host of an older release has no cookies.
    #[serde(default)]
    pub(crate) cookies: Option<u64>,
    /// The zones of its DNS service.
    #[serde(default)]
    pub(crate) zones: Vec<api::HostZone>,
}

impl Said {
    /// The same of a host whose groups stand like this, and have so much to do.
    pub(super) fn with_groups(
        &self,
        views: &[api::Group],
        mut load: impl FnMut(&api::Group) -> GroupLoad,
    ) -> Self {
        let group = |group: &api::Group| {
            let GroupLoad { load, capacity } = load(group);
            api::HostGroup {
                name: group.name.clone(),
                state: group.state,
                output: group.output,
                since: group.since,
                reason: group.reason.clone(),
                alarms: u32::try_from(group.alarms.len()).unwrap_or(u32::MAX),
                load,
                capacity,
            }
        };
        Said { groups: views.iter().map(group).collect(), ..self.clone() }
    }

    pub(crate) fn encode(&self) -> Vec<u8> {
        // Names, numbers and lines of text, all of which have a JSON form.
        serde_json::to_vec(self).unwrap_or_default()
    }

    /// What another host wrote; none if it is nothing that this program understands.
    pub(crate) fn decode(octets: &[u8]) -> Option<Self> {
        let mut said: Said = serde_json::from_slice(octets).ok()?;
        said.groups.truncate(MOST_GROUPS);
        said.zones.truncate(MOST_ZONES);
        said.zones.iter_mut().for_each(|zone| zone.name = zone_name(&zone.name));
        said.version = shown(&said.version);
        said.city = said.city.as_deref().map(shown);
        Some(said)
    }
}

#[cfg(test)]
impl Said {
    /// Of a host without groups.
    pub(crate) fn for_test(cookies: Option<u64>) -> Self {
        let (version, started) = ("1".to_owned(), WallTime(0));
        Said {
            schema: api::Schema,
            version,
            started,
            city: None,
            at: None,
            groups: Vec::new(),
            cookies,
            zones: Vec::new(),
        }
    }
}

/// The name of a zone that somebody else wrote; the root's where it is none.
fn zone_name(text: &str) -> String {
    text.parse().unwrap_or_else(|_| DomainName::root()).to_string()
}

/// Text of somebody else, made harmless.
fn shown(text: &str) -> String {
    Reason::from(text).as_str().chars().take(LONGEST_TEXT).collect()
}

/// Who is present.
#[derive(Debug)]
pub(super) struct Registry {
    /// How long a host may be missing.
    patience: Duration,
    hearing: Hearing,
    /// What each present host says; none where it is not understood.
    present: BTreeMap<Speaker, Option<Said>>,
    /// Hosts that are counted on and not present, and since when.
    missing: BTreeMap<Speaker, Timestamp>,
    lapsed: BTreeSet<Speaker>,
}

/// Whether the store is heard.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Hearing {
    /// Not yet.
    Starting,
    /// It is.
    Good,
    /// Not any more.
    Lost(Reason),
}

impl Registry {
    /// Nobody is present yet. A host that is counted on and missing has lapsed after `patience`, on top of its lease:
    /// a store that lost every lease with its own restart gives everybody time to come back.
    pub(super) fn new(patience: Duration) -> Self {
        Registry {
            patience,
            hearing: Hearing::Starting,
            present: BTreeMap::new(),
            missing: BTreeMap::new(),
            lapsed: BTreeSet::new(),
        }
    }

    pub(super) fn hearing(&self) -> &Hearing {
        &self.hearing
    }

    /// Everything is going to be told anew.
    pub(super) fn begin(&mut self) {
        self.hearing = Hearing::Good;
        self.present.clear();
    }

    pub(super) fn hear(&mut self, host: Speaker, octets: &[u8]) {
        self.present.insert(host, Said::decode(octets));
    }

    pub(super) fn gone(&mut self, host: &Speaker) {
        self.present.remove(host);
    }

    /// The store cannot be heard: who is missing is not known, so nobody's time runs. What was seen last stays shown.
    pub(super) fn lose(&mut self, why: Reason) {
        self.hearing = Hearing::Lost(why);
        self.missing.clear();
    }

    /// Every host that is present, with what it says.
    pub(super) fn hosts(&self) -> impl Iterator<Item = (&Speaker, &Said)> {
        self.present.iter().filter_map(|(host, said)| Some((host, said.as_ref()?)))
    }

    /// Of the hosts that are counted on: those that have lapsed now, and those that are back. One that stays away is
    /// named again after each `patience`, because charging it may have failed.
    pub(super) fn absent(
        &mut self,
        counted_on: BTreeSet<Speaker>,
        now: Timestamp,
    ) -> (Vec<Speaker>, Vec<Speaker>) {
        if self.hearing != Hearing::Good {
            return (Vec::new(), Vec::new());
        }
        let back: Vec<Speaker> =
            self.lapsed.iter().filter(|host| self.present.contains_key(host)).cloned().collect();
        back.iter().for_each(|host| {
            self.lapsed.remove(host);
        });
        self.missing.retain(|host, _| counted_on.contains(host) && !self.present.contains_key(host));
        let mut gone = Vec::new();
        for host in counted_on.into_iter().filter(|host| !self.present.contains_key(host)) {
            let since = self.missing.entry(host.clone()).or_insert(now);
            if now >= *since + self.patience {
                *since = now;
                self.lapsed.insert(host.clone());
                gone.push(host);
            }
        }
        (gone, back)
    }

    /// When somebody who is missing will have lapsed.
    pub(super) fn deadline(&self) -> Option<Timestamp> {
        self.missing.values().min().map(|since| *since + self.patience)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PATIENCE: Duration = Duration::from_secs(10);

    fn host(name: &str) -> Speaker {
        Speaker { site: name.parse().unwrap(), host: name.parse().unwrap() }
    }

    fn at(seconds: u64) -> Timestamp {
        Timestamp::ZERO + Duration::from_secs(seconds)
    }

    fn all() -> BTreeSet<Speaker> {
        ["london", "paris"].map(host).into()
    }

    #[test]
    fn a_host_lapses_after_patience_and_is_named_until_it_is_back() {
        let mut registry = Registry::new(PATIENCE);
        registry.begin();
        registry.hear(host("london"), b"{}");
        let nobody = (vec![], vec![]);
        assert_eq!(registry.absent(all(), at(0)), nobody);
        assert_eq!(registry.deadline(), Some(at(10)));
        assert_eq!(registry.absent(all(), at(9)), nobody);
        assert_eq!(registry.absent(all(), at(10)), (vec![host("paris")], vec![]));
        assert_eq!(registry.absent(all(), at(11)), nobody);
        assert_eq!(registry.absent(all(), at(20)), (vec![host("paris")], vec![]));
        registry.hear(host("paris"), b"not understood, and present all the same");
        assert_eq!(registry.absent(all(), at(21)), (vec![], vec![host("paris")]));
        assert_eq!(registry.deadline(), None);
    }

    #[test]
    fn nobody_lapses_while_the_store_is_not_heard() {
        let mut registry = Registry::new(PATIENCE);
        assert_eq!(registry.absent(all(), at(100)), (vec![], vec![]));
        registry.begin();
        registry.absent(all(), at(100));
        registry.lose(Reason::from("gone"));
        assert_eq!(registry.absent(all(), at(200)), (vec![], vec![]));
        registry.begin();
        assert_eq!(registry.absent(all(), at(201)), (vec![], vec![]), "their time begins again");
        assert_eq!(registry.absent(all(), at(211)).0.len(), 2);
    }

    #[test]
    fn what_others_say_is_made_harmless() {
        let said =
            Said { version: "1\x1b[2J".repeat(99), city: Some("x".repeat(999)), ..Said::for_test(None) };
        let read = Said::decode(&said.encode()).unwrap();
        assert!(read.version.chars().count() <= LONGEST_TEXT && !read.version.contains('\x1b'), "{read:?}");
        assert_eq!(read.city.unwrap().len(), LONGEST_TEXT);
        assert_eq!(Said::decode(b"\xff"), None);
    }
}

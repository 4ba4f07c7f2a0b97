//! What a peer was told about each prefix, for people to read back.
//!
//! The session knows what the peer has now. This ledger adds what it had before and was told to forget, and when.

use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use terms::{Attributes, Prefix, RouteSet, WallTime};

/// What a peer was told last about one prefix.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Entry {
    /// The attributes it has; none: it was told to forget the route.
    pub(crate) attributes: Option<Attributes>,
    /// When it was told.
    pub(crate) when: WallTime,
}

/// What one peer was told in the present session. A prefix without an entry was never mentioned.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Ledger(BTreeMap<Prefix, Entry>);

impl Ledger {
    /// What the peer was told last about a prefix; none if nothing.
    pub(crate) fn entry(&self, prefix: Prefix) -> Option<&Entry> {
        self.0.get(&prefix)
    }

    /// Every prefix that the peer has from us.
    pub(crate) fn told(&self) -> impl Iterator<Item = Prefix> {
        self.0.iter().filter(|(_, entry)| entry.attributes.is_some()).map(|(prefix, _)| *prefix)
    }

    /// Forgets everything: the session ended, and the peer with it forgot what it was told (RFC 4271 section 3.1).
    pub(super) fn clear(&mut self) {
        self.0.clear();
    }

    /// Notes what the peer has been told by now. Answers whether that is news.
    pub(crate) fn note(&mut self, told: &RouteSet, now: WallTime) -> bool {
        let mut news = false;
        for (prefix, entry) in &mut self.0 {
            if entry.attributes.is_some() && !told.contains_key(prefix) {
                *entry = Entry { attributes: None, when: now };
                news = true;
            }
        }
        for (prefix, attributes) in told {
            let known = self.0.get(prefix).and_then(|entry| entry.attributes.as_ref());
            if known != Some(attributes) {
                self.0.insert(*prefix, Entry { attributes: Some(attributes.clone()), when: now });
                news = true;
            }
        }
        news
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(next_hop: &str) -> RouteSet {
        let prefix = "198.18.0.0/24".parse().unwrap();
        RouteSet::from([(prefix, Attributes::originated(next_hop.parse().unwrap()))])
    }

    #[test]
    fn a_withdrawn_prefix_is_remembered_as_withdrawn_until_the_session_ends() {
        let prefix = "198.18.0.0/24".parse().unwrap();
        let mut ledger = Ledger::default();
        assert_eq!(ledger.entry(prefix), None);
        assert!(ledger.note(&told("10.0.0.1"), WallTime(1)));
        assert!(!ledger.note(&told("10.0.0.1"), WallTime(2)), "the same again is no news");
        assert_eq!(ledger.entry(prefix).unwrap().when, WallTime(1));
        assert!(ledger.note(&RouteSet::new(), WallTime(3)));
        assert!(!ledger.note(&RouteSet::new(), WallTime(4)));
        assert_eq!(ledger.entry(prefix), Some(&Entry { attributes: None, when: WallTime(3) }));
        ledger.clear();
        assert_eq!(ledger.entry(prefix), None);
    }

    #[test]
    fn changed_attributes_are_news() {
        let mut ledger = Ledger::default();
        ledger.note(&told("10.0.0.1"), WallTime(1));
        assert!(ledger.note(&told("10.0.0.2"), WallTime(2)));
        let entry = ledger.entry("198.18.0.0/24".parse().unwrap()).unwrap();
        assert_eq!(entry.attributes, told("10.0.0.2").into_values().next());
        assert_eq!(entry.when, WallTime(2));
    }
}

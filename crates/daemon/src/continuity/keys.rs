//! The keys that the fleet shares: those of the tunnel follow each other, that of the filters stays.
//!
//! Whoever finds that a step is due asks the store to take it; the store lets one of them. A step is due so long after it
//! was heard here that the last one was taken, by this host's own clock: no two hosts need the same time.

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use continuity::{Key, KeyId, KeyRing};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::time::Duration;

/// How long tags are made with one key.
const LIFETIME: Duration = Duration::from_secs(3600);

/// From one step of a succession to the next: by then every site has heard of it that is not counted as dead.
const STEP: Duration = Duration::from_secs(60);

/// What the fleet shares.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Keys {
    pub(super) ring: KeyRing,
    /// What the filters hash with.
    pub(super) filter: Key,
}

/// The same as JSON, each key in Base64 (RFC 4648 section 4).
#[derive(Serialize, Deserialize)]
struct Written {
    schema: api::Schema,
    sending: u8,
    keys: BTreeMap<u8, String>,
    filter: String,
}

impl Keys {
    /// Keys that nobody knows yet.
    pub(super) fn fresh() -> Self {
        Keys { ring: KeyRing::new(KeyId::ALL[0], fresh()), filter: fresh() }
    }

    /// After the next step.
    pub(super) fn advance(&self) -> Self {
        Keys { ring: self.ring.advance(fresh()), filter: self.filter }
    }

    /// How long after the last step the next one is due.
    pub(super) fn next_in(&self) -> Duration {
        if self.ring.is_settled() { LIFETIME } else { STEP }
    }

    pub(super) fn encode(&self) -> Vec<u8> {
        let write = |key: Key| BASE64_STANDARD.encode(key.octets());
        let keys = KeyId::ALL.into_iter().filter_map(|id| Some((id.get(), write(self.ring.get(id)?))));
        let written = Written {
            schema: api::Schema,
            sending: self.ring.sending().get(),
            keys: keys.collect(),
            filter: write(self.filter),
        };
        serde_json::to_vec(&written).unwrap_or_default()
    }

    /// What lies in the store; none if it is nothing that this program understands.
    pub(super) fn decode(octets: &[u8]) -> Option<Self> {
        let written: Written = serde_json::from_slice(octets).ok()?;
        let read = |key: &str| BASE64_STANDARD.decode(key).ok()?.try_into().ok().map(Key::new);
        let id = |number: u8| KeyId::ALL.get(usize::from(number)).copied();
        let sending = id(written.sending)?;
        let mut ring = KeyRing::new(sending, read(written.keys.get(&written.sending)?)?);
        for (number, key) in &written.keys {
            ring.learn(id(*number)?, read(key)?);
        }
        Some(Keys { ring, filter: read(&written.filter)? })
    }
}

fn fresh() -> Key {
    Key::new(rand::random())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_follow_each_other_and_each_step_is_understood_by_whoever_is_one_behind() {
        let mut keys = Keys::fresh();
        for _ in 0..12 {
            assert_eq!(Keys::decode(&keys.encode()), Some(keys.clone()));
            let next = keys.advance();
            assert_ne!(next, keys);
            assert_eq!(next.filter, keys.filter, "filters of before are still understood");
            for (one, other) in [(&keys, &next), (&next, &keys)] {
                let sending = one.ring.sending();
                assert_eq!(one.ring.get(sending), other.ring.get(sending), "{keys:?} {next:?}");
            }
            keys = next;
        }
        assert!(keys.ring.is_settled(), "three steps to each");
        assert_eq!(keys.ring.sending(), KeyId::ALL[0], "four successions later it begins again");
    }

    #[test]
    fn what_is_no_ring_of_keys_is_not_understood() {
        let with = |key: &str, value: serde_json::Value| {
            let mut json: serde_json::Value = serde_json::from_slice(&Keys::fresh().encode()).unwrap();
            json[key] = value;
            serde_json::to_vec(&json).unwrap()
        };
        for (key, value) in [
            ("sending", 1.into()),
            ("sending", 4.into()),
            ("keys", serde_json::json!({})),
            ("keys", serde_json::json!({"0": "AAAA"})),
            ("filter", "AAAA".into()),
        ] {
            assert_eq!(Keys::decode(&with(key, value)), None, "{key}");
        }
    }
}

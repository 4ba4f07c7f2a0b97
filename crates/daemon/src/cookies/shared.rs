//! The keyring that all sites of a fleet have in common.
//!
//! ```text
//!   store ──keyring, presence of every host──> known ──> ours is older: take it
//!     ^                                          └─────> a step is due: replace it there, and hear of it
//!     └──────────────────────────────────────────────────────┘
//! ```
//! Every site looks whether a step is due, and the store lets one of them take it. The next secret is used once every
//! host that is present says that it has it. While the store is not heard, nothing changes: what was heard last is on
//! this machine's disk. A host that is cut off from the store for the day and the hour of a change rejects cookies of
//! the others until it is back; their clients get answers and new cookies.

use super::{Keeper, LOOK_EVERY, fresh};
use crate::fleet::{Heard, Said, listen};
use ::fleet::{Entry, Key, Listing, Revision, Store};
use announce::permit::Speaker;
use dns::Keyring;
use std::collections::BTreeMap;
use std::convert::Infallible;
use terms::WallTime;
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio::time::sleep;

/// News of the store that wait; each is taken within microseconds.
const HEARD: usize = 64;

/// What is known of the fleet.
#[derive(Debug, Default)]
struct Known {
    keyring: Shared,
    /// Of every host that is present: the number of the keyring that it has. A host without cookies has none.
    numbers: BTreeMap<Speaker, u64>,
}

#[derive(Debug, Default)]
enum Shared {
    /// The store is not heard.
    #[default]
    Unheard,
    /// There is none yet.
    Missing,
    /// There is one that this program does not understand: a newer program wrote it.
    Strange,
    There(Revision, Keyring),
}

impl Keeper {
    /// Shares the secrets with the fleet.
    pub(super) async fn share(mut self, store: impl Store) -> Infallible {
        let (heard, mut ears) = mpsc::channel(HEARD);
        let mut listening = JoinSet::new();
        listening.spawn(listen(store.clone(), Key::root(), heard));
        let mut known = Known::default();
        loop {
            tokio::select! {
                Some(news) = ears.recv() => known.hear(news),
                () = sleep(LOOK_EVERY) => {}
            }
            if let Shared::There(_, keyring) = &known.keyring
                && *keyring != self.keyring
                && !self.keyring.supersedes(keyring)
            {
                self.take(keyring.clone()).await;
            }
            if let Some((expected, next)) = known.step(&self.keyring, self.clock.wall())
                && let Ok(json) = serde_json::to_vec(&next)
            {
                // Where it fails somebody else was faster, or the store is gone: what is heard next decides.
                let _ = store.replace(&Key::shared_cookies(), expected, json).await;
            }
        }
    }
}

impl Known {
    fn hear(&mut self, heard: Heard) {
        match heard {
            Heard::Everything(Listing { entries, .. }) => {
                *self = Known { keyring: Shared::Missing, numbers: BTreeMap::new() };
                entries.iter().for_each(|entry| self.hear_entry(entry));
            }
            Heard::Put(entry) => self.hear_entry(&entry),
            Heard::Gone(key) if key == Key::shared_cookies() => self.keyring = Shared::Missing,
            Heard::Gone(key) => {
                if let Some(host) = key.as_host() {
                    self.numbers.remove(&host);
                }
            }
            Heard::Nothing(_) => self.keyring = Shared::Unheard,
        }
    }

    fn hear_entry(&mut self, entry: &Entry) {
        if entry.key == Key::shared_cookies() {
            self.keyring = serde_json::from_slice(&entry.value)
                .map_or(Shared::Strange, |keyring| Shared::There(entry.revision, keyring));
        } else if let Some(host) = entry.key.as_host() {
            match Said::decode(&entry.value).and_then(|said| said.cookies) {
                Some(number) => self.numbers.insert(host, number),
                None => self.numbers.remove(&host),
            };
        }
    }

    /// What should be in the store instead, if anything should, and what is there now.
    fn step(&self, ours: &Keyring, now: WallTime) -> Option<(Option<Revision>, Keyring)> {
        match &self.keyring {
            Shared::Unheard | Shared::Strange => None,
            Shared::Missing => Some((None, ours.clone())),
            // The store was restored from a backup.
            Shared::There(revision, keyring) if ours.supersedes(keyring) => {
                Some((Some(*revision), ours.clone()))
            }
            Shared::There(revision, keyring) => {
                let is_everywhere = self.numbers.values().all(|&number| number >= keyring.number());
                Some((Some(*revision), keyring.next(now, is_everywhere, fresh)?))
            }
        }
    }
}

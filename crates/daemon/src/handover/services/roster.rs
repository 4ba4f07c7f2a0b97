//! Who is here.

use api::CooperatingService;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

type Services = BTreeMap<u64, CooperatingService>;

/// The services that have joined. Copies are the same.
#[derive(Clone, Debug, Default)]
pub(crate) struct Roster(Arc<Mutex<Services>>);

/// The entry of a service, for as long as this is kept.
#[derive(Debug)]
pub(super) struct Entry {
    roster: Roster,
    number: u64,
}

impl Roster {
    /// Those that are here, in the order in which they have joined.
    pub(crate) fn all(&self) -> Vec<CooperatingService> {
        self.with(|services| services.values().cloned().collect())
    }

    pub(super) fn enter(&self, service: CooperatingService) -> Entry {
        let number = self.with(|services| {
            let number = services.last_key_value().map_or(0, |(last, _)| last + 1);
            services.insert(number, service);
            number
        });
        Entry { roster: self.clone(), number }
    }

    fn with<T>(&self, work: impl FnOnce(&mut Services) -> T) -> T {
        work(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Entry {
    pub(super) fn change(&self, change: impl FnOnce(&mut CooperatingService)) {
        self.roster.with(|services| services.get_mut(&self.number).map(change));
    }
}

impl Drop for Entry {
    fn drop(&mut self) {
        self.roster.with(|services| services.remove(&self.number));
    }
}

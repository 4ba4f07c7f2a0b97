//! Places for services: everybody on the host may come to the door, and nobody takes the places of others.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Who sits there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Kind {
    /// A service of a user that may join.
    Guest,
    /// Anybody else, until it has heard why it may not.
    Stranger,
}

impl Kind {
    /// Connections at the same time.
    const fn all(self) -> usize {
        match self {
            Kind::Guest => 64,
            Kind::Stranger => 8,
        }
    }

    /// Those of one user.
    pub(super) const fn of_a_user(self) -> usize {
        match self {
            Kind::Guest => 16,
            Kind::Stranger => 2,
        }
    }
}

/// Everybody that may sit at the same time.
pub(super) const ALL: usize = Kind::Guest.all() + Kind::Stranger.all();

type Taken = BTreeMap<(Kind, u32), usize>;

/// The places that are taken, by user. Copies are the same.
#[derive(Clone, Debug, Default)]
pub(super) struct Seats(Arc<Mutex<Taken>>);

/// A place, for as long as this is kept.
#[derive(Debug)]
pub(super) struct Seat {
    seats: Seats,
    whose: (Kind, u32),
}

impl Seats {
    /// A place for a user; none where that user, or all of that kind together, have as many as they may.
    pub(super) fn take(&self, kind: Kind, user: u32) -> Option<Seat> {
        let mut taken = self.taken();
        let of_the_kind: usize =
            taken.iter().filter(|((other, _), _)| *other == kind).map(|(_, own)| own).sum();
        let whose = (kind, user);
        let own = taken.get(&whose).copied().unwrap_or_default();
        if of_the_kind >= kind.all() || own >= kind.of_a_user() {
            return None;
        }
        taken.insert(whose, own + 1);
        Some(Seat { seats: self.clone(), whose })
    }

    /// How many are taken.
    #[cfg(test)]
    pub(super) fn count(&self) -> usize {
        self.taken().values().sum()
    }

    fn taken(&self) -> MutexGuard<'_, Taken> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        let mut taken = self.seats.taken();
        if let Some(own) = taken.get_mut(&self.whose) {
            *own = own.saturating_sub(1);
        }
        taken.retain(|_, own| *own > 0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_user_that_takes_all_that_it_can_leaves_places_for_others() {
        let seats = Seats::default();
        for kind in [Kind::Guest, Kind::Stranger] {
            let mut taken: Vec<_> = std::iter::from_fn(|| seats.take(kind, 1000)).collect();
            assert_eq!(taken.len(), kind.of_a_user());
            taken.push(seats.take(kind, 1001).unwrap());
            taken.extend((2000..).map_while(|user| seats.take(kind, user)));
            assert_eq!(taken.len(), kind.all());
            drop(taken);
            assert!(seats.take(kind, 1000).is_some() && seats.count() == 0);
        }
    }

    #[test]
    fn strangers_leave_the_places_of_services_alone() {
        let seats = Seats::default();
        let strangers: Vec<_> = (0..100).filter_map(|user| seats.take(Kind::Stranger, user)).collect();
        let guests: Vec<_> = (0..100).filter_map(|user| seats.take(Kind::Guest, user)).collect();
        assert_eq!((strangers.len(), guests.len()), (Kind::Stranger.all(), Kind::Guest.all()));
        assert_eq!(seats.count(), ALL);
    }
}

//! Places for services: everybody on the host may come to the door, and nobody takes all of them.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Connections of services at the same time.
const ALL: usize = 64;

/// Those of one user.
pub(super) const OF_A_USER: usize = 16;

/// The places that are taken, by user. Copies are the same.
#[derive(Clone, Debug, Default)]
pub(super) struct Seats(Arc<Mutex<BTreeMap<u32, usize>>>);

/// A place, for as long as this is kept.
#[derive(Debug)]
pub(super) struct Seat {
    seats: Seats,
    user: u32,
}

impl Seats {
    /// A place for a user's service; none where that user, or all together, have as many as they may.
    pub(super) fn take(&self, user: u32) -> Option<Seat> {
        let mut taken = self.taken();
        let is_full = taken.values().sum::<usize>() >= ALL;
        let own = taken.entry(user).or_default();
        if is_full || *own >= OF_A_USER {
            return None;
        }
        *own += 1;
        Some(Seat { seats: self.clone(), user })
    }

    fn taken(&self) -> MutexGuard<'_, BTreeMap<u32, usize>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        let mut taken = self.seats.taken();
        if let Some(own) = taken.get_mut(&self.user) {
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
        let mut taken: Vec<_> = std::iter::from_fn(|| seats.take(1000)).collect();
        assert_eq!(taken.len(), OF_A_USER);
        taken.push(seats.take(1001).unwrap());
        taken.extend((2000..).map_while(|user| seats.take(user)));
        assert_eq!(taken.len(), ALL);
        drop(taken);
        assert!(seats.take(1000).is_some() && seats.taken().is_empty());
    }
}

//! Has a service more to do than it can?
//!
//! ```text
//!           over the limit, twice in a row
//!   fine ───────────────────────────────────> overloaded
//!        <───────────────────────────────────
//!           under 80 % of it and nothing dropped, ten times in a row
//! ```
//! Over the limit is a load above the capacity that the operator gave, or datagrams that the kernel dropped because
//! the service did not take them in time. One busy second is no overload, and leaving it takes a quiet while, so that
//! a load around the limit does not flap.

use serde::{Deserialize, Serialize};

/// What one look at a service shows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Look {
    /// Answers per second since the look before.
    pub per_second: u64,
    /// Datagrams that the kernel dropped since the look before, because the service's queue was full.
    pub dropped: u64,
}

/// Whether a service is overloaded, by what was seen of it so far.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Overload {
    /// Answers per second that the service is good for; none where nobody said.
    capacity: Option<u64>,
    overloaded: bool,
    /// Looks in a row that say the opposite.
    against: u32,
}

/// Busy looks in a row that make an overload.
const ENTER: u32 = 2;
/// Quiet looks in a row that end it.
const LEAVE: u32 = 10;

impl Overload {
    /// Of a service that has just started.
    pub fn new(capacity: Option<u64>) -> Self {
        Overload { capacity, overloaded: false, against: 0 }
    }

    /// Whether the service is overloaded.
    pub fn is_on(&self) -> bool {
        self.overloaded
    }

    /// Takes a look in. Says whether the service is overloaded now, if that has changed.
    pub fn see(&mut self, look: Look) -> Option<bool> {
        let Look { per_second, dropped } = look;
        let is_over = dropped > 0 || self.capacity.is_some_and(|most| per_second > most);
        let is_quiet = dropped == 0 && self.capacity.is_none_or(|most| per_second <= most / 5 * 4);
        let (is_against, enough) = if self.overloaded { (is_quiet, LEAVE) } else { (is_over, ENTER) };
        self.against = if is_against { self.against + 1 } else { 0 };
        if self.against < enough {
            return None;
        }
        self.against = 0;
        self.overloaded = !self.overloaded;
        Some(self.overloaded)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn busy(per_second: u64) -> Look {
        Look { per_second, dropped: 0 }
    }

    #[test]
    fn one_busy_second_is_no_overload_and_one_quiet_second_does_not_end_it() {
        let mut overload = Overload::new(Some(1000));
        assert_eq!(
            [1001, 1000, 1001, 1001].map(|load| overload.see(busy(load))),
            [None, None, None, Some(true)]
        );
        for _ in 1..LEAVE {
            assert_eq!(overload.see(busy(800)), None);
        }
        assert_eq!(overload.see(busy(801)), None, "not quiet enough: counted from the beginning");
        for _ in 1..LEAVE {
            assert_eq!(overload.see(busy(0)), None);
        }
        assert_eq!(overload.see(busy(0)), Some(false));
    }

    #[test]
    fn drops_are_overload_whatever_the_capacity() {
        for capacity in [None, Some(1000)] {
            let mut overload = Overload::new(capacity);
            let dropping = Look { per_second: 0, dropped: 1 };
            assert_eq!([overload.see(dropping), overload.see(dropping)], [None, Some(true)]);
            assert!(overload.is_on());
        }
        let mut nobody_said = Overload::new(None);
        assert!((0..100).all(|_| nobody_said.see(busy(u64::MAX)).is_none()));
    }

    proptest! {
        #[test]
        fn it_never_changes_twice_within_two_looks(looks in prop::collection::vec((0_u64..200, 0_u64..2), 0..100)) {
            let mut overload = Overload::new(Some(100));
            let looks = looks.into_iter().map(|(per_second, dropped)| Look { per_second, dropped });
            let changes: Vec<usize> =
                looks.enumerate().filter_map(|(at, look)| overload.see(look).map(|_| at)).collect();
            prop_assert!(changes.windows(2).all(|pair| pair[1] - pair[0] >= 2));
        }
    }
}

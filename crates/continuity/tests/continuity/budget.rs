//! Budgets: no more than was earned, however the packets come.

use continuity::{Budget, Pace};
use proptest::prelude::*;
use std::num::NonZeroU32;
use std::time::Duration;
use terms::Timestamp;

proptest! {
    #[test]
    fn no_window_has_more_than_a_burst_and_what_was_earned_in_it(
        gaps in proptest::collection::vec(0..400_u64, 1..200),
        burst in 0..20_u32,
        rate in 1..20_u32,
    ) {
        let pace = Pace::per_second(NonZeroU32::new(rate).unwrap_or(NonZeroU32::MIN), burst);
        let mut budget = Budget::default();
        let mut now = Timestamp::from_nanos(1_000_000_000_000);
        let mut spent = Vec::new();
        for gap in gaps {
            now = now + Duration::from_millis(gap);
            let before = budget;
            if budget.spend(&pace, now) {
                spent.push(now);
            } else {
                prop_assert_eq!(budget, before, "what is refused costs nothing");
            }
        }
        for (index, first) in spent.iter().enumerate() {
            for (count, last) in (1..).zip(&spent[index..]) {
                let earned = last.since(*first).as_nanos() / pace.interval.as_nanos();
                prop_assert!(count <= u128::from(burst) + earned, "{count} in {:?}", last.since(*first));
            }
        }
        prop_assert_eq!(spent.is_empty(), burst == 0);
    }

    /// After a pause there is a whole burst again.
    #[test]
    fn a_pause_earns_a_burst(burst in 1..50_u32, first in 0..100_u32) {
        let pace = Pace { interval: Duration::from_millis(10), burst };
        let mut budget = Budget::default();
        let now = Timestamp::from_nanos(5_000_000_000);
        (0..first).for_each(|_| { budget.spend(&pace, now); });
        let later = now + pace.depth();
        let spent = (0..100).filter(|_| budget.spend(&pace, later)).count();
        prop_assert_eq!(spent, burst.min(100) as usize);
    }
}
